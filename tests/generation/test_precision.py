"""How far a machine's minutes reach."""

import pytest

from huanjing.generation import precision
from huanjing.generation.precision import measured_minutes
from huanjing.generation.recipes import recipe_for
from huanjing.generation.shape import Shape


@pytest.mark.parametrize(
    ("policy", "cores", "minutes"),
    [
        ("mixed_bfloat16", 2, 30),
        ("mixed_bfloat16", 64, 30),
        ("mixed_bfloat16", 1, 15),
        ("float32", 2, 7.5),
        ("float32", 4, 15),
        ("float32", 16, 30),
    ],
)
def test_a_slower_machine_does_less_in_its_minutes_and_none_counts_as_faster(
    monkeypatch: pytest.MonkeyPatch, policy: str, cores: int, minutes: float
) -> None:
    monkeypatch.setattr(precision, "best_precision", lambda: policy)
    monkeypatch.setattr(precision, "processors", lambda: cores)
    assert measured_minutes(30) == minutes


def test_half_an_hour_takes_wide_networks_only_where_it_is_enough_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "processors", lambda: 2)
    sizes = {}
    for policy in ("mixed_bfloat16", "float32"):
        monkeypatch.setattr(precision, "best_precision", lambda policy=policy: policy)
        sizes[policy] = recipe_for("residual", Shape(28, 28, 1), minutes=measured_minutes(30)).size
    assert sizes == {"mixed_bfloat16": "large", "float32": "medium"}

from __future__ import annotations

import numpy as np
import prdc
import pytest

from huanjing.generation.metrics import density_coverage, precision_recall


@pytest.mark.parametrize(("real", "generated", "shift"), [(200, 300, 0.5), (1300, 90, 0.0), (50, 1200, 1.5)])
def test_both_pairs_agree_with_prdc(real: int, generated: int, shift: float) -> None:
    """With the package of density's authors, which computes all four with one k."""
    random = np.random.default_rng(real)
    x = random.standard_normal((real, 16)) + 100.0
    y = 0.8 * random.standard_normal((generated, 16)) + 100.0 + shift
    expected = prdc.compute_prdc(x, y, nearest_k=4)
    within, crowd = precision_recall(x, y, k=4), density_coverage(x, y, k=4)
    ours = {
        "precision": within.precision.value,
        "recall": within.recall.value,
        "density": crowd.density.value,
        "coverage": crowd.coverage.value,
    }
    assert ours == pytest.approx(expected, abs=1e-12)
    assert 0 < ours["precision"] <= 1


def test_what_each_tells() -> None:
    """A generator that makes half of what there is well; and one outlier, whose ball takes in noise."""
    random = np.random.default_rng(1)
    real = np.concatenate([random.standard_normal((200, 4)), random.standard_normal((200, 4)) + 20])
    half = random.standard_normal((400, 4))
    assert precision_recall(real, half).precision.value > 0.9
    assert precision_recall(real, half).recall.value == pytest.approx(0.5, abs=0.06)
    assert density_coverage(real, half).coverage.value == pytest.approx(0.5, abs=0.06)

    real[0] = 300.0
    noise = random.uniform(-100, 400, (400, 4))
    assert precision_recall(real, noise).precision.value > 0.9
    assert density_coverage(real, noise).density.value < 0.3


def test_the_intervals_are_those_of_a_share() -> None:
    random = np.random.default_rng(2)
    score = precision_recall(
        random.standard_normal((300, 5)), random.standard_normal((400, 5)) + 0.8
    ).precision
    deviation = np.sqrt(score.value * (1 - score.value) / 400)
    assert score.high - score.low == pytest.approx(2 * 1.96 * deviation, rel=0.15)
    assert score.low < score.value < score.high


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 rows"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="more than 5 rows"):
        density_coverage(np.zeros((5, 2)), np.zeros((9, 2)))

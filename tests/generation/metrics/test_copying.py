"""Planted copies are found, and real pictures that were held out are not taken for copies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.generation.metrics import copying_score

Pixels = NDArray[np.float64]


@pytest.fixture(scope="module")
def clothing() -> tuple[Pixels, Pixels, Pixels]:
    """Pixels of clothing: 2,000 to train with, 500 and 500 others."""
    random = np.random.default_rng(0)
    train, test = (
        prepare_pictures(clothing_folder() / part, (28, 28), 1).array.reshape(-1, 784).astype(np.float64)
        for part in ("train", "test")
    )
    train, test = random.permutation(train)[:2000], random.permutation(test)[:1000]
    return train, test[:500], test[500:]


def noisy(pixels: Pixels, deviation: float = 8.0) -> Pixels:
    return pixels + np.random.default_rng(1).normal(0, deviation, pixels.shape)


@pytest.mark.parametrize("with_held_out", [True, False])
def test_held_out_pictures_are_no_copies(
    clothing: tuple[Pixels, Pixels, Pixels], with_held_out: bool
) -> None:
    train, held_out, others = clothing
    score = copying_score(others, train, held_out if with_held_out else None)
    assert not score.suspicious
    assert score.near.low <= score.expected <= score.near.high
    assert score.closer.low < 0.5 < score.closer.high
    assert score.held_out == ("test" if with_held_out else "train")


@pytest.mark.parametrize("with_held_out", [True, False])
@pytest.mark.parametrize(
    "generator",
    [
        pytest.param(lambda train, _: train[:500], id="exact copies"),
        pytest.param(lambda train, _: noisy(train[:500]), id="copies with slight noise"),
        pytest.param(lambda train, others: np.concatenate([noisy(train[:50]), others[50:]]), id="one in ten"),
    ],
)
def test_copies_are_found(
    clothing: tuple[Pixels, Pixels, Pixels],
    generator: Callable[[Pixels, Pixels], Pixels],
    with_held_out: bool,
) -> None:
    train, held_out, others = clothing
    score = copying_score(generator(train, others), train, held_out if with_held_out else None)
    assert score.suspicious
    assert score.near.value > 0.05
    for copy, original in score.closest(10):
        assert copy == original


def test_smooth_pictures_are_no_copies(clothing: tuple[Pixels, Pixels, Pixels]) -> None:
    """Averages of two pictures lie nearer to everything than real ones do, and copy none of them."""
    train, held_out, others = clothing
    blurred = (others[:250] + others[250:]) / 2
    assert not copying_score(blurred, train, held_out).suspicious


def test_the_same_pictures_in_both_parts_do_not_hide_copies(clothing: tuple[Pixels, Pixels, Pixels]) -> None:
    train, held_out, _ = clothing
    leaked = np.concatenate([held_out[:400], train[500:600]])
    assert copying_score(noisy(train[:500]), train, leaked).suspicious


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two rows"):
        copying_score(np.zeros((5, 2)), np.zeros((1, 2)))

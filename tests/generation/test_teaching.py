"""What generated pictures teach, by a classifier so simple that the answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.generation.teaching import Answers, Features, Known, Labels, Lesson, Taught, measure_teaching

LEVELS = np.array([40, 120, 200])


def draw(labels: Labels, seed: int) -> NDArray[np.uint8]:
    """Grey pictures ``[N, 4, 4, 1]``, each of its class's level, give or take a little."""
    noise = np.random.default_rng(seed).normal(0, 10, (len(labels), 4, 4, 1))
    return np.clip(LEVELS[labels][:, None, None, None] + noise, 0, 255).astype(np.uint8)


def see(pictures: NDArray[np.uint8]) -> Features:
    return pictures.reshape(len(pictures), -1).astype(np.float32)


def nearest_mean(features: Features, labels: Labels) -> Answers:
    means = np.stack([features[labels == number].mean(axis=0) for number in range(len(LEVELS))])

    def answer(others: Features) -> Labels:
        return np.asarray(((others[:, None] - means) ** 2).sum(axis=2).argmin(axis=1), np.int64)

    return answer


def known(labels: Labels, seed: int) -> Known:
    return Known(see(draw(np.maximum(labels, 0), seed)), labels)


def teach(shift: int) -> Taught:
    """A lesson by a generator that makes pictures of the class ``shift`` places on; of three classes one is rarer."""
    learned = np.repeat([0, 1, 2], [20, 20, 20])
    tested = np.repeat([0, 1, 2, -1], [40, 40, 20, 30])

    def generate(labels: Labels, seeds: Sequence[int]) -> NDArray[np.uint8]:
        assert len(labels) == len(seeds) == len(set(seeds))
        return draw((labels + shift) % 3, seeds[0])

    lesson = Lesson(("a", "b", "c"), learned, tested, 500, generate, nearest_mean)
    taught = measure_teaching(
        lesson, known(learned, 1), known(tested, 2), see, space="pixels", real="test", seed=0
    )
    assert taught is not None
    return taught


def test_a_perfect_generator_teaches_as_much_as_real_pictures() -> None:
    taught = teach(shift=0)
    assert taught.name == "train_on_generated_pixels_60_test"
    assert (taught.generated.value, taught.real.value) == (1.0, 1.0)
    assert (taught.learned, taught.tested, taught.seeds) == (60, 100, "500-559"), (
        "what is of no class is left out"
    )
    assert taught.chance == pytest.approx(0.4)


def test_a_handful_of_pictures_is_no_lesson() -> None:
    few = np.repeat([0, 1, -1], [4, 5, 30])
    lesson = Lesson(("a", "b", "c"), few, few, 500, lambda labels, _: draw(labels, 0), nearest_mean)
    assert (
        measure_teaching(lesson, known(few, 1), known(few, 2), see, space="pixels", real="test", seed=0)
        is None
    )


def test_one_that_mixes_up_its_classes_teaches_nothing() -> None:
    taught = teach(shift=1)
    assert taught.generated.value == 0.0
    assert taught.real.value == 1.0, "and does no harm to the baseline"

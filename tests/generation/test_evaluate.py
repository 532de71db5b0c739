"""Generators that are real pictures, copies or noise get the scores that these deserve."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.errors import DatasetError
from huanjing.generation.evaluate import GeneratorEvaluation, evaluate_generator
from huanjing.generation.features import Advance, FeatureSpace, Pictures, opaque

COUNT = 150


def compute(pictures: Pictures, advance: Advance) -> NDArray[np.float32]:
    """Features that need no network: the pictures at a quarter of their size."""
    advance(len(pictures))
    grey = pictures.mean(axis=3, dtype=np.float32)
    return grey.reshape(len(pictures), 7, 4, 7, 4).mean(axis=(2, 4)).reshape(len(pictures), -1)


SPACE = FeatureSpace("quarter", "quarter", "四分之一", compute)


@pytest.fixture(scope="module")
def clothing() -> tuple[Pictures, Pictures, Pictures]:
    """1,200 to train with; 400 and 400 others, which are held out."""
    random = np.random.default_rng(0)
    parts = [prepare_pictures(clothing_folder() / part, (28, 28), 1).array for part in ("train", "test")]
    train, test = (part[random.permutation(len(part))] for part in parts)
    return train[:1200], test[:400], test[400:800]


def evaluate(
    made: Pictures, train: Pictures, test: Pictures | None, count: int = COUNT
) -> GeneratorEvaluation:
    evaluation, compared = evaluate_generator(
        "planted", lambda wanted: made[:wanted], train, test, SPACE, count=count
    )
    assert len(compared.generated) == len(compared.real) == evaluation.pictures
    return evaluation


def codes(evaluation: GeneratorEvaluation) -> set[str]:
    return {remark.code for remark in evaluation.remarks}


def test_real_pictures_score_as_their_baseline_does(clothing: tuple[Pictures, Pictures, Pictures]) -> None:
    train, test, others = clothing
    evaluation = evaluate(others, train, test)
    assert codes(evaluation) == {"few_pictures"}
    for row in evaluation.rows:
        assert row.name == f"{row.metric}_quarter_150_test"
        noise_apart = abs(row.noise.value - row.real.value)
        assert abs(row.generated.value - row.real.value) < max(0.12, 0.02 * noise_apart), row.metric


def test_noise_as_a_generator_scores_as_noise(clothing: tuple[Pictures, Pictures, Pictures]) -> None:
    train, test, _ = clothing
    noise = np.random.default_rng(5).integers(0, 256, (COUNT, 28, 28, 1), np.uint8)
    for row in evaluate(noise, train, test).rows:
        assert row.generated.value == pytest.approx(row.noise.value, rel=0.1, abs=0.05)
        assert (row.generated.value < row.real.value) == row.higher_is_better


@pytest.mark.parametrize("held_out", [True, False])
def test_a_generator_that_returns_training_pictures_is_told_of(
    clothing: tuple[Pictures, Pictures, Pictures], held_out: bool
) -> None:
    train, test, _ = clothing
    noise = np.random.default_rng(1).normal(0, 6, (400, 28, 28, 1))
    copies = np.clip(train[300:700] + noise, 0, 255).astype(np.uint8)
    evaluation = evaluate(copies, train, test if held_out else None)
    assert {"copying_features", "copying_pixels"} <= codes(evaluation)
    assert ("nothing_held_out" in codes(evaluation)) != held_out
    assert evaluation.real == ("test" if held_out else "train")
    assert evaluation.to_dict()["copying"]["pixels"]["suspicious"] is True


def test_noise_with_a_high_precision_is_told_of(clothing: tuple[Pictures, Pictures, Pictures]) -> None:
    """One odd picture among the real ones, far from all others, takes noise into its ball."""
    train, test, others = clothing
    test = test[:COUNT].copy()
    test[0] = np.random.default_rng(2).integers(0, 256, (28, 28, 1))
    assert "precision_misleads" in codes(evaluate(others, train, test))


def test_the_same_seed_gives_the_same_figures(clothing: tuple[Pictures, Pictures, Pictures]) -> None:
    train, test, others = clothing
    assert evaluate(others, train, test, 30).to_dict() == evaluate(others, train, test, 30).to_dict()


def test_too_few_pictures_are_refused(clothing: tuple[Pictures, Pictures, Pictures]) -> None:
    train, test, others = clothing
    with pytest.raises(DatasetError, match="at least 10 of each"):
        evaluate(others, train, test[:9])
    with pytest.raises(DatasetError, match="20 where none is held out"):
        evaluate(others, train[:19], None)


def test_transparency_is_seen_on_white() -> None:
    picture = np.array([[[[200, 100, 0, 255], [200, 100, 0, 0]]]], np.uint8)
    np.testing.assert_array_equal(opaque(picture), [[[[200, 100, 0], [255, 255, 255]]]])
    grey = np.zeros((1, 2, 2, 1), np.uint8)
    assert opaque(grey) is grey

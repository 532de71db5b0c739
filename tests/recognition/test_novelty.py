"""Learning what is known, where its edge is, and how well other things are told from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huanjing.recognition.novelty import auroc, fit_known, fit_novelty, measure_detection, passing
from huanjing.runtime.novelty import NoveltyScore

WIDTH, CLASSES = 40, 4


def clouds(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Four classes, long in the same two directions: features ``[count, 40]`` and labels."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    shape = np.full(WIDTH, 0.3)
    shape[:2] = 3.0
    centres = np.zeros((CLASSES, WIDTH))
    centres[:, 2:6] = 4 * np.eye(CLASSES)
    return (centres[labels] + draw.normal(size=(count, WIDTH)) * shape).astype(np.float32), labels


def test_the_shape_that_classes_share_is_found() -> None:
    known = fit_known(*clouds(2000, 0))
    np.testing.assert_allclose(known.means[:, 2:6], 4 * np.eye(CLASSES), atol=0.1)
    assert np.sort(known.variances)[-2:] == pytest.approx([9, 9], rel=0.15)
    assert known.rest == pytest.approx(0.09, rel=0.2)
    np.testing.assert_allclose(
        known.directions.T @ known.directions, np.eye(known.directions.shape[1]), atol=1e-5
    )


def test_the_threshold_lets_the_stated_share_of_known_pictures_pass() -> None:
    """As many as stated of pictures that neither fitting nor calibrating saw."""
    fitted = fit_novelty(*clouds(2000, 0), clouds(1000, 1)[0])
    score = NoveltyScore(fitted.known, fitted.told.centre, fitted.told.scale)
    novelty = score.of(clouds(4000, 2)[0])
    assert (novelty <= 1).mean() == pytest.approx(0.95, abs=0.02)
    assert np.median(novelty) == pytest.approx(0, abs=0.1)
    assert fitted.told.pictures == 1000


def test_far_along_the_common_shape_is_near_and_elsewhere_is_novel() -> None:
    fitted = fit_novelty(*clouds(2000, 0), clouds(1000, 1)[0])
    score = NoveltyScore(fitted.known, fitted.told.centre, fitted.told.scale)
    usual, between = np.zeros((2, WIDTH), np.float32)
    usual[[0, 2]] = 6, 4
    between[2:6] = 2
    assert score.of(usual[None])[0] < 1 < score.of(between[None])[0]


def test_a_class_of_two_and_features_that_never_change_do_no_harm() -> None:
    features, labels = clouds(60, 0)
    features[:, 10:] = 0
    keep = np.concatenate([np.flatnonzero(labels != 3), np.flatnonzero(labels == 3)[:2]])
    fitted = fit_novelty(features[keep], labels[keep], clouds(12, 1)[0])
    assert np.isfinite(fitted.known.distance(features)).all()
    alike = fit_novelty(np.ones((6, 5), np.float32), np.arange(6) % 2, np.ones((3, 5), np.float32))
    assert np.isfinite(alike.known.distance(np.ones((2, 5), np.float32))).all()


def test_what_is_stored_is_small(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(300, 1280)).astype(np.float32)
    fitted = fit_novelty(features, np.arange(300) % 10, features[:50])
    fitted.save(tmp_path)
    assert (tmp_path / "novelty.npz").stat().st_size < 250_000


def test_figures_by_hand() -> None:
    known, unlike = np.array([0.1, 0.2, 0.3, 1.2]), np.array([0.3, 2.0, 3.0])
    assert auroc(known, unlike) == pytest.approx((2.5 + 4 + 4) / 12)
    assert passing(known, unlike, 0.75) == pytest.approx(1 / 3)
    found = measure_detection(known, unlike)
    assert found.known_refused.value == 0.25
    assert found.unlike_refused.value == pytest.approx(2 / 3)
    assert found.auroc.low <= found.auroc.value <= found.auroc.high
    assert auroc(unlike, unlike) == 0.5

from __future__ import annotations

import numpy as np
import pytest

from huanjing.recognition.calibration import (
    expected_calibration_error,
    fit_temperature,
    log_softmax,
    negative_log_likelihood,
    reliability,
)
from huanjing.recognition.head import _Problem, choose_head, cross_validate, fit_head

CLASSES, FEATURES = 4, 30


def clouds(count: int, seed: int, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Points around a centre for each class, features of very different scales and offsets."""
    centres = np.random.default_rng(99).normal(size=(CLASSES, FEATURES))
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, CLASSES, count)
    points = centres[labels] + spread * draw.normal(size=(count, FEATURES))
    return (points * np.geomspace(0.01, 100, FEATURES) + 5).astype(np.float32), labels


def test_it_separates_what_can_be_separated() -> None:
    validation, test = clouds(200, 2), clouds(1000, 3)
    head = choose_head(*clouds(300, 1), validation, np.ones(CLASSES))
    assert head.kernel.shape == (CLASSES, FEATURES)
    assert (head.logits(test[0]).argmax(axis=1) == test[1]).mean() > 0.9


def test_the_gradient_is_that_of_the_loss() -> None:
    features, labels = clouds(50, 1)
    problem = _Problem(features, labels, np.array([1.0, 2.0, 0.5, 1.0]))
    problem.standardised = problem.standardised.astype(np.float64)  # type: ignore[assignment]
    draw = np.random.default_rng(0)
    vector, direction = draw.normal(size=(2, CLASSES * (FEATURES + 1))) * 0.1
    _, slope = problem.loss(vector, 0.1)
    step = 1e-3
    higher, lower = (problem.loss(vector + sign * step * direction, 0.1)[0] for sign in (1, -1))
    assert (higher - lower) / (2 * step) == pytest.approx(float(slope @ direction), rel=1e-3)


def test_at_the_end_the_gradient_is_small_and_the_folded_layer_is_the_same() -> None:
    features, labels = clouds(300, 1)
    problem = _Problem(features, labels, np.ones(CLASSES))
    vector = problem.solve(0.1, None)
    assert np.abs(problem.loss(vector, 0.1)[1]).max() < 1e-3
    head = problem.head(vector, 0.1)
    kernel, bias = vector[:-CLASSES].reshape(CLASSES, -1), vector[-CLASSES:]
    np.testing.assert_allclose(head.logits(features), problem.standardised @ kernel.T + bias, atol=2e-3)


def test_a_feature_that_never_changes_is_ignored() -> None:
    features, labels = clouds(200, 1)
    features[:, 3] = 7.0
    head = fit_head(features, labels, np.ones(CLASSES), 0.1)
    assert np.isfinite(head.kernel).all()
    assert np.abs(head.kernel[:, 3]).max() < 1e-3


def test_noise_is_regularised_more_than_what_is_plain() -> None:
    draw = np.random.default_rng(5)
    noise = draw.normal(size=(200, FEATURES)).astype(np.float32), draw.integers(0, CLASSES, 200)
    other = draw.normal(size=(200, FEATURES)).astype(np.float32), draw.integers(0, CLASSES, 200)
    plain = choose_head(*clouds(300, 1, 0.3), clouds(200, 2, 0.3), np.ones(CLASSES))
    assert choose_head(*noise, other, np.ones(CLASSES)).regularisation > plain.regularisation


def test_weights_of_classes_change_what_a_rare_class_gets() -> None:
    features, labels = clouds(400, 1, 4.0)
    rare = labels != 0
    rare[np.flatnonzero(labels == 0)[:8]] = True
    features, labels = features[rare], labels[rare]
    counts = np.bincount(labels, minlength=CLASSES)
    test = clouds(1000, 3, 4.0)

    def recall(weights: np.ndarray) -> float:
        predicted = fit_head(features, labels, weights, 0.3).logits(test[0]).argmax(axis=1)
        return float((predicted[test[1] == 0] == 0).mean())

    assert recall(counts.sum() / (CLASSES * counts)) > recall(np.ones(CLASSES)) + 0.1


def test_the_temperature_undoes_what_made_the_logits_too_sure() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(5000, 5)) * 2
    cumulated = np.exp(log_softmax(logits)).cumsum(axis=1)
    labels = (draw.random((5000, 1)) > cumulated).sum(axis=1).clip(0, 4)
    assert fit_temperature(logits, labels) == pytest.approx(1.0, abs=0.06)
    assert fit_temperature(3 * logits, labels) == pytest.approx(3.0, abs=0.2)
    probabilities = np.exp(log_softmax(logits))
    assert expected_calibration_error(reliability(probabilities, labels)) < 0.025
    sure = np.exp(log_softmax(3 * logits))
    assert expected_calibration_error(reliability(sure, labels)) > 0.1
    assert negative_log_likelihood(logits, labels) < negative_log_likelihood(3 * logits, labels)


def test_reliability_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.85, 0.15], [0.4, 0.6], [0.5, 0.5]])
    bins = reliability(probabilities, np.array([0, 1, 1, 0]), bins=2)
    assert [one.count for one in bins] == [1, 3]
    assert (bins[1].accuracy, bins[1].confidence) == pytest.approx((2 / 3, 2.35 / 3))
    error = 1 / 4 * 0.5 + 3 / 4 * (2.35 / 3 - 2 / 3)
    assert expected_calibration_error(bins) == pytest.approx(error)


def test_few_pictures_move_the_temperature_little() -> None:
    logits = 4 * np.random.default_rng(0).normal(size=(4000, 5))
    right = logits.argmax(axis=1)
    assert fit_temperature(logits, right) < 0.2, "whoever is right 4,000 times may be sure"
    assert fit_temperature(logits[:8], right[:8]) > 0.4, "whoever is right 8 times may be lucky"
    assert fit_temperature(logits[:1], (right[:1] + 1) % 5) < 4, "one mistake is no proof either"


def test_cross_validation_answers_as_for_pictures_that_were_not_learned() -> None:
    features, labels = clouds(160, 1, 3.0)
    views = np.stack([features, features + 0.01], axis=1)
    fold = np.arange(160) % 5
    regularisation, logits = cross_validate(views, labels, fold, np.ones(CLASSES))
    test = clouds(2000, 3, 3.0)
    head = fit_head(features, labels, np.ones(CLASSES), regularisation)
    held_out = float((logits.argmax(axis=1) == labels).mean())
    assert held_out == pytest.approx(float((head.logits(test[0]).argmax(axis=1) == test[1]).mean()), abs=0.1)
    learned = float((head.logits(features).argmax(axis=1) == labels).mean())
    assert held_out < learned
    others = fit_head(
        views[fold != 2].reshape(-1, FEATURES),
        np.repeat(labels[fold != 2], 2),
        np.ones(CLASSES),
        regularisation,
    )
    difference = np.abs(logits[fold == 2] - others.logits(features[fold == 2])).max()
    assert difference < 0.2 * np.abs(logits).max(), "the fold was answered for by a head of the others"


def test_pictures_of_no_fold_are_learned_from_and_not_answered_for() -> None:
    features, labels = clouds(160, 1, 3.0)
    strange, wrong = clouds(160, 2, 3.0)
    views = np.concatenate([features, strange])[:, None]
    fold = np.concatenate([np.arange(160) % 5, np.full(160, -1)])
    _, alone = cross_validate(features[:, None], labels, fold[:160], np.ones(CLASSES))
    _, misled = cross_validate(views, np.concatenate([labels, (wrong + 1) % CLASSES]), fold, np.ones(CLASSES))
    assert misled.shape == alone.shape
    right = [float((logits.argmax(axis=1) == labels).mean()) for logits in (alone, misled)]
    assert right[1] < right[0], "wrong labels mislead"

"""A classifier on frozen features: multinomial logistic regression, fitted in seconds.

With standardised features z = (x - μ) / σ, weights W and biases b it minimises

    Σ w_c(i) (-log softmax(W z_i + b)[c(i)]) / Σ w_c(i) + λ/2 ‖W‖²

by L-BFGS (Liu and Nocedal, 1989), from strong regularisation to weak, each fit starting from the one before. The λ
with the smallest loss on validation pictures is taken. The result is a plain dense layer: standardisation is folded
into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import MissingExtraError
from huanjing.recognition.calibration import log_softmax, negative_log_likelihood

if TYPE_CHECKING:
    from collections.abc import Sequence

REGULARISATIONS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
ITERATIONS = 200
LOSS_TOLERANCE, SLOPE_TOLERANCE = 1e-6, 1e-4
"""Measured: with tighter ones the fit takes twice as long and no accuracy changes by more than one picture of 2,000."""
ONE_THREAD = 5_000_000
"""Features, over all pictures, below which one thread is fastest: with two, 800 pictures took ten times as long."""
PATIENCE = 2
"""Weaker regularisations that are tried after the best so far."""

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Head:
    """A dense layer on features: logits = x kernelᵀ + bias."""

    kernel: Floats
    """``[classes, features]``."""
    bias: Floats
    """``[classes]``."""
    regularisation: float
    """λ."""

    def logits(self, features: Floats) -> Floats:
        """``[N, features]`` → ``[N, classes]``."""
        return np.asarray(features @ self.kernel.T + self.bias, np.float32)


def choose_head(
    features: Floats,
    labels: Labels,
    validation: tuple[Floats, Labels],
    weights: NDArray[np.float64],
    regularisations: Sequence[float] = REGULARISATIONS,
) -> Head:
    """Fit a head for each λ and keep the one with the smallest loss on validation pictures.

    :param features: ``[N, features]``.
    :param validation: features ``[M, features]`` and labels ``[M]`` of other pictures.
    :param weights: a weight for each class, ``[classes]``.
    """
    best: Head | None = None
    best_loss = np.inf
    worse = 0
    start: NDArray[np.float64] | None = None
    problem = _Problem(features, labels, weights)
    for regularisation in regularisations:
        start = problem.solve(regularisation, start)
        head = problem.head(start, regularisation)
        loss = negative_log_likelihood(head.logits(validation[0]), validation[1])
        if loss < best_loss:
            best, best_loss, worse = head, loss, 0
        else:
            worse += 1
            if worse == PATIENCE:
                break
    assert best is not None
    return best


def fit_head(features: Floats, labels: Labels, weights: NDArray[np.float64], regularisation: float) -> Head:
    """Fit a head with a known λ."""
    problem = _Problem(features, labels, weights)
    return problem.head(problem.solve(regularisation, None), regularisation)


def cross_validate(
    views: Floats,
    labels: Labels,
    fold: Labels,
    weights: NDArray[np.float64],
    regularisations: Sequence[float] = REGULARISATIONS,
) -> tuple[float, Floats]:
    """The λ with the smallest loss where each picture is answered for by a head fitted on the other folds.

    :param views: ``[N, views, features]``: several views of each picture to learn from; the first is answered for.
    :param fold: ``[N]``, 0 to folds - 1; pictures of fold -1 are learned from in every fold and answered for in none.
    :returns: λ, and those answers: logits ``[answered, classes]``, in the order of the pictures.
    """
    count = views.shape[1]
    parts = [
        (np.flatnonzero(fold != number), np.flatnonzero(fold == number))
        for number in np.unique(fold[fold >= 0])
    ]
    problems = [
        _Problem(views[learned].reshape(len(learned) * count, -1), np.repeat(labels[learned], count), weights)
        for learned, _ in parts
    ]
    starts: list[NDArray[np.float64] | None] = [None] * len(parts)
    best, best_loss, worse = (regularisations[0], np.empty((0, 0), np.float32)), np.inf, 0
    for regularisation in regularisations:
        logits = np.empty((len(labels), len(weights)), np.float32)
        for number, (problem, (_, held_out)) in enumerate(zip(problems, parts, strict=True)):
            starts[number] = vector = problem.solve(regularisation, starts[number])
            logits[held_out] = problem.head(vector, regularisation).logits(views[held_out, 0])
        loss = negative_log_likelihood(logits[fold >= 0], labels[fold >= 0])
        if loss < best_loss:
            best, best_loss, worse = (regularisation, logits[fold >= 0]), loss, 0
        else:
            worse += 1
            if worse == PATIENCE:
                break
    return best


class _Problem:
    """The loss and its gradient over one vector: W row by row, then b."""

    def __init__(self, features: Floats, labels: Labels, weights: NDArray[np.float64]) -> None:
        self.mean = features.mean(axis=0, dtype=np.float64)
        spread = features.std(axis=0, dtype=np.float64)
        # A feature that is the same in all pictures says nothing, and must not be blown up on others.
        self.spread = np.maximum(spread, 1e-3 * max(float(spread.mean()), 1e-12))
        self.standardised = np.asarray((features - self.mean) / self.spread, np.float32)
        self.labels = labels
        self.share = weights[labels] / weights[labels].sum()
        self.classes = len(weights)

    def solve(self, regularisation: float, start: NDArray[np.float64] | None) -> NDArray[np.float64]:
        try:
            from scipy.optimize import minimize
            from threadpoolctl import threadpool_limits
        except ModuleNotFoundError:
            raise MissingExtraError("Training", "train") from None

        if start is None:
            start = np.zeros(self.classes * (self.standardised.shape[1] + 1))
        # In small products several threads wait for each other longer than they compute.
        with threadpool_limits(1 if self.standardised.size < ONE_THREAD else None, "blas"):
            found = minimize(
                self.loss,
                start,
                args=(regularisation,),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": ITERATIONS, "ftol": LOSS_TOLERANCE, "gtol": SLOPE_TOLERANCE},
            )
        return np.asarray(found.x, np.float64)

    def loss(self, vector: NDArray[np.float64], regularisation: float) -> tuple[float, NDArray[np.float64]]:
        """The loss at ``vector``, and its gradient."""
        kernel, bias = self._parts(vector)
        logarithms = log_softmax(self.standardised @ kernel.T.astype(np.float32) + bias.astype(np.float32))
        rows = np.arange(len(self.labels))
        loss = -float(self.share @ logarithms[rows, self.labels])
        slope = np.exp(logarithms)
        slope[rows, self.labels] -= 1.0
        slope *= self.share[:, None]
        by_kernel = slope.T.astype(np.float32) @ self.standardised + regularisation * kernel
        loss += 0.5 * regularisation * float((kernel * kernel).sum())
        return loss, np.concatenate([by_kernel.ravel().astype(np.float64), slope.sum(axis=0)])

    def head(self, vector: NDArray[np.float64], regularisation: float) -> Head:
        kernel, bias = self._parts(vector)
        folded = kernel / self.spread
        return Head(folded.astype(np.float32), (bias - folded @ self.mean).astype(np.float32), regularisation)

    def _parts(self, vector: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return vector[: -self.classes].reshape(self.classes, -1), vector[-self.classes :]

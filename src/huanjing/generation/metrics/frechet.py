"""The Fréchet distance between two sets of pictures, as Gaussians in the features of a network.

Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium" (NeurIPS 2017).
The number belongs to the network whose features are compared and to how many pictures there are: with few
pictures it comes out too high, so only distances between equally many compare, and a baseline needs the same
counts. With the embedded recogniser's features it is not comparable with published scores, which use another
network.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from huanjing.generation.metrics.distances import Features, checked
from huanjing.generation.metrics.intervals import Score, percentile_score, resampled_means


def frechet_distance(features_a: Features, features_b: Features) -> float:
    """d² = ‖μ_a - μ_b‖² + tr Σ_a + tr Σ_b - 2 tr (Σ_a Σ_b)^½ of two sets of features ``[N, F]`` and ``[M, F]``.

    With A and B the centred features over √(N-1) and √(M-1), Σ_a = AᵀA and Σ_b = BᵀB, and the last trace is the
    nuclear norm of A Bᵀ: the sum of its singular values. So no square root of a covariance is taken, which is
    where rank-deficient ones (fewer pictures than features) go wrong; and d² cannot come out below zero but
    by rounding. Where there are more pictures than features, A and B are first replaced by triangular factors.

    :raises ValueError: for sets of fewer than two, of different widths, or that are not finite.
    """
    a, b = checked(features_a, features_b)
    factor_a, factor_b = _factor(a), _factor(b)
    common = float(np.sum(scipy.linalg.svdvals(factor_a @ factor_b.T, check_finite=False)))
    return _distance(a, b, factor_a, factor_b, common)


def frechet_score(features_a: Features, features_b: Features, seed: int = 0) -> Score:
    """The Fréchet distance with a bootstrap interval of its linearisation.

    Resampling the distance itself would answer wrongly (a picture drawn twice makes the covariances narrower,
    and every resample lies above the distance) and slowly. So the distance is linearised at the two sets: each
    picture x of a has the influence 2 (μ_a - μ_b)·(x - μ_a) + ‖x - μ_a‖² - (x - μ_a)ᵀ T (x - μ_a), where T, the
    optimal transport map between the Gaussians, makes up the derivative of the last trace; its means are what is
    resampled. With A = QR and the singular values S and vectors U of R_a R_bᵀ, the last term is
    (N-1) qᵀ U S Uᵀ q for the picture's row q of Q: no covariance is inverted. What the interval does not hold is
    the bias of small sets.

    :raises ValueError: as :func:`frechet_distance`.
    """
    a, b = checked(features_a, features_b)
    (rows_a, factor_a), (rows_b, factor_b) = _rows_and_factor(a), _rows_and_factor(b)
    left, singular, right = scipy.linalg.svd(factor_a @ factor_b.T, full_matrices=False, check_finite=False)
    apart = a.mean(axis=0) - b.mean(axis=0)
    transported_a = (len(a) - 1) * ((rows_a @ left) ** 2 @ singular)
    transported_b = (len(b) - 1) * ((rows_b @ right.T) ** 2 @ singular)
    value = _distance(a, b, factor_a, factor_b, float(singular.sum()))
    moved_a = resampled_means(_influence(a, apart, transported_a), seed)
    moved_b = resampled_means(_influence(b, -apart, transported_b), seed + 1)
    score = percentile_score(value, value + moved_a + moved_b)
    return Score(value, max(0.0, score.low), score.high)


def _distance(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    factor_a: NDArray[np.float64],
    factor_b: NDArray[np.float64],
    common: float,
) -> float:
    apart = float(np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2))
    traces = float(np.sum(factor_a**2) + np.sum(factor_b**2))
    return max(0.0, apart + traces - 2.0 * common)


def _influence(
    x: NDArray[np.float64], apart: NDArray[np.float64], transported: NDArray[np.float64]
) -> NDArray[np.float64]:
    centred = x - x.mean(axis=0)
    influence: NDArray[np.float64] = (
        2.0 * centred @ apart + np.einsum("ij,ij->i", centred, centred) - transported
    )
    influence -= influence.mean()
    return influence


def _factor(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """R with RᵀR the covariance of ``features``: at most as many rows as columns."""
    centred: NDArray[np.float64] = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    if len(centred) <= centred.shape[1]:
        return centred
    triangular = scipy.linalg.qr(centred, mode="r", check_finite=False)[0]
    factor: NDArray[np.float64] = np.array(triangular[: centred.shape[1]], np.float64)
    return factor


def _rows_and_factor(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Q and R with QR the centred ``features`` over √(N-1), the columns of Q orthonormal."""
    centred: NDArray[np.float64] = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    if len(centred) <= centred.shape[1]:
        return np.eye(len(centred)), centred
    rows, factor = scipy.linalg.qr(centred, mode="economic", check_finite=False)
    return np.asarray(rows, np.float64), np.asarray(factor, np.float64)

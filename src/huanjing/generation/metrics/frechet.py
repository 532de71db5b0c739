"""The Fréchet distance between two sets of pictures, as Gaussians in the features of a network.

Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium" (NeurIPS 2017).
The number belongs to the network whose features are compared and to how many pictures there are: with the
embedded recogniser's features it is not comparable with published scores, which use another network.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

FRECHET_PROTOCOL = (
    "Fréchet distance of Gaussians fitted to the pooled features of the embedded recogniser "
    "(EfficientNet-Lite0, 1,280 features), generated against real pictures; lower is better; "
    "not comparable with scores on Inception features"
)


def frechet_name(pictures: int, real: str = "test") -> str:
    """The metric's name with its protocol: ``frechet_lite0_2k_test`` is 2,000 against test pictures."""
    count = f"{pictures // 1000}k" if pictures % 1000 == 0 and pictures else str(pictures)
    return f"frechet_lite0_{count}_{real}"


def frechet_distance(features_a: NDArray[np.floating], features_b: NDArray[np.floating]) -> float:
    """d² = ‖μ_a - μ_b‖² + tr Σ_a + tr Σ_b - 2 tr (Σ_a Σ_b)^½ of two sets of features ``[N, F]`` and ``[M, F]``.

    With A and B the centred features over √(N-1) and √(M-1), Σ_a = AᵀA and Σ_b = BᵀB, and the last trace is the
    nuclear norm of A Bᵀ: the sum of its singular values. So no square root of a covariance is taken, which is
    where rank-deficient ones (fewer pictures than features) go wrong; and d² cannot come out below zero but
    by rounding. Where there are more pictures than features, A and B are first replaced by triangular factors.

    :raises ValueError: for sets of fewer than two, of different widths, or that are not finite.
    """
    a, b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"two sets of at least two rows of features of one width are needed, got {a.shape}, {b.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features must be finite numbers")
    factor_a, factor_b = _factor(a), _factor(b)
    apart = float(np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2))
    traces = float(np.sum(factor_a**2) + np.sum(factor_b**2))
    common = float(np.sum(scipy.linalg.svdvals(factor_a @ factor_b.T, check_finite=False)))
    return max(0.0, apart + traces - 2.0 * common)


def _factor(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """R with RᵀR the covariance of ``features``: at most as many rows as columns."""
    centred: NDArray[np.float64] = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    if len(centred) <= centred.shape[1]:
        return centred
    # With fewer features than rows the triangle is padded with rows of zeros, which add nothing.
    triangular = scipy.linalg.qr(centred, mode="r", check_finite=False)[0]
    factor: NDArray[np.float64] = np.array(triangular[: centred.shape[1]], np.float64)
    return factor

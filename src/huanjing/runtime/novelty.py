"""How unlike all that a recogniser was taught a picture is, from the features that the same inference gives.

Features are brought to length 1 (Müller and Hein, "Mahalanobis++", ICML 2025). Known classes are taken for clouds of
one common shape around their means. The squared Mahalanobis distance to the nearest mean (Lee et al., "A simple unified
framework for detecting out-of-distribution samples and adversarial attacks", NeurIPS 2018) is the raw score,

    d²(x) = min over c of (x - μ_c)ᵀ Σ⁻¹ (x - μ_c),

with Σ = U diag(λ) Uᵀ over the directions U of largest variance and σ² in every other one (Tipping and Bishop,
"Probabilistic principal component analysis", 1999), which is a shrunk covariance that takes kilobytes. A picture's
novelty is log d², moved and scaled by two numbers from validation pictures: 0 is the usual picture, 1 the threshold.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
from huanjing.bundle.manifest import NOVELTY
from huanjing.errors import BundleError, UsageError

METHOD = "mahalanobis"
"""What the manifest calls it."""

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class KnownFeatures:
    """What the features of known pictures, each of length 1, are like."""

    means: Floats
    """μ, ``[classes, features]``."""
    directions: Floats
    """U, ``[features, k]``, orthonormal columns."""
    variances: Floats
    """λ, ``[k]``."""
    rest: float
    """σ²."""

    def distance(self, features: Floats) -> Reals:
        """Log d² ``[N]`` of features ``[N, features]``."""
        x, means = unit(features), np.asarray(self.means, np.float64)
        squares = (x * x).sum(axis=1)[:, None] - 2.0 * x @ means.T + (means * means).sum(axis=1)
        directions = np.asarray(self.directions, np.float64)
        along = (x @ directions)[:, None, :] - (means @ directions)[None]
        weights = 1.0 / np.asarray(self.variances, np.float64) - 1.0 / self.rest
        distances = squares / self.rest + (along * along) @ weights
        return np.asarray(np.log(np.maximum(distances.min(axis=1), 1e-12)), np.float64)


@dataclass(frozen=True)
class NoveltyScore:
    """Says how novel pictures are to one bundle."""

    known: KnownFeatures
    centre: float
    scale: float

    def of(self, features: Floats) -> Reals:
        """Novelty ``[N]`` of features ``[N, features]``: above 1 is unknown."""
        return np.asarray((self.known.distance(features) - self.centre) / self.scale, np.float64)


def unit(features: NDArray[np.floating]) -> Reals:
    """Features ``[N, features]``, each at length 1."""
    wide = np.asarray(features, np.float64)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12), np.float64)


def load_novelty(bundle: Bundle) -> NoveltyScore:
    """What ``bundle`` stores of the pictures that it knows.

    :raises UsageError: where it stores nothing.
    :raises BundleError: where what it stores cannot be used.
    """
    told = bundle.manifest.novelty
    if told is None:
        raise UsageError(
            f"{bundle.manifest.name} cannot tell what it was not taught: recognisers trained by this version can. "
            "Train one with huanjing train recognizer, or give --threshold a number from 0 to 1."
        )
    if told.method != METHOD:
        raise BundleError(
            f"{bundle.folder}: tells the unknown by {told.method!r}, which this version does not know. "
            "Upgrade with: pip install --upgrade huanjing"
        )
    try:
        with np.load(bundle.folder / NOVELTY, allow_pickle=False) as file:
            means, directions, variances, rest = (
                np.asarray(file[name], np.float32) for name in ("means", "directions", "variances", "rest")
            )
    except (OSError, KeyError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise BundleError(f"{bundle.folder}: {NOVELTY} cannot be read: {error}") from None
    shapes = means.shape, directions.shape, variances.shape, rest.shape
    fitting = means.ndim == 2 and shapes[1:] == ((means.shape[1], len(variances)), (len(variances),), (1,))
    sound = all(np.isfinite(array).all() for array in (means, directions, variances, rest))
    if not fitting or not sound or (variances <= 0).any() or rest[0] <= 0:
        raise BundleError(f"{bundle.folder}: the numbers in {NOVELTY} do not fit together, or are not finite")
    return NoveltyScore(KnownFeatures(means, directions, variances, float(rest[0])), told.centre, told.scale)

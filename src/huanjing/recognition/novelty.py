"""Teaching a recogniser to tell what it was not taught: fitting, calibrating, and measuring how well it can.

What is stored and how it is scored is in :mod:`huanjing.runtime.novelty`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle.manifest import NOVELTY, Novelty
from huanjing.errors import MissingExtraError, PictureError
from huanjing.recognition.dataset import LabelledPictures, Part
from huanjing.recognition.shares import Share, wilson
from huanjing.runtime import Recognizer
from huanjing.runtime.novelty import METHOD, KnownFeatures, unit

DIRECTIONS = 64
"""Directions whose variance is stored; see docs/en/unknown.md for how few and many compare."""
SHARE = 0.95
"""Of known pictures, those that are to pass."""
PICTURES = 4000
"""Pictures that the statistics are taken of at most, and half as many that calibrate them: more change little."""
RESAMPLES = 1000

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]
FeaturesOf = Callable[[Part, int], tuple[Floats, NDArray[np.int64]]]
"""Gives features ``[N, features]`` and labels ``[N]`` of a part's pictures; no more than so many are needed."""


@dataclass(frozen=True)
class FittedNovelty:
    """What a bundle stores of the pictures that it knows."""

    told: Novelty
    """For the manifest."""
    known: KnownFeatures

    def save(self, folder: Path) -> None:
        """Write the numbers into a bundle's folder."""
        known = self.known
        # The large ones in half precision.
        np.savez(
            folder / NOVELTY,
            means=known.means.astype(np.float16),
            directions=known.directions.astype(np.float16),
            variances=known.variances,
            rest=np.array([known.rest], np.float32),
        )


def fit_novelty(features: Floats, labels: NDArray[np.int64], judged: Floats) -> FittedNovelty:
    """Take the statistics of known pictures, and the threshold from others that are known too.

    :param features: ``[N, features]`` of pictures that were learned from, and their ``labels`` ``[N]``.
    :param judged: ``[M, features]`` of pictures that were not.
    """
    known = fit_known(unit(features), labels)
    # What is stored is rounded; the threshold belongs to what is stored.
    half = [array.astype(np.float16).astype(np.float32) for array in (known.means, known.directions)]
    known = KnownFeatures(half[0], half[1], known.variances, known.rest)
    distances = np.sort(known.distance(judged))
    # Of M + 1 pictures alike, the next is at or below the k-th of M with probability k / (M + 1).
    place = min(math.ceil(SHARE * (len(distances) + 1)), len(distances)) - 1
    threshold, centre = float(distances[place]), float(np.median(distances))
    scale = max(threshold - centre, 1e-6)
    return FittedNovelty(Novelty(METHOD, centre, scale, SHARE, len(distances)), known)


def fit_known(features: NDArray[np.floating], labels: NDArray[np.int64]) -> KnownFeatures:
    """Class means, and the shape that all classes share around them.

    :raises MissingExtraError: where scipy is not installed.
    """
    try:
        from scipy.sparse.linalg import svds
    except ModuleNotFoundError:
        raise MissingExtraError("Training", "train") from None
    numbers = np.unique(labels)
    means = np.stack([features[labels == number].mean(axis=0, dtype=np.float64) for number in numbers])
    within = features - means[np.searchsorted(numbers, labels)]
    count, width = within.shape
    freedom = max(1, count - len(numbers))
    total = float((within * within).sum()) / freedom
    floor = max(1e-4 * total / width, 1e-9)
    kept = min(DIRECTIONS, (min(count, width) - 1) // 2)
    if kept < 1 or total <= 0:
        return _known(means, np.zeros((width, 0)), np.zeros(0), max(total / width, floor))
    _, values, directions = svds(within, k=kept, v0=np.ones(min(within.shape)))
    variances = np.maximum(values**2 / freedom, floor)
    rest = max((total - float(variances.sum())) / (width - kept), floor)
    return _known(means, directions.T, np.maximum(variances, rest), rest)


def _known(means: Reals, directions: Reals, variances: Reals, rest: float) -> KnownFeatures:
    return KnownFeatures(
        means.astype(np.float32), directions.astype(np.float32), variances.astype(np.float32), rest
    )


def novelty_of(features: FeaturesOf) -> FittedNovelty:
    """What a recogniser is to store, from what it sees in its training and its validation pictures."""
    (learned, labels), (judged, _) = features("train", PICTURES), features("val", PICTURES // 2)
    some, others = _few(np.arange(len(learned)), PICTURES), _few(np.arange(len(judged)), PICTURES // 2)
    return fit_novelty(np.asarray(learned[some]), labels[some], np.asarray(judged[others]))


def features_by(recognizer: Recognizer, data: LabelledPictures) -> FeaturesOf:
    """For :func:`novelty_of`: features that are computed when they are asked for."""

    def features(part: Part, most: int) -> tuple[Floats, NDArray[np.int64]]:
        positions = _few(data.positions(part), most)
        rows = recognizer.features_all(data.pictures.array[position] for position in positions)
        return np.stack([row for row in rows if not isinstance(row, PictureError)]), data.labels[positions]

    return features


def _few(positions: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of them, in order; always the same ones."""
    if len(positions) <= most:
        return positions
    return np.sort(np.random.default_rng(most).choice(positions, most, replace=False))


@dataclass(frozen=True, slots=True)
class Detection:
    """How well pictures of other things are told from known ones by their novelty."""

    known: int
    unlike: int
    """Pictures of each kind."""
    auroc: Share
    """The probability that a picture of other things is more novel than a known one: bootstrap interval."""
    fpr95: Share
    """Of pictures of other things, those that pass where 95 % of the known ones do: bootstrap interval."""
    known_refused: Share
    """Of known pictures, those that ``--threshold auto`` calls unknown: Wilson interval."""
    unlike_refused: Share
    """The same of pictures of other things: the higher the better."""


def measure_detection(known: Reals, unlike: Reals) -> Detection:
    """All figures from the novelty of known pictures ``[N]`` and of others ``[M]``."""
    draw = np.random.default_rng(0)
    samples = np.empty((RESAMPLES, 2))
    for sample in samples:
        one = known[draw.integers(0, len(known), len(known))]
        other = unlike[draw.integers(0, len(unlike), len(unlike))]
        sample[:] = auroc(one, other), passing(one, other)
    low, high = np.quantile(samples, (0.025, 0.975), axis=0)
    return Detection(
        len(known),
        len(unlike),
        Share(auroc(known, unlike), float(low[0]), float(high[0])),
        Share(passing(known, unlike), float(low[1]), float(high[1])),
        wilson(int((known > 1).sum()), len(known)),
        wilson(int((unlike > 1).sum()), len(unlike)),
    )


def auroc(known: Reals, unlike: Reals) -> float:
    """The area under the ROC curve: how often an unlike picture scores above a known one, a tie counting half."""
    ordered = np.sort(known)
    below = np.searchsorted(ordered, unlike, "left") + np.searchsorted(ordered, unlike, "right")
    return float(below.mean() / (2 * len(known)))


def passing(known: Reals, unlike: Reals, share: float = SHARE) -> float:
    """Of ``unlike``, the part at or under the score that ``share`` of ``known`` do not exceed."""
    return float((unlike <= np.quantile(known, share, method="higher")).mean())

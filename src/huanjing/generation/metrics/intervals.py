"""A score and how far chance moves it: 95 % intervals by the bootstrap (Efron 1979), of shares by Wilson (1927)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value with its 95 % interval."""

    value: float
    low: float
    high: float


def mean_score(per_picture: NDArray[np.number] | NDArray[np.bool_], seed: int = 0) -> Score:
    """The mean of numbers, one for each picture, with the percentile interval of resampled means.

    Of truths it is a share, with Wilson's interval: where all are alike, resampling would find no doubt at all.
    """
    if per_picture.dtype == np.bool_:
        from scipy.stats import binomtest

        found, count = int(per_picture.sum()), len(per_picture)
        interval = binomtest(found, count).proportion_ci(1 - 2 * TAILS[0] / 100, "wilson")
        return Score(found / count, float(interval.low), float(interval.high))
    values = np.asarray(per_picture, np.float64)
    return percentile_score(float(values.mean()), resampled_means(values, seed))


def resampled_means(
    values: NDArray[np.float64], seed: int, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """The mean of ``values[N]`` in each of ``resamples`` draws of N with replacement."""
    random = np.random.default_rng(seed)
    count = len(values)
    return np.array([values[random.integers(0, count, count)].mean() for _ in range(resamples)])


def percentile_score(value: float, resampled: NDArray[np.float64]) -> Score:
    """A value with the interval that holds the middle 95 % of what resampling made of it."""
    low, high = np.percentile(resampled, TAILS)
    return Score(value, float(low), float(high))

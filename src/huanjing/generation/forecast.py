"""Where the score of a training is heading: a power law through the scores so far, and how sure it is.

Scores fall roughly as a + b · t^-c (the form in which the loss of many networks falls: Hestness et al., "Deep learning
scaling is predictable, empirically", 2017). A handful of noisy scores does not determine three numbers, so no single
curve is fitted: every curve of a grid counts with its likelihood under the scores, and a forecast is the median of
what they say, with the range that holds eight tenths. Early scores, taken before the generator has learned the
outlines, count less.

Time is counted in steps: what follows depends on the scores alone, never on the clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENOUGH = 4
"""Scores below which no forecast is made."""
HALF_LIFE = 4.0
"""A score counts half as much as one that was taken after so many times its steps."""
NOISE = 0.03
"""What two scores of the same generator differ by, and what a curve may miss by, as a part of the score; at least."""
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9

_LEVELS = np.linspace(0.0, 0.99, 34)
"""Where a curve levels out: the part of the way from the floor to the best score."""
_EXPONENTS = np.geomspace(0.05, 2.0, 40)


@dataclass(frozen=True)
class Range:
    """The median of a forecast and the range that should hold it eight times in ten; infinite is never."""

    low: float
    middle: float
    high: float

    def scaled(self, factor: float, offset: float = 0.0) -> Range:
        """Each times ``factor``, plus ``offset``, at least 0."""
        return Range(*(max(0.0, factor * value + offset) for value in (self.low, self.middle, self.high)))


class Forecast:
    """The curves that fit a run's scores.

    :param scores: each step that was scored, and its score, above 0; at least :data:`ENOUGH`.
    :param floor: what real pictures get: no curve goes below.
    """

    def __init__(self, scores: Mapping[int, float], floor: float = 0.0) -> None:
        steps = np.array(list(scores), np.float64)
        values = np.array(list(scores.values()), np.float64)
        order = np.argsort(steps)
        self._scale = float(steps.max())
        steps, values = steps[order] / self._scale, values[order]
        lowest = float(values.min())
        levels = min(floor, lowest) + _LEVELS * (lowest - min(floor, lowest))
        level, exponent = (axis.ravel() for axis in np.meshgrid(levels, _EXPONENTS))
        # Relative residuals (a + b x - y) / y are linear in b, so the best b of each curve is known at once.
        shape = steps[None, :] ** -exponent[:, None] / values
        missing = 1.0 - level[:, None] / values
        counts = steps ** (math.log(2) / math.log(HALF_LIFE))
        factor = np.maximum(0.0, (counts * shape * missing).sum(1) / (counts * shape**2).sum(1))
        errors = (counts * (factor[:, None] * shape - missing) ** 2).sum(1)
        noise = max(NOISE, math.sqrt(errors.min() / max(1.0, counts.sum() - 2.0)))
        likelihood = np.exp(-(errors - errors.min()) / (2 * noise**2))
        self._level, self._factor, self._exponent = level, factor, exponent
        self._weights: NDArray[np.float64] = likelihood / likelihood.sum()
        self._noise = noise

    def score_at(self, step: float) -> Range:
        """The score that will be taken after ``step`` steps."""
        values = self._level + self._factor * (step / self._scale) ** -self._exponent
        low, middle, high = (self._quantile(values, part) for part in (LOW, MIDDLE, HIGH))
        # The score's own noise comes on top: 1.28 standard deviations hold eight tenths.
        noise = 1.28 * self._noise * middle
        return Range(
            max(0.0, middle - math.hypot(middle - low, noise)),
            middle,
            middle + math.hypot(high - middle, noise),
        )

    def steps_to(self, score: float) -> Range:
        """The steps in all after which the curve is at ``score``; infinite where it levels out above."""
        reaches = (self._level < score) & (self._factor > 0)
        above = np.where(reaches, score - self._level, 1.0)
        with np.errstate(over="ignore"):
            steps = self._scale * (self._factor / above) ** (1.0 / self._exponent)
        # A curve without a slope is there already, or never will be.
        steps = np.where(reaches, steps, np.where(self._level < score, 0.0, np.inf))
        return Range(*(self._quantile(steps, part) for part in (LOW, MIDDLE, HIGH)))

    def _quantile(self, values: NDArray[np.float64], part: float) -> float:
        order = np.argsort(values)
        place = int(np.searchsorted(np.cumsum(self._weights[order]), part))
        return float(values[order[min(place, len(order) - 1)]])

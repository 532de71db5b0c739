"""The score during training: when it is taken, when it stops getting better, and where it is heading.

Scores are taken at steps that grow by the same factor each time, so that they cost ever less of the training, and
patience means the same late as early. Where training is to reach a score, they are taken more often once it is near.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from huanjing.generation.forecast import ENOUGH, Forecast

Score = Callable[[NDArray[np.uint8]], float]
"""How far pictures, NHWC uint8, are from real ones; lower is better."""
Until = Literal["end", "good"] | float
"""When training may end before its steps or minutes: never, when the score has settled, or at a score."""

FIRST = 500
"""Steps before which no score is taken: it would only say that training has begun."""
GROWTH = 1.4
SOONER = 1.1
"""The same where the score is likely to be reached before."""
PATIENCE = 3
"""Scores in a row without a better one, after which it has settled: 2.7 times the steps of the best."""
BETTER = 0.98
"""What counts as better: this part of the best score at most; less may be chance."""


class Scores:
    """When to score, and what came of it."""

    def __init__(self, until: Until = "end") -> None:
        self.until = until
        self.best = math.inf
        self.floor: float | None = None
        """The score of real pictures, once it is known."""
        self.curve: dict[int, float] = {}
        """Every score by its step."""
        self._next = 0
        self._in_vain = 0

    @property
    def target(self) -> float | None:
        """The score to reach, if there is one."""
        return None if isinstance(self.until, str) else self.until

    @property
    def settled(self) -> bool:
        """Whether the score no longer improves."""
        return self._in_vain >= PATIENCE

    @property
    def satisfied(self) -> bool:
        """Whether training may end: the score has settled, or been reached, and that is enough."""
        if self.target is not None:
            return min(self.curve.values(), default=math.inf) <= self.target
        return self.until == "good" and self.settled

    @property
    def forecast(self) -> Forecast | None:
        """Where the score is heading; None before there are enough."""
        return None if len(self.curve) < ENOUGH else self._forecast

    def due(self, step: int) -> bool:
        """Whether to score after ``step`` steps."""
        return step >= max(FIRST, self._next)

    def take(self, step: int, score: float) -> None:
        """Remember the score of ``step``."""
        self.curve[step] = score
        self.__dict__.pop("_forecast", None)
        self._next = math.ceil(step * GROWTH)
        if self.target is not None and self.forecast is not None:
            reached = self.forecast.steps_to(self.target).middle
            self._next = math.ceil(min(self._next, max(step * SOONER, reached)))
        better = score <= BETTER * self.best
        self._in_vain = 0 if better else self._in_vain + 1
        self.best = score if better else self.best

    def numbers(self) -> dict[str, float]:
        """What to remember, for a checkpoint."""
        known = {"score/next": float(self._next), "score/in_vain": float(self._in_vain)}
        known |= {f"score/at/{step}": score for step, score in self.curve.items()}
        known |= {} if self.floor is None else {"score/floor": self.floor}
        return known | ({"score/best": self.best} if math.isfinite(self.best) else {})

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Remember what a checkpoint says."""
        self.best = numbers.get("score/best", math.inf)
        self.floor = numbers.get("score/floor")
        at = "score/at/"
        self.curve = {int(name[len(at) :]): value for name, value in numbers.items() if name.startswith(at)}
        self.__dict__.pop("_forecast", None)
        self._next = int(numbers.get("score/next", 0))
        self._in_vain = int(numbers.get("score/in_vain", 0))

    @cached_property
    def _forecast(self) -> Forecast:
        return Forecast(self.curve, self.floor or 0.0)

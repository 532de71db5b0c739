"""The score during training, and when it stops getting better.

Scores are taken at steps that grow by the same factor each time, so that they cost ever less of the training, and
patience means the same late as early.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Score = Callable[[NDArray[np.uint8]], float]
"""How far pictures, NHWC uint8, are from real ones; lower is better."""

FIRST = 500
"""Steps before which no score is taken: it would only say that training has begun."""
GROWTH = 1.4
PATIENCE = 3
"""Scores in a row without a better one, after which it has settled: 2.7 times the steps of the best."""
BETTER = 0.98
"""What counts as better: this part of the best score at most; less may be chance."""


class Scores:
    """When to score, and what came of it."""

    def __init__(self) -> None:
        self.best = math.inf
        self._next = 0
        self._in_vain = 0

    @property
    def settled(self) -> bool:
        """Whether the score no longer improves."""
        return self._in_vain >= PATIENCE

    def due(self, step: int) -> bool:
        """Whether to score after ``step`` steps."""
        return step >= max(FIRST, self._next)

    def take(self, step: int, score: float) -> None:
        """Remember the score of ``step``."""
        self._next = math.ceil(step * GROWTH)
        better = score <= BETTER * self.best
        self._in_vain = 0 if better else self._in_vain + 1
        self.best = score if better else self.best

    def numbers(self) -> dict[str, float]:
        """What to remember, for a checkpoint."""
        known = {"score/next": float(self._next), "score/in_vain": float(self._in_vain)}
        return known | ({"score/best": self.best} if math.isfinite(self.best) else {})

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Remember what a checkpoint says."""
        self.best = numbers.get("score/best", math.inf)
        self._next = int(numbers.get("score/next", 0))
        self._in_vain = int(numbers.get("score/in_vain", 0))

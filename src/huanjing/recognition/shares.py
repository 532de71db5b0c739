"""Parts of a whole, and how surely they are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The normal distribution's two-sided 95 % quantile."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, count: int) -> Share:
    """A share with Wilson's 95 % interval (1927), which holds for few pictures and near 0 and 1 too."""
    if count == 0:
        return Share(0.0, 0.0, 1.0)
    share = successes / count
    scale = 1.0 + Z95**2 / count
    middle = (share + Z95**2 / (2 * count)) / scale
    reach = Z95 / scale * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach))

"""How far pictures lie apart, within each class where there are classes: by which a collapse is seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SHOWN = 64
"""Generated pictures that are looked at."""
SHOWN_CLASSES = 8
"""Of no more classes than these is diversity looked at."""


def diversity(small: NDArray[np.float32], classes: NDArray[np.int32] | None = None) -> float:
    """The root mean square distance between thumbnails ``[N, F]``, of the same class where ``[N]`` classes are told.

    0 where there are no two to compare.
    """
    groups = [small] if classes is None else [small[classes == one] for one in np.unique(classes)]
    squares = sum(float(np.square(some - some.mean(axis=0)).sum()) for some in groups)
    return math.sqrt(2.0 * squares / max(len(small) - len(groups), 1))


def shown_classes(count: int) -> NDArray[np.int32]:
    """The classes of :data:`SHOWN` pictures or somewhat fewer, as many of each of some classes out of ``count``."""
    chosen = np.unique(np.linspace(0, count - 1, min(count, SHOWN_CLASSES)).round()).astype(np.int32)
    return chosen.repeat(SHOWN // max(len(chosen), 1))

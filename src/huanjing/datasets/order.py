"""The order in which training sees its pictures: a function of the seed and of how many were seen, nothing else.

So a run that goes on from a checkpoint sees what it would have seen, without any state to save.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def batch_positions(count: int, seed: int, start: int, size: int) -> NDArray[np.int64]:
    """Which of ``count`` pictures come as number ``start`` to ``start + size - 1`` of an endless shuffled stream.

    Every epoch is a permutation of its own, drawn from (seed, epoch); a batch may reach over the end of one.
    """
    numbers = np.arange(start, start + size)
    epochs = numbers // count
    positions = np.empty(size, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        positions[here] = _permutation(count, seed, int(epoch))[numbers[here] % count]
    return positions


@lru_cache(maxsize=3)
def _permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.Generator(np.random.Philox(seed=np.random.SeedSequence([seed, epoch]))).permutation(
        count
    )

"""Whether pictures may be mirrored: whether they look as likely either way.

Mirroring doubles a small set, but a generator then makes mirrored pictures too: wrong for letters, or for shoes that
all point one way, right for most things seen from the front. A picture and its mirror image are told apart by their
nearest neighbours among the other pictures as they are (the idea of Schilling, "Multivariate two-sample tests based on
nearest neighbors", 1986): where mirroring changes nothing about the distribution, each is as often the nearer one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.generation.metrics.distances import nearest
from huanjing.images import premultiply

SIDE = 16
"""Pictures are compared at no more than this many pixels a side."""
COMPARED = 2000
"""Pictures that are looked at, at most."""
HARMLESS = 0.65
"""Mirroring is found harmless where, with 97.5 % confidence, the picture as it is wins no more often than this."""


@dataclass(frozen=True)
class MirrorTest:
    """What the comparison found."""

    pictures: int
    """Pictures that were looked up among the others."""
    share: float
    """How often the picture as it is was nearer to another than its mirror image; 0.5 where it makes no difference."""
    highest: float
    """The upper end of the 95 % interval of ``share``, by Wilson's score."""

    @property
    def harmless(self) -> bool:
        """Whether mirrored pictures may be shown in training."""
        return self.highest <= HARMLESS


def compare_with_mirror(pictures: NDArray[np.uint8], seed: int = 0) -> MirrorTest:
    """Look pictures ``[N, H, W, C]`` and their mirror images up among the others; two at least are needed."""
    from scipy.stats import binomtest

    order = np.random.default_rng([seed, len(pictures)]).permutation(len(pictures))[:COMPARED]
    chosen = np.asarray(pictures[np.sort(order)])
    small = thumbnails(chosen)
    # A mirrored picture is not compared with itself either, or symmetrical ones would favour it.
    as_is = nearest(small, small, 1, same=True)[0][:, 0]
    mirrored = nearest(thumbnails(chosen[:, :, ::-1]), small, 1, same=True)[0][:, 0]
    # The nearest neighbour of a picture that is its own mirror image says nothing: half a win to either.
    wins = float(np.mean(np.where(as_is == mirrored, 0.5, as_is < mirrored)))
    interval = binomtest(round(wins * len(chosen)), len(chosen)).proportion_ci(0.95, "wilson")
    return MirrorTest(len(chosen), wins, float(interval.high))


def thumbnails(pictures: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.float32]:
    """Pictures ``[N, H, W, C]`` as means over boxes, no more than ``side`` a side, flat: ``[N, F]``, 0..255.

    What is transparent is black, whatever colour is hidden there.
    """
    small: NDArray[np.floating] = np.asarray(premultiply(pictures), np.float32)
    for axis in (1, 2):
        length = small.shape[axis]
        edges = np.linspace(0, length, min(side, length) + 1).astype(int)
        shape = [-1 if dimension == axis else 1 for dimension in range(4)]
        small = np.add.reduceat(small, edges[:-1], axis=axis) / np.diff(edges).reshape(shape)
    return small.reshape(len(small), -1).astype(np.float32)

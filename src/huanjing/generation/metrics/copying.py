"""Whether a generator repeats its training pictures.

A generated picture is compared with the training picture nearest to it. How near is near depends on the picture
(two plain trousers are always alike), so the distance is taken relative to the mean distance of the 50 nearest, as
Carlini et al. do to find what a generator has memorised ("Extracting training data from diffusion models", USENIX
Security 2023): about 1 is a picture among its likes, near 0 one that sits on a single training picture.

What is usual is measured, not assumed: real pictures that the generator was not trained on lie near training
pictures too. Two numbers come of it. ``near``: the part of the generated pictures that lie nearer than the nearest
few of the held-out ones do, which finds a generator that copies now and then. ``closer``: how often a generated
picture lies nearer than a held-out one, one half where nothing is copied, which is the statistic of Meehan,
Chaudhuri and Dasgupta, "A non-parametric test to detect data-copying in generative models" (AISTATS 2020).

Without held-out pictures each training picture stands in as one, compared with all the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.generation.metrics.distances import Features, checked, nearest
from huanjing.generation.metrics.intervals import RESAMPLES, Score, percentile_score

NEIGHBOURS = 50
TAIL = 0.01
"""The part of the held-out pictures that counts as near: of few pictures more, so that it is at least five."""
TAIL_PICTURES = 5
SUSPICIOUS_TIMES = 2.0
"""``near`` is suspicious where its interval lies above so many times what it is for held-out pictures."""
SUSPICIOUS_CLOSER = 0.75
"""``closer`` is suspicious where its interval lies above. Blurred pictures of a young generator lie among their
likes in another way than real ones and move it too, so one half itself is no bound."""


@dataclass(frozen=True)
class CopyingScore:
    """How generated pictures lie to training pictures, beside how held-out ones do."""

    near: Score
    """The part of the generated pictures nearer to a training picture than the nearest held-out ones."""
    expected: float
    """What ``near`` is for held-out pictures."""
    closer: Score
    """How often a generated picture lies nearer than a held-out one; 0.5 where nothing is copied."""
    held_out: str
    """``test``, or ``train`` where training pictures stood in for held-out ones."""
    relative: NDArray[np.float64]
    """For each generated picture: distance to the nearest training picture over the mean of the 50 nearest."""
    neighbours: NDArray[np.int64]
    """For each generated picture: positions of the nearest training pictures, nearest first ``[N, k]``."""

    @property
    def copies_some(self) -> bool:
        """Whether more pictures are very near than chance explains."""
        return self.near.low > SUSPICIOUS_TIMES * self.expected

    @property
    def copies_most(self) -> bool:
        """Whether the pictures as a whole lie nearer than chance explains."""
        return self.closer.low > SUSPICIOUS_CLOSER

    @property
    def suspicious(self) -> bool:
        """Whether it seems to copy."""
        return self.copies_some or self.copies_most

    def closest(self, count: int) -> list[tuple[int, int]]:
        """The pairs most alike for their kind: positions of a generated and of its nearest training picture."""
        order = np.argsort(self.relative, kind="stable")[:count]
        return [(int(position), int(self.neighbours[position, 0])) for position in order]


def copying_score(
    generated: Features, train: Features, held_out: Features | None = None, seed: int = 0
) -> CopyingScore:
    """Compare ``generated[N, F]`` and ``held_out[M, F]`` with ``train[T, F]``.

    The features may be a network's, or the pixels themselves. Training pictures that are held out as well, to the
    last digit, are left out of what is usual. The intervals are percentile bootstrap intervals over the
    generated and the held-out pictures.

    :param held_out: pictures from where the training pictures come from, that were not trained on; None lets
        training pictures stand in.
    :raises ValueError: for fewer than three training pictures or two of the others, of different widths, or not
        finite.
    """
    generated, train = checked(generated, train)
    own = held_out is None
    usual = train if held_out is None else checked(held_out, train)[0]
    k = min(NEIGHBOURS, len(train) - 1)
    relative, neighbours, _ = _relative(generated, train, k, same=False)
    all_usual, _, exact = _relative(usual, train, k, same=own)
    usual_relative = all_usual[~exact] if (~exact).sum() >= 2 else all_usual
    tail = min(0.5, max(TAIL, TAIL_PICTURES / len(usual_relative)))
    near, closer = _near(relative, usual_relative, tail), _closer(relative, usual_relative)
    random = np.random.default_rng(seed)
    resampled = np.empty((RESAMPLES, 2))
    for number in range(RESAMPLES):
        ours = random.choice(relative, len(relative))
        theirs = random.choice(usual_relative, len(usual_relative))
        resampled[number] = _near(ours, theirs, tail), _closer(ours, theirs)
    return CopyingScore(
        near=percentile_score(near, resampled[:, 0]),
        expected=tail,
        closer=percentile_score(closer, resampled[:, 1]),
        held_out="train" if own else "test",
        relative=relative,
        neighbours=neighbours,
    )


def _relative(
    pictures: NDArray[np.float64], train: NDArray[np.float64], k: int, *, same: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Relative distances ``[N]``, the ``k`` nearest training pictures, and which pictures are one of them exactly."""
    distances, positions = nearest(pictures, train, k, same=same)
    mean = distances.mean(axis=1)
    relative = np.divide(distances[:, 0], mean, out=np.zeros(len(mean)), where=mean > 0)
    exact = (pictures == train[positions[:, 0]]).all(axis=1)
    return relative, positions, exact


def _near(ours: NDArray[np.float64], theirs: NDArray[np.float64], tail: float) -> float:
    return float(np.mean(ours < np.quantile(theirs, tail)))


def _closer(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """How often one of ours is smaller than one of theirs, a draw counting half (Mann and Whitney's U)."""
    ordered = np.sort(theirs)
    larger = len(theirs) - np.searchsorted(ordered, ours, side="right")
    equal = len(theirs) - np.searchsorted(ordered, ours, side="left") - larger
    return float(np.mean(larger + 0.5 * equal) / len(theirs))

"""The kernel distance between two sets of pictures, known as KID.

Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs" (ICLR 2018): the squared maximum mean discrepancy
with the kernel k(x, y) = (x·y / F + 1)³ on a network's F features. Its estimate is unbiased: what it is on average
does not depend on how many pictures there are, as the Fréchet distance does, and it may fall below zero where the
sets are alike. Published figures average over subsets of 1,000 pictures; here all pictures count at once, which
has the same expectation and varies less.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from huanjing.generation.metrics.distances import BLOCK, Features, checked
from huanjing.generation.metrics.intervals import Score, percentile_score

RESAMPLES = 200


def kernel_distance(features_a: Features, features_b: Features) -> float:
    """The unbiased estimate of MMD² between sets of features ``[N, F]`` and ``[M, F]``.

    :raises ValueError: for sets of fewer than two, of different widths, or that are not finite.
    """
    a, b = checked(features_a, features_b)
    return float(_estimates(a, b, np.ones((1, len(a))), np.ones((1, len(b))))[0])


def kernel_score(features_a: Features, features_b: Features, seed: int = 0) -> Score:
    """The kernel distance with a percentile bootstrap interval: both sets of pictures are drawn anew.

    A picture drawn twice is not compared with itself, so that resampling keeps the estimate unbiased.
    """
    a, b = checked(features_a, features_b)
    random = np.random.default_rng(seed)
    drawn = [
        random.multinomial(count, np.full(count, 1.0 / count), RESAMPLES).astype(np.float64)
        for count in (len(a), len(b))
    ]
    return percentile_score(kernel_distance(a, b), _estimates(a, b, *drawn))


def _estimates(
    a: NDArray[np.float64], b: NDArray[np.float64], drawn_a: NDArray[np.float64], drawn_b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """MMD² ``[R]`` for each of R ways to count the pictures: ``drawn_a[R, N]`` and ``drawn_b[R, M]`` times."""
    across = sum(
        np.einsum("rm,rm->r", drawn_a[:, rows] @ kernel, drawn_b) for rows, kernel in _kernel_blocks(a, b)
    ) / (drawn_a.sum(axis=1) * drawn_b.sum(axis=1))
    estimates: NDArray[np.float64] = _within(a, drawn_a) + _within(b, drawn_b) - 2.0 * across
    return estimates


def _within(x: NDArray[np.float64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of k(xᵢ, xⱼ) over the drawn pairs of different pictures."""
    total = np.zeros(len(drawn))
    for rows, kernel in _kernel_blocks(x, x):
        kernel[np.arange(len(kernel)), np.arange(rows.start, rows.stop)] = 0.0
        total += np.einsum("rm,rm->r", drawn[:, rows] @ kernel, drawn)
    pairs: NDArray[np.float64] = drawn.sum(axis=1) ** 2 - (drawn**2).sum(axis=1)
    return total / pairs


def _kernel_blocks(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    for start in range(0, len(a), BLOCK):
        rows = slice(start, min(start + BLOCK, len(a)))
        yield rows, (a[rows] @ b.T / a.shape[1] + 1.0) ** 3

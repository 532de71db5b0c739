"""Euclidean distances between many pictures' features, in blocks: memory grows with the sets, not their product."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024
"""Rows at a time: with 10,000 pictures on the other side a block is 80 MB."""

Features = NDArray[np.floating]


def checked(*sets: Features, least: int = 2) -> tuple[NDArray[np.float64], ...]:
    """Sets of features ``[N, F]`` as float64, after a look at their shapes.

    :raises ValueError: for sets of fewer than ``least`` rows, of different widths, or that are not finite.
    """
    arrays = tuple(np.asarray(each, np.float64) for each in sets)
    if any(each.ndim != 2 or len(each) < least or each.shape[1:] != arrays[0].shape[1:] for each in arrays):
        few = {1: "one row", 2: "two rows"}.get(least, f"{least} rows")
        shapes = ", ".join(str(each.shape) for each in arrays)
        raise ValueError(f"sets of at least {few} of features of one width are needed, got {shapes}")
    if not all(np.isfinite(each).all() for each in arrays):
        raise ValueError("features must be finite numbers")
    return arrays


def distance_blocks(a: Features, b: Features) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Rows of the distances between ``a[N, F]`` and ``b[M, F]``: which rows of ``a``, and their ``[rows, M]``."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    middle = b.mean(axis=0)  # ‖x‖² + ‖y‖² - 2 x·y loses the fewer digits, the nearer to zero the features lie
    b = b - middle
    squares = np.einsum("ij,ij->i", b, b)
    for start in range(0, len(a), BLOCK):
        rows = slice(start, min(start + BLOCK, len(a)))
        x = a[rows] - middle
        squared = np.einsum("ij,ij->i", x, x)[:, None] + squares - 2.0 * (x @ b.T)
        yield rows, np.sqrt(np.maximum(squared, 0.0))


def neighbour_radii(features: Features, k: int) -> NDArray[np.float64]:
    """The distance ``[N]`` of each row to its ``k``-th nearest other row.

    :raises ValueError: where there are not so many others.
    """
    if len(features) <= k:
        raise ValueError(f"{k} neighbours need more than {k} rows, got {len(features)}")
    radii = np.empty(len(features))
    for rows, distances in distance_blocks(features, features):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = 0.0
        radii[rows] = np.partition(distances, k, axis=1)[:, k]
    return radii


def nearest(
    queries: Features, references: Features, k: int, *, same: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The ``k`` nearest ``references`` of each query, nearest first: distances ``[N, k]`` and positions ``[N, k]``.

    :param same: the queries are the references; none counts as its own neighbour.
    :raises ValueError: where there are fewer than ``k`` references to choose from.
    """
    if len(references) - same < k:
        raise ValueError(f"{k} neighbours were asked of {len(references)} pictures")
    found = np.empty((len(queries), k))
    positions = np.empty((len(queries), k), np.int64)
    for rows, distances in distance_blocks(queries, references):
        if same:
            distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        few = np.argpartition(distances, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(distances, few, axis=1)
        order = np.argsort(near, axis=1, kind="stable")
        found[rows] = np.take_along_axis(near, order, axis=1)
        positions[rows] = np.take_along_axis(few, order, axis=1)
    return found, positions

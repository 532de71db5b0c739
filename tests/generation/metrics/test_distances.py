from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from huanjing.generation.metrics.distances import BLOCK, distance_blocks, nearest, neighbour_radii


def test_blocks_make_up_the_whole() -> None:
    """Features far from zero lose no digits that matter."""
    random = np.random.default_rng(0)
    a, b = random.standard_normal((BLOCK + 100, 9)) + 500, random.standard_normal((70, 9)) + 500
    expected = cdist(a, b)
    blocks = list(distance_blocks(a, b))
    assert len(blocks) == 2
    for rows, distances in blocks:
        np.testing.assert_allclose(distances, expected[rows], rtol=1e-9)
    found, positions = nearest(a, b, 5)
    np.testing.assert_allclose(found, np.sort(expected, axis=1)[:, :5], rtol=1e-9)
    np.testing.assert_allclose(np.take_along_axis(expected, positions, axis=1), found, rtol=1e-9)


def test_no_row_is_its_own_neighbour() -> None:
    a = np.random.default_rng(1).standard_normal((BLOCK + 50, 3))
    among_others = cdist(a, a) + np.diag(np.full(len(a), np.inf))
    found, _ = nearest(a, a, 4, same=True)
    np.testing.assert_allclose(found, np.sort(among_others, axis=1)[:, :4], rtol=1e-6)
    np.testing.assert_allclose(neighbour_radii(a, 4), found[:, 3], rtol=1e-6)

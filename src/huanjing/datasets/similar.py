"""Which pictures of a folder are the same, or look the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from huanjing.images.perceptual import HASH_BITS, thumbnail_difference

NEAR_BITS = 4
"""Of 64 bits, how many may differ between the hashes of pictures that look the same."""
NEAR_DIFFERENCE = 4.0
"""How far, of 255, their thumbnails may be apart on average. Measured: copies of the sample photographs at half and
a third of the size and at JPEG quality 30 differ in at most 2 bits and by 0.8; of 4.5 million pairs of clothing
pictures, which look alike, 2 come as near as these limits."""

CONTRAST = 0.1
"""Nor may they be further apart than this share of their contrast: parts of one sky are not the same picture."""

_BLOCK = 1 << 20
"""Pairs that are compared at a time."""
_ROUNDING = 0.01
"""Of means of a thumbnail in float32, of 255: far more than it is."""
_ROWS = 1 << 12
"""Thumbnails whose contrast is taken at a time."""


class Groups:
    """Positions 0..count-1, joined into groups: a union-find forest (Galler and Fischer, 1964)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, one: int, other: int) -> None:
        """Make the groups of two positions one."""
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    def lists(self) -> list[tuple[int, ...]]:
        """The groups of two or more: positions in order, the groups in the order of their first."""
        members: dict[int, list[int]] = {}
        for position in range(len(self._parent)):
            members.setdefault(self._root(position), []).append(position)
        return [tuple(group) for group in members.values() if len(group) > 1]

    def _root(self, position: int) -> int:
        while self._parent[position] != position:
            self._parent[position] = self._parent[self._parent[position]]
            position = self._parent[position]
        return position


def join_equal(groups: Groups, keys: Sequence[str]) -> None:
    """Join the positions whose keys (SHA-256 of the files) are equal."""
    first: dict[str, int] = {}
    for position, key in enumerate(keys):
        groups.join(first.setdefault(key, position), position)


def join_near(
    groups: Groups,
    hashes: NDArray[np.uint64],
    thumbnails: NDArray[np.uint8],
    *,
    bits: int = NEAR_BITS,
    difference: float = NEAR_DIFFERENCE,
) -> None:
    """Join the positions whose pictures look the same: whose hashes and thumbnails are both near.

    :param hashes: ``[N]``, 64-bit difference hashes.
    :param thumbnails: ``[N, height, width, 3]``, 0..255.
    :param bits: the most that may differ between two hashes, 0..16.
    """
    most = _most_apart(thumbnails, difference)
    light = thumbnails.mean(axis=(1, 2, 3), dtype=np.float32)
    leaders = _leaders(groups, hashes, thumbnails, most)
    hashes = hashes[leaders]
    # Of bits + 1 parts of a hash, one at least is untouched when `bits` bits differ: only hashes that share a part
    # are compared.
    edges = np.linspace(0, HASH_BITS, bits + 2).astype(int)
    for low, high in pairwise(edges):
        part = (hashes >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        for run in _runs(part):
            for one, other in _near_pairs(hashes[run], bits):
                pairs = leaders[run[one]], leaders[run[other]]
                # Pictures are at least as far apart as their means, which tells most pairs apart at once.
                worth = np.abs(light[pairs[0]] - light[pairs[1]]) <= most[pairs[0]] + _ROUNDING
                pairs = pairs[0][worth], pairs[1][worth]
                close = thumbnail_difference(*(thumbnails[each] for each in pairs)) <= most[pairs[0]]
                for a, b in zip(pairs[0][close].tolist(), pairs[1][close].tolist(), strict=True):
                    groups.join(a, b)


def _leaders(
    groups: Groups, hashes: NDArray[np.uint64], thumbnails: NDArray[np.uint8], most: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Join what has one hash and looks the same; of each such set, the first.

    A folder full of one picture, or of white pages, then costs no more than any other.
    """
    follows = np.zeros(len(hashes), bool)
    for run in _runs(hashes):
        leaders: list[int] = []
        for position in run.tolist():
            if leaders:
                close = thumbnail_difference(thumbnails[leaders], thumbnails[position]) <= most[leaders]
                if close.any():
                    groups.join(leaders[int(close.argmax())], position)
                    follows[position] = True
                    continue
            leaders.append(position)
    return np.flatnonzero(~follows)


def _most_apart(thumbnails: NDArray[np.uint8], difference: float) -> NDArray[np.float32]:
    """How far a thumbnail that looks the same may be from each of ``[N, height, width, 3]``: less where it is nearly
    even.
    """
    blocks = np.array_split(thumbnails, max(1, len(thumbnails) // _ROWS))
    contrast = [block.std(axis=(1, 2), dtype=np.float32).mean(axis=-1) for block in blocks]
    return np.asarray(np.clip(CONTRAST * np.concatenate(contrast), 1, difference), np.float32)


def _runs(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """The positions of each key that occurs more than once."""
    order = np.argsort(keys, kind="stable").astype(np.int64)
    starts = np.flatnonzero(np.diff(keys[order])) + 1
    for run in np.split(order, starts):
        if len(run) > 1:
            yield run


def _near_pairs(
    hashes: NDArray[np.uint64], bits: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions of the pairs that differ in at most ``bits`` bits, a block at a time."""
    rows = max(1, _BLOCK // len(hashes))
    for start in range(0, len(hashes), rows):
        near = np.bitwise_count(hashes[start : start + rows, None] ^ hashes[None, start:]) <= bits
        one, other = np.nonzero(near)
        apart = other > one
        for begin in range(0, int(apart.sum()), _BLOCK // 64):
            window = slice(begin, begin + _BLOCK // 64)
            yield one[apart][window] + start, other[apart][window] + start

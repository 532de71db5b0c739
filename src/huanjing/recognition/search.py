"""Finding pictures by how they look: an index of a folder, the most similar pictures, and duplicates.

A picture's embedding is what the network has pooled of it before its last layer, divided by its length; the cosine
of two embeddings says how similar two pictures are in what they show. :mod:`huanjing.recognition.search_store`
describes the index on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from huanjing.datasets.similar import NEAR_BITS, Groups, join_equal, join_near
from huanjing.errors import PictureError, UsageError
from huanjing.recognition import search_store as store
from huanjing.recognition.search_read import read_pictures
from huanjing.runtime import Recognizer, cache_folder, processors

Kind = Literal["exact", "near", "similar"]
KINDS: tuple[Kind, ...] = ("exact", "near", "similar")

SIMILAR = 0.95
"""The cosine from which two pictures count as similar. Measured on the sample photographs with the embedded network:
copies that are mirrored, cropped to 97 % or brighter by a tenth have at least this, different photographs at most
0.44; of a million pairs of clothing pictures, which look alike, 3 reach it."""
NEIGHBOURS = 16
"""Of each picture, how many neighbours are looked at for ``similar``; larger groups join through them."""
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Match:
    """A picture of an index that is like another."""

    path: str
    similarity: float
    """The cosine of the two embeddings: 1 is the same."""

    def to_dict(self) -> dict[str, Any]:
        """The match as plain types, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Pictures that are the same, in natural order.

    ``exact``: the files are equal byte by byte. ``near``: they look the same (re-encoded, resized, lightly
    changed). ``similar``: they show nearly the same thing to the network. A group of a looser kind holds what a
    stricter one had joined, and is left out where it adds nothing to it.
    """

    kind: Kind
    paths: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The group as plain types, ready for JSON."""
        return {"kind": self.kind, "paths": list(self.paths)}


class SearchIndex:
    """An index, ready to be asked from any thread.

    :raises UsageError: where ``place`` holds no index.
    :raises DatasetError: for one that is damaged, or made by another version of Huanjing.
    """

    def __init__(self, place: str | PathLike[str] | store.Stored) -> None:
        found = place if isinstance(place, store.Stored) else store.load(Path(place))
        if found is None:
            raise UsageError(f"{place}: holds no index. Make one with: huanjing search index FOLDER")
        self.description = found.description
        self.embeddings = found.embeddings
        self.thumbnails = found.thumbnails
        self.root = Path(found.description.root)
        self.broken = found.description.broken
        self._graph = found.graph()
        self._keys = np.array([entry.key for entry in found.description.entries], np.uint64)
        self._order = np.argsort(self._keys)

    def __len__(self) -> int:
        return len(self.description.entries)

    def path(self, position: int) -> str:
        """Where the picture at a position is."""
        return str(self.root / self.description.entries[position].name)

    def nearest(
        self, embedding: NDArray[np.float32] | NDArray[np.float16], count: int = 10, *, exact: bool = False
    ) -> list[Match]:
        """The most similar pictures, the most similar first; equal ones in natural order.

        :param embedding: ``[features]``, of length 1.
        :param exact: compare with every picture; the graph finds the same ones but for a few in a thousand.
        """
        if not len(self) or count < 1:
            return []
        found = self._graph.search(
            embedding.astype(np.float16), min(count, len(self)), exact=exact, threads=processors()
        )
        positions = self._positions(np.asarray(found.keys))
        # The graph's own distances are of half precision; these decide between the nearly equal.
        cosines = self.embeddings[positions].astype(np.float32) @ embedding.astype(np.float32)
        order = np.lexsort((positions, -np.round(cosines, 5)))
        return [Match(self.path(int(positions[k])), float(min(cosines[k], 1.0))) for k in order]

    def duplicates(
        self, kinds: Sequence[Kind] = KINDS, *, bits: int = NEAR_BITS, similarity: float = SIMILAR
    ) -> list[DuplicateGroup]:
        """Groups of pictures that are the same: see :class:`DuplicateGroup`; strictest kind first.

        :param bits: for ``near``, how many of the 64 bits of two hashes may differ, 0..16.
        :param similarity: for ``similar``, the least cosine, 0..1.
        """
        entries = self.description.entries
        groups = Groups(len(entries))
        found: list[DuplicateGroup] = []
        said: set[tuple[int, ...]] = set()
        for kind in KINDS:
            if kind == "exact":
                join_equal(groups, [entry.sha256 for entry in entries])
            elif kind not in kinds:
                continue
            elif kind == "near":
                hashes = np.array([int(entry.look, 16) for entry in entries], np.uint64)
                join_near(groups, hashes, np.asarray(self.thumbnails), bits=bits)
            else:
                self._join_similar(groups, similarity)
            if kind in kinds:
                lists = [group for group in groups.lists() if group not in said]
                said.update(lists)
                found += [DuplicateGroup(kind, tuple(map(self.path, group))) for group in lists]
        return found

    def _join_similar(self, groups: Groups, similarity: float) -> None:
        for start in range(0, len(self), _BLOCK):
            rows = np.asarray(self.embeddings[start : start + _BLOCK])
            found = self._graph.search(rows, min(NEIGHBOURS, len(self)), threads=processors())
            # One row gives matches without the first axis.
            keys = np.asarray(found.keys).reshape(len(rows), -1)
            distances = np.asarray(found.distances).reshape(len(rows), -1)
            # A row with fewer neighbours than asked for is filled up with keys that mean nothing.
            row, column = np.nonzero((distances <= 1 - similarity) & np.isin(keys, self._keys))
            others = self._positions(keys[row, column])
            for one, other in zip((row + start).tolist(), others.tolist(), strict=True):
                groups.join(one, other)

    def _positions(self, keys: NDArray[Any]) -> NDArray[np.int64]:
        return np.asarray(
            self._order[np.searchsorted(self._keys, keys.astype(np.uint64), sorter=self._order)], np.int64
        )


def default_place(folder: str | PathLike[str], recognizer: Recognizer) -> Path:
    """Where the index of a folder is kept unless another place is named: in the user's cache."""
    return cache_folder() / "search" / store.place_key(Path(folder), recognizer.bundle.digest)


def cached_indexes() -> list[Path]:
    """The indexes in the user's cache."""
    return sorted(path.parent for path in (cache_folder() / "search").glob(f"*/{store.DESCRIPTION}"))


def embed(
    recognizer: Recognizer, paths: Sequence[str | PathLike[str]]
) -> list[NDArray[np.float16] | PictureError]:
    """The embedding of each picture, just as an index holds it, or the error that it met."""
    return [
        read if isinstance(read, PictureError) else read.embedding
        for read in read_pictures(recognizer, paths)
    ]

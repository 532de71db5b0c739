"""Bringing an index up to date with its folder: only new and changed pictures are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huanjing.datasets import PictureFile, PictureFolder, index_folder
from huanjing.errors import PictureError, UsageError
from huanjing.images.perceptual import THUMBNAIL
from huanjing.recognition import search_store as store
from huanjing.recognition.search import SearchIndex
from huanjing.recognition.search_read import ReadPicture, read_pictures
from huanjing.recognition.search_store import Index
from huanjing.runtime import Recognizer, processors

COMMIT = 8192
"""Pictures after which what was read is on disk: at most so many are held in memory, and lost by a crash."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Update:
    """What bringing an index up to date has done."""

    index: SearchIndex
    read: int
    """Pictures that were opened because they are new or changed, the broken ones among them."""
    kept: int
    removed: int
    broken: tuple[store.Unreadable, ...]
    """All pictures of the folder that cannot be read, in natural order."""


def update_index(
    folder: str | PathLike[str] | PictureFolder,
    place: Path,
    recognizer: Recognizer,
    *,
    rebuild: bool = False,
    on_progress: Progress | None = None,
) -> Update:
    """Make ``place`` the index of ``folder``, or bring it up to date.

    A picture is known again by its name, size and time of change. What was read so far is kept when this is
    interrupted.

    :param rebuild: forget the index that is there, even a damaged one.
    :param on_progress: called with the pictures read and the pictures to read.
    :raises UsageError: where ``place`` holds something else, or the index of another folder or model.
    :raises DatasetError: where the folder holds no picture, or the index is damaged or cannot be written.
    """
    found = folder if isinstance(folder, PictureFolder) else index_folder(folder)
    store.check_free(place)
    if rebuild:
        store.discard(place)
    before = store.load(place)
    if before is not None:
        _check_same(before, found, recognizer)
    draft = _Draft(found, place, recognizer, before)
    todo = draft.unknown()
    try:
        paths = (found.path(file) for file in todo)
        for done, (file, read) in enumerate(
            zip(todo, read_pictures(recognizer, paths), strict=True), start=1
        ):
            draft.add(file, read)
            if on_progress is not None:
                on_progress(done, len(todo))
            if done % COMMIT == 0:
                draft.commit()
    except KeyboardInterrupt:
        draft.commit()
        raise
    stored = draft.commit()
    return Update(
        SearchIndex(stored),
        read=len(todo),
        kept=len(found.files) - len(todo),
        removed=draft.removed,
        broken=tuple(stored.description.broken),
    )


def _check_same(before: store.Stored, folder: PictureFolder, recognizer: Recognizer) -> None:
    said = before.description
    if said.digest != recognizer.bundle.digest:
        raise UsageError(
            f"{before.place}: was made with another model ({said.model}). Name that one with --model, or make the "
            "index anew with --rebuild."
        )
    if said.root != str(folder.root.resolve()):
        raise UsageError(
            f"{before.place}: is the index of {said.root}, not of {folder.root}. Name another place with --index, "
            "or make it anew with --rebuild."
        )


@dataclass
class _Fresh:
    """What was read since the last commit."""

    entries: list[store.Entry] = field(default_factory=list)
    embeddings: list[NDArray[np.float16]] = field(default_factory=list)
    thumbnails: list[NDArray[np.uint8]] = field(default_factory=list)


class _Draft:
    """An index on its way from what is on disk to what is in the folder."""

    def __init__(
        self, folder: PictureFolder, place: Path, recognizer: Recognizer, before: store.Stored | None
    ) -> None:
        self._folder, self._place, self._recognizer, self._stored = folder, place, recognizer, before
        self._fresh = _Fresh()
        self._graph: Index | None = None
        now = {file.name: (file.bytes, file.modified) for file in folder.files}
        entries = before.description.entries if before else []
        broken = before.description.broken if before else []
        self._next_key = before.description.next_key if before else 0
        self._kept = {entry.name: row for row, entry in enumerate(entries) if _same(entry, now)}
        self._broken = {each.name: each for each in broken if _same(each, now)}
        self._gone = [entry.key for entry in entries if entry.name not in self._kept]
        self.removed = sum(
            name not in now for name in [*(e.name for e in entries), *(e.name for e in broken)]
        )
        forgotten = self._gone or len(self._broken) < len(broken)
        self._changed = before is None or bool(forgotten)

    def unknown(self) -> list[PictureFile]:
        """The pictures that must be read."""
        return [
            file
            for file in self._folder.files
            if file.name not in self._kept and file.name not in self._broken
        ]

    def add(self, file: PictureFile, read: ReadPicture | PictureError) -> None:
        self._changed = True
        if isinstance(read, PictureError):
            self._broken[file.name] = store.Unreadable(file.name, file.bytes, file.modified, read.reason)
            return
        look = f"{read.look.hash:016x}"
        self._fresh.entries.append(
            store.Entry(file.name, file.bytes, file.modified, read.sha256, look, self._next_key)
        )
        self._fresh.embeddings.append(read.embedding)
        self._fresh.thumbnails.append(read.look.thumbnail)
        self._next_key += 1

    def commit(self) -> store.Stored:
        """Bring everything to disk, the pictures in the folder's natural order."""
        if not self._changed and self._stored is not None:
            return self._stored
        old, fresh = self._stored, self._fresh
        features = self._features()
        graph = self._updated_graph(features)
        rows = dict(self._kept)
        start = len(old.description.entries) if old else 0
        rows.update((entry.name, start + k) for k, entry in enumerate(fresh.entries))
        order = [rows[file.name] for file in self._folder.files if file.name in rows]
        entries = [*(old.description.entries if old else []), *fresh.entries]
        ordered = [entries[row] for row in order]
        description = store.Description(
            format=store.FORMAT,
            root=str(self._folder.root.resolve()),
            model=self._recognizer.bundle.manifest.name,
            digest=self._recognizer.bundle.digest,
            features=features,
            next_key=self._next_key,
            entries=ordered,
            broken=[self._broken[file.name] for file in self._folder.files if file.name in self._broken],
            files={},
            names={},
        )
        self._stored = store.save(
            self._place,
            description,
            _gather(old.embeddings if old else None, fresh.embeddings, order, (features,), np.float16),
            _gather(
                old.thumbnails if old else None, fresh.thumbnails, order, (THUMBNAIL, THUMBNAIL, 3), np.uint8
            ),
            graph,
            old,
        )
        self._fresh, self._changed, self._gone = _Fresh(), False, []
        self._kept = {entry.name: row for row, entry in enumerate(ordered)}
        return self._stored

    def _features(self) -> int:
        if self._stored is not None:
            return self._stored.description.features
        if self._fresh.embeddings:
            return len(self._fresh.embeddings[0])
        height, width, channels = self._recognizer.shape
        return int(self._recognizer.features(np.zeros((1, height, width, channels), np.uint8)).shape[1])

    def _updated_graph(self, features: int) -> Index:
        """The graph without what is gone and with what is new; made anew where a tenth or more is gone."""
        if self._graph is None:
            old = self._stored
            if old is None or 10 * len(self._gone) >= len(old.embeddings):
                self._graph = store.new_graph(features)
                kept = sorted(self._kept.values())
                if old is not None and kept:
                    keys = np.array([old.description.entries[row].key for row in kept], np.uint64)
                    self._graph.add(keys, np.asarray(old.embeddings[kept]), threads=processors())
            else:
                self._graph = old.graph(writable=True)
                if self._gone:
                    self._graph.remove(np.array(self._gone, np.uint64), threads=processors())
        if self._fresh.entries:
            keys = np.array([entry.key for entry in self._fresh.entries], np.uint64)
            self._graph.add(keys, np.stack(self._fresh.embeddings), threads=processors())
        return self._graph


def _same(known: store.Entry | store.Unreadable, now: dict[str, tuple[int, int]]) -> bool:
    return now.get(known.name) == (known.bytes, known.modified)


def _gather(
    old: NDArray[Any] | None, fresh: list[NDArray[Any]], order: list[int], shape: tuple[int, ...], dtype: type
) -> NDArray[Any]:
    """Rows of ``old`` followed by ``fresh``, in ``order``: ``[len(order), *shape]``."""
    start = len(old) if old is not None else 0
    rows: NDArray[Any] = np.empty((len(order), *shape), dtype)
    for position, row in enumerate(order):
        rows[position] = old[row] if old is not None and row < start else fresh[row - start]
    return rows

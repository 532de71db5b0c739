"""An index of pictures on disk: a folder that at every moment holds a whole index.

``index.json`` names everything else and is replaced last, so that a crash leaves the index of before. The arrays
beside it have a new name each time::

    index.json              pictures in natural order, and the size of each file below
    embeddings-….npy        float16 [N, features], each of length 1
    thumbnails-….npy        uint8 [N, 12, 12, 3]
    graph-….usearch         the neighbour graph (HNSW: Malkov and Yashunin, 2016) over the embeddings, by key

Nothing in it can execute: arrays are read without pickles, JSON against its schema, and the graph, which a library
reads in native code, only where its SHA-256 is the one that was written.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from huanjing.bundle import FileEntry, any_name, file_sha256
from huanjing.bundle.manifest import Positive, Sha256
from huanjing.errors import DatasetError, MissingExtraError, UsageError
from huanjing.images import write_atomically
from huanjing.images.perceptual import THUMBNAIL

try:
    from usearch.index import Index as Index  # noqa: PLC0414 (others take it from here)
except ModuleNotFoundError:
    raise MissingExtraError("Searching by what pictures show", "search") from None

FORMAT = 1
"""The index format that this version writes, and the only one that it reads."""
BUILD_EFFORT = 64
SEARCH_EFFORT = 256
"""Candidates that the graph keeps while it grows and while it is searched (HNSW's ef). Half of the library's usual
effort in growing takes a third of the time; more effort in searching, which is quick anyway, makes up for it."""
DESCRIPTION = "index.json"

Count = Annotated[int, Meta(ge=0)]


class Entry(msgspec.Struct, frozen=True):
    """One picture of an index."""

    name: str
    """Relative to the folder, with ``/`` between parts."""
    bytes: Count
    modified: int
    """Nanoseconds since 1970."""
    sha256: Sha256
    look: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    """The 64-bit difference hash."""
    key: Count
    """What the graph calls it; never used again for another picture."""


class Unreadable(msgspec.Struct, frozen=True):
    """A picture that could not be read; it is tried again once it changes."""

    name: str
    bytes: Count
    modified: int
    reason: str


class Description(msgspec.Struct, frozen=True):
    """``index.json``."""

    format: int
    root: str
    """The folder that was indexed, in full."""
    model: str
    digest: str
    """Of the model: its embeddings compare with no other's."""
    features: Positive
    next_key: Count
    entries: list[Entry]
    broken: list[Unreadable]
    files: dict[str, FileEntry]
    """By role: ``embeddings``, ``thumbnails``, ``graph``; ``names`` has what each is called."""
    names: dict[str, str]


@dataclass(frozen=True)
class Stored:
    """An index as it lies on disk."""

    place: Path
    description: Description
    embeddings: NDArray[np.float16]
    thumbnails: NDArray[np.uint8]

    def graph(self, *, writable: bool = False) -> Index:
        """The neighbour graph: mapped from its file, or in memory where it is to be changed."""
        path = self.place / self.description.names["graph"]
        index = new_graph(self.description.features)
        try:
            if writable:
                index.load(path)
            else:
                index.view(path)
        except RuntimeError as error:
            raise damaged(self.place, f"{path.name} cannot be used: {error}") from None
        if len(index) != len(self.embeddings) or index.ndim != self.description.features:
            raise damaged(self.place, f"{path.name} belongs to another index")
        return index


def new_graph(features: int) -> Index:
    """An empty neighbour graph for embeddings of that length."""
    return Index(
        ndim=features, metric="cos", dtype="f16", expansion_add=BUILD_EFFORT, expansion_search=SEARCH_EFFORT
    )


def load(place: Path) -> Stored | None:
    """Read and check the index in ``place``; None where there is none.

    :raises DatasetError: for one that is damaged, or made by another version of Huanjing.
    """
    path = place / DESCRIPTION
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    description = _decode(place, data)
    for role in ("embeddings", "thumbnails", "graph"):
        _check_file(place, description, role)
    count = len(description.entries)
    return Stored(
        place,
        description,
        _map(place, description.names["embeddings"], (count, description.features), np.float16),
        _map(place, description.names["thumbnails"], (count, THUMBNAIL, THUMBNAIL, 3), np.uint8),
    )


def save(
    place: Path,
    description: Description,
    embeddings: NDArray[np.float16],
    thumbnails: NDArray[np.uint8],
    graph: Index,
    previous: Stored | None,
) -> Stored:
    """Write an index; the one of before is there until all of it is. ``files`` and ``names`` are filled in here.

    :raises DatasetError: where it cannot be written.
    """
    token = secrets.token_hex(8)
    names = {
        "embeddings": f"embeddings-{token}.npy",
        "thumbnails": f"thumbnails-{token}.npy",
        "graph": f"graph-{token}.usearch",
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / names["embeddings"], embeddings, allow_pickle=False)
        np.save(place / names["thumbnails"], thumbnails, allow_pickle=False)
        graph.save(place / names["graph"])
        files: dict[str, FileEntry] = {}
        for role, name in names.items():
            _sync(place / name)
            files[role] = FileEntry(file_sha256(place / name), (place / name).stat().st_size)
        description = msgspec.structs.replace(description, files=files, names=names)
        write_atomically(place / DESCRIPTION, any_name.encode(description) + b"\n")
    except OSError as error:
        for name in names.values():
            with suppress(OSError):
                (place / name).unlink(missing_ok=True)
        raise DatasetError(
            f"{place}: the index cannot be written: {error.strerror or error}. "
            "Make room, or name another place with --index or HUANJING_CACHE."
        ) from error
    stored = load(place)
    assert stored is not None
    if previous is not None:
        # Only what that index named: another process may be writing beside us. Where a file is still mapped
        # (Windows), it stays behind.
        for name in previous.description.names.values():
            with suppress(OSError):
                (place / name).unlink(missing_ok=True)
    return stored


def check_free(place: Path) -> None:
    """Refuse a place that holds something other than an index.

    :raises UsageError: there.
    """
    if place.is_file() or (
        place.is_dir() and not (place / DESCRIPTION).is_file() and next(place.iterdir(), None) is not None
    ):
        raise UsageError(f"{place}: is not empty and not an index; name another folder for --index")


def discard(place: Path) -> None:
    """Remove the index in ``place``, however damaged: the files that its name pattern covers, and no others."""
    for pattern in (DESCRIPTION, "embeddings-*.npy", "thumbnails-*.npy", "graph-*.usearch"):
        for path in place.glob(pattern):
            path.unlink(missing_ok=True)


def damaged(place: Path, what: str) -> DatasetError:
    """The error for an index that cannot be used."""
    return DatasetError(
        f"{place}: this index is damaged: {what}. Make it anew with: huanjing search index FOLDER --rebuild "
        "(and --index, where it lies in a place of its own). No picture is lost by that."
    )


class _Version(msgspec.Struct):
    format: int


def _decode(place: Path, data: bytes) -> Description:
    try:
        version = any_name.decode(data, _Version).format
        if version != FORMAT:
            raise DatasetError(
                f"{place}: has index format {version}; this version of Huanjing reads format {FORMAT}. Upgrade with: "
                "pip install --upgrade huanjing; or make the index anew with: huanjing search index FOLDER --rebuild"
            )
        return any_name.decode(data, Description)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(place, f"{DESCRIPTION} does not say what it should: {error}") from None


def _check_file(place: Path, description: Description, role: str) -> None:
    name, entry = description.names.get(role, ""), description.files.get(role)
    if entry is None or not name or Path(name).name != name or "\\" in name:
        raise damaged(place, f"{DESCRIPTION} names no {role}")
    path = place / name
    if not path.is_file():
        raise damaged(place, f"{name} is missing")
    if path.stat().st_size != entry.bytes:
        raise damaged(place, f"{name} has {path.stat().st_size:,} bytes, not {entry.bytes:,}")
    if role == "graph" and file_sha256(path) != entry.sha256:
        raise damaged(place, f"the content of {name} is not what was written")


def _map(place: Path, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(place / name, mmap_mode="r" if shape[0] else None, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise damaged(place, f"{name} is no array: {error}") from None
    if array.shape != shape or array.dtype != dtype:
        raise damaged(place, f"{name} holds {array.dtype} {list(array.shape)}, not {list(shape)}")
    return array


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place_key(root: Path, digest: str) -> str:
    """What an index in the cache is called: the folder's name, and a hash of its full path and the model."""
    key = hashlib.sha256(f"{root.resolve()}\n{digest}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    plain = "".join(c if c.isalnum() else "-" for c in root.resolve().name)[:40]
    return f"{plain or 'root'}-{key}"

"""Checkpoints: arrays by name and a few numbers, whole or not there at all.

Each is two files: ``step-00000500.npz`` holds the arrays (nothing in it can execute), ``step-00000500.json`` the
numbers and the other's SHA-256. Both are written aside, synced and renamed, the ``.json`` last: a checkpoint
that has one, and whose hash is right, is complete. One that a crash or a full disk cut short is passed over, and
the one before it serves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import file_sha256
from huanjing.errors import RunError

KEEP = 2


class _Entry(msgspec.Struct, frozen=True):
    """The ``.json`` file."""

    step: int
    sha256: str
    numbers: dict[str, float]
    score: float | None = None
    good: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as read: everything that training goes on from."""

    step: int
    arrays: dict[str, NDArray[np.generic]]
    numbers: dict[str, float]
    score: float | None = None


class Checkpoints:
    """The checkpoints of one run: the newest two, the newest good one, and the one with the lowest score."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(
        self,
        step: int,
        arrays: Mapping[str, NDArray[np.generic]],
        numbers: Mapping[str, float],
        score: float | None = None,
        *,
        good: bool = False,
    ) -> Path:
        """Write a checkpoint, then drop those that are no longer needed.

        :param score: how good the model is now, lower is better; the best scored one is kept.
        :param good: whether training may go back to it should it come to grief later.
        :raises RunError: where it cannot be written; the ones before are untouched.
        """
        path = self._path(step)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda file: np.savez(file, allow_pickle=False, **dict(arrays)))
            entry = _Entry(step, file_sha256(path), dict(numbers), score, good)
            write_whole(path.with_suffix(".json"), lambda file: file.write(msgspec.json.encode(entry)))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise RunError(
                f"{path}: the checkpoint of step {step} cannot be written: {error.strerror or error}. "
                f"{self._what_remains()} Make room, then give the same command again."
            ) from error
        self._tidy()
        return path

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; None where there is none."""
        return self._first_whole(reversed(self._entries()))

    def latest_good(self) -> Checkpoint | None:
        """The newest that training may go back to."""
        return self._first_whole(entry for entry in reversed(self._entries()) if entry.good)

    def best(self) -> Checkpoint | None:
        """The one with the lowest score."""
        scored = [(entry.score, entry.step, entry) for entry in self._entries() if entry.score is not None]
        return self._first_whole(entry for *_, entry in sorted(scored, key=lambda each: each[:2]))

    def drop_after(self, step: int) -> None:
        """Remove the checkpoints of later steps, the newest first."""
        for entry in reversed(self._entries()):
            if entry.step > step:
                self._path(entry.step).with_suffix(".json").unlink(missing_ok=True)
                self._path(entry.step).unlink(missing_ok=True)

    def _first_whole(self, entries: Iterable[_Entry]) -> Checkpoint | None:
        return next(filter(None, map(self._read, entries)), None)

    def steps(self) -> list[int]:
        """The steps of the checkpoints that are here, oldest first."""
        return [entry.step for entry in self._entries()]

    def _read(self, entry: _Entry) -> Checkpoint | None:
        path = self._path(entry.step)
        try:
            if file_sha256(path) != entry.sha256:
                return None
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
                return Checkpoint(entry.step, arrays, entry.numbers, entry.score)
        except (OSError, ValueError, EOFError, KeyError):
            return None

    def _entries(self) -> list[_Entry]:
        entries = []
        for path in sorted(self.folder.glob("step-*.json")):
            try:
                entries.append(msgspec.json.decode(path.read_bytes(), type=_Entry))
            except (OSError, msgspec.DecodeError):
                continue
        return sorted(entries, key=lambda entry: entry.step)

    def _tidy(self) -> None:
        entries = self._entries()
        scored = [entry for entry in entries if entry.score is not None]
        best = min(scored, key=lambda entry: entry.score or 0.0, default=None)
        good = [entry for entry in entries if entry.good]
        kept = {entry.step for entry in (*entries[-KEEP:], *good[-1:], *([best] if best else []))}
        for path in self.folder.glob("step-*"):
            if path.suffix == ".part" or int(path.stem.removeprefix("step-")) not in kept:
                path.unlink(missing_ok=True)

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.npz"

    def _what_remains(self) -> str:
        steps = self.steps()
        return f"The one of step {steps[-1]} is kept." if steps else "There is none before it."


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that, whatever happens, the name leads to the old content or to all of the new."""
    aside = path.with_name(path.name + ".part")
    try:
        with aside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    if os.name == "posix":
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

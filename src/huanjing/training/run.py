"""The run folder: everything about one training, and the means to go on with it.

``config.json`` says all that is needed to repeat the run, ``log.jsonl`` has a line for every tick,
``checkpoints/`` what to go on from, ``samples/`` and ``model/`` what came of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any, Self, TypeVar

import msgspec

from huanjing.errors import RunError
from huanjing.training.checkpoint import Checkpoints, write_whole

Config = TypeVar("Config", bound=msgspec.Struct)


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and has saved where it was. Its text says how to go on."""


class Run:
    """A run folder, held by one process at a time.

    >>> with Run.start("runs/clothes", config) as run:  # doctest: +SKIP
    ...     run.log({"step": 1})

    :raises RunError: where another process trains in the folder, or it holds something else.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.samples = self.folder / "samples"
        self.model = self.folder / "model"
        self.checkpoints = Checkpoints(self.folder / "checkpoints")
        self._lock: IO[bytes] | None = None

    @classmethod
    def start(cls, folder: str | os.PathLike[str], config: msgspec.Struct) -> Self:
        """Open the folder with ``config``: a new one is made; one that is here must have the same."""
        run = cls(folder)
        there = read_config(run.folder, type(config))
        if there is not None and there != config:
            raise RunError(_contradictions(run.folder, _flat(there), _flat(config)))
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            if there is None and any(path.name != ".lock" for path in run.folder.iterdir()):
                raise RunError(f"{run.folder}: is not empty and not a training run. Name another with --run.")
            run._acquire()
            if there is None:
                encoded = msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n"
                write_whole(run.config_file, lambda file: file.write(encoded))
        except OSError as error:
            raise RunError(f"{run.folder}: cannot be written: {error.strerror or error}") from error
        return run

    @property
    def config_file(self) -> Path:
        """The run's ``config.json``."""
        return self.folder / "config.json"

    @property
    def log_file(self) -> Path:
        """The run's ``log.jsonl``."""
        return self.folder / "log.jsonl"

    def log(self, line: Mapping[str, Any]) -> None:
        """Add a line to the log; it must have a ``step``."""
        with self.writing(), self.log_file.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make what the system says against writing in the folder a :class:`RunError`."""
        try:
            yield
        except OSError as error:
            raise RunError(
                f"{error.filename or self.folder}: cannot be written: {error.strerror or error}. "
                "The checkpoints are kept: make room, then give the same command again."
            ) from error

    def read_log(self) -> list[dict[str, Any]]:
        """The lines of the log; one that a crash cut short is left out."""
        lines = []
        if self.log_file.is_file():
            for line in self.log_file.read_bytes().splitlines():
                try:
                    lines.append(msgspec.json.decode(line, type=dict[str, Any]))
                except msgspec.DecodeError:
                    continue
        return lines

    def cut_log(self, step: int) -> None:
        """Drop what was logged after ``step``, where training goes on from."""
        kept = [line for line in self.read_log() if line.get("step", 0) <= step]
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in kept)
        with self.writing():
            write_whole(self.log_file, lambda file: file.write(content))

    def close(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _acquire(self) -> None:
        """Take an advisory lock; the system drops it when the process ends, however it ends."""
        lock = (self.folder / ".lock").open("ab")
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise RunError(
                f"{self.folder}: another process trains in this folder. Wait for it, or name another with --run."
            ) from None
        self._lock = lock


def read_config(folder: str | os.PathLike[str], type: type[Config]) -> Config | None:  # noqa: A002
    """The configuration of the run in ``folder``; None where there is no run.

    :raises RunError: for one that is damaged, or of another kind of training.
    """
    path = Path(folder) / "config.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=type)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(
            f"{path}: is not a configuration that this version can go on with: {error}. Name another with --run."
        ) from error


def reconcile(folder: str | os.PathLike[str], there: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Compare what a run was started with and what is asked now; what is asked as None is left open.

    :raises RunError: naming every option that contradicts.
    """
    asked = {name: value for name, value in asked.items() if value is not None}
    if any(there.get(name) != value for name, value in asked.items()):
        raise RunError(_contradictions(Path(folder), there, asked))


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """While open, Ctrl-C and SIGTERM set the event instead of ending the process; a second one ends it."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        event.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, request)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _contradictions(folder: Path, there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    differing = [
        f"{name} was {there.get(name)!r}, now {value!r}"
        for name, value in asked.items()
        if there.get(name) != value
    ]
    return (
        f"{folder}: this run was started otherwise: {'; '.join(differing)}. "
        "Leave these options out to go on with it, or name another folder with --run."
    )


def _flat(config: msgspec.Struct) -> dict[str, Any]:
    """The configuration with the fields of its parts as ``part.field``."""
    flat: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(config).items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": each for inner, each in value.items()})
        else:
            flat[name] = value
    return flat

"""From what was typed to the pictures that are meant: files, folders, patterns, and standard input."""

from __future__ import annotations

import glob
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted, ns

from huanjing.datasets import index_folder
from huanjing.errors import UsageError
from huanjing.images import PICTURE_SUFFIXES


@dataclass(frozen=True)
class Sources:
    """Paths in the order they are to be read, and how many there are (None while standard input is open)."""

    paths: Iterable[str]
    total: int | None


def expand(arguments: list[str], suffixes: Collection[str] = PICTURE_SUFFIXES) -> Sources:
    """The pictures that ``arguments`` name. A path that does not exist stays in, to be named as a failure.

    :param suffixes: of the files that are taken from folders.
    :raises UsageError: where a pattern matches nothing, or ``-`` stands beside other arguments.
    :raises DatasetError: where a folder holds no picture.
    """
    if arguments == ["-"]:
        return Sources(_standard_input(), None)
    if "-" in arguments:
        raise UsageError("- (paths from standard input) cannot stand beside other arguments")
    paths = [path for argument in arguments for path in _expand_one(argument, suffixes)]
    return Sources(paths, len(paths))


def _expand_one(argument: str, suffixes: Collection[str]) -> list[str]:
    path = Path(argument)
    if path.is_dir():
        folder = index_folder(path, suffixes)
        return [str(folder.path(file)) for file in folder.files]
    if glob.has_magic(argument) and not path.exists():
        matches = natsorted(glob.iglob(argument, recursive=True), alg=ns.PATH)  # noqa: PTH207 (patterns may be absolute)
        found = [match for match in matches if not Path(match).is_dir()]
        if not found:
            raise UsageError(f"{argument}: matches no file")
        return found
    return [argument]


def _standard_input() -> Iterator[str]:
    for line in sys.stdin:
        if path := line.rstrip("\r\n"):
            yield path

"""Every error a user can meet.

A message says what was wrong, what was received, and what to do next. The command line prints it without a
traceback; code that uses Huanjing as a library can catch :class:`HuanjingError`, or one of its children.
"""

from __future__ import annotations

from os import PathLike, fspath


class HuanjingError(Exception):
    """Anything that Huanjing reports on purpose; its text is written for the person who reads it."""


class UsageError(HuanjingError):
    """A command or function was asked for something that cannot be (exit code 2)."""


class MissingExtraError(UsageError):
    """A part of Huanjing is needed that the core installation leaves out."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs parts that are not installed. Install them with: pip install 'huanjing[{extra}]'"
        )
        self.extra = extra


class PictureError(HuanjingError):
    """One picture cannot be used. ``path`` names it, ``reason`` says why, without the path."""

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        super().__init__(f"{fspath(path)}: {reason}")
        self.path = fspath(path)
        self.reason = reason


class DatasetError(HuanjingError):
    """A folder of pictures cannot serve as a data set."""


class BundleError(HuanjingError):
    """A model bundle is damaged, unsafe, or made by a version that this one cannot read."""


class ModelNotFoundError(UsageError):
    """No model has the name or path that was asked for."""


class RunError(HuanjingError):
    """A training run cannot be started, resumed or used."""

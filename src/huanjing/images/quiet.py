"""Keeping Pillow from talking about damaged pictures, on the threads that decode for us and on no other.

``warnings.catch_warnings`` swaps the filters of the whole process and so cannot be used while other threads
work. Instead one filter stays in place for good whose message pattern matches only on a thread that is
decoding.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast


class _Decoding(threading.local):
    active = False


class _WhileDecoding:
    """Stands where ``warnings`` expects a compiled pattern for a message."""

    def match(self, text: str) -> bool:
        del text
        return _decoding.active


_decoding = _Decoding()
_filter = ("ignore", _WhileDecoding(), Warning, re.compile(r"PIL\."), 0)
_lock = threading.Lock()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Drop Pillow's warnings and log lines from this thread within this block, even under ``-W error``."""
    _put_filter_first()
    _quiet_logger()
    before = _decoding.active
    _decoding.active = True
    try:
        yield
    finally:
        _decoding.active = before


def _put_filter_first() -> None:
    filters = cast("list[Any]", warnings.filters)
    if filters and filters[0] is _filter:
        return
    with _lock:
        # First in, then the older one out: a thread that is decoding meanwhile always finds one.
        filters.insert(0, _filter)
        for index in range(len(filters) - 1, 0, -1):
            if filters[index] is _filter:
                del filters[index]


@cache
def _quiet_logger() -> None:
    # With no logging set up, Python prints what this logger calls an error.
    logging.getLogger("PIL.TiffImagePlugin").addFilter(lambda _: not _decoding.active)


@cache
def quiet_libtiff() -> None:
    """Keep the libtiff inside Pillow from printing about damaged TIFF files on the error stream.

    It prints from C, a line for each damaged row, and knows no setting by thread, so this holds for the
    process. The exceptions that Pillow raises are as before. Where Pillow's libtiff cannot be reached,
    nothing happens.
    """
    try:
        # The module that links libtiff: through it the linker finds the functions wherever they are.
        library = ctypes.CDLL(importlib.import_module("PIL._imaging").__file__)
        setters = library.TIFFSetErrorHandler, library.TIFFSetWarningHandler
    except (OSError, AttributeError, TypeError):
        return
    for setter in setters:
        setter.restype = ctypes.c_void_p
        setter.argtypes = [ctypes.c_void_p]
        setter(None)

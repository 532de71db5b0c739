r"""JSON of structures that name the user's files, whose names may have bytes that are no text.

Python holds such bytes as lone surrogates, which UTF-8 has no place for and msgspec refuses. JSON's escapes
(``\udcff``) can hold them, more slowly, so that they are written only where they must be.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """The JSON of a structure, whatever the names in it."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value)).encode()


def decode(data: bytes, type: type[T]) -> T:  # noqa: A002 (as msgspec calls it)
    """What :func:`encode` was given.

    :raises msgspec.DecodeError: where it is no JSON, or not of that type.
    """
    try:
        return msgspec.json.decode(data, type=type)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        try:
            return msgspec.convert(json.loads(data), type)
        except ValueError:
            raise error from None

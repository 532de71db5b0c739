"""Structures that name the user's files, whose names may be no text."""

import msgspec
import pytest

from huanjing.bundle import any_name


class Named(msgspec.Struct):
    name: str


@pytest.mark.parametrize("name", ["猫.jpg", "caf\udce9.jpg"])
def test_any_name_comes_back(name: str) -> None:
    written = any_name.encode(Named(name))
    assert any_name.decode(written, Named).name == name


@pytest.mark.parametrize("damaged", [b'{"name": "caf\\udce9', b'{"name": 3}', b"\xff"])
def test_what_is_damaged_is_an_error(damaged: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        any_name.decode(damaged, Named)

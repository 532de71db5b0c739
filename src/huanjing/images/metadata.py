"""What a picture's file says beside its pixels: text, comments, EXIF, the XMP packet, Content Credentials.

Nothing is decoded that need not be, and nothing here is trusted: text is text, whatever it claims.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING, Any

from PIL import Image

from huanjing.errors import PictureError
from huanjing.images.animation import XMP_BOX
from huanjing.images.decode import DEFAULT_LIMITS
from huanjing.images.files import read_regular_file
from huanjing.images.formats import describe_unreadable, find_format, is_film
from huanjing.images.quiet import quiet_pillow

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

FILM_SUFFIXES = {".mp4", ".m4v", ".mov"}
"""Of the films whose metadata is read."""
XMP_KEY = "XML:com.adobe.xmp"
"""The key of the PNG text that holds the XMP packet."""

_C2PA = bytes.fromhex("63327061001100108000 00aa00389b71")
"""The type of the JUMBF box in which every file format keeps Content Credentials (C2PA specification)."""

_EXIF_IFD = 0x8769
_EXIF_TEXT = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x9286: "UserComment",
}
_LONGEST_TEXT = 1_000_000
_LONGEST_JPEG_XMP = 65_000
_BOXES_OF_BOXES = {b"moov", b"trak", b"udta"}
_DEEPEST = 8
"""Boxes in boxes; a film's tags lie four deep."""


@dataclass(frozen=True)
class Metadata:
    """What one file says. ``text`` holds PNG text, comments, EXIF (``EXIF Software`` and so on) or a film's tags."""

    format: str
    width: int = 0
    height: int = 0
    xmp: str = ""
    text: dict[str, str] = field(default_factory=dict)
    c2pa: bool = False


def read_metadata(path: str | PathLike[str]) -> Metadata:
    """Read what the picture or MP4 film at ``path`` says beside its pixels.

    Raises PictureError where the file cannot be read or is neither.
    """
    data = read_regular_file(path, DEFAULT_LIMITS.max_bytes)
    c2pa = _C2PA in data
    kind = find_format(data)
    if kind is None:
        if is_film(data):
            return _read_film(data, c2pa)
        raise PictureError(path, describe_unreadable(data))
    try:
        with quiet_pillow():
            importlib.import_module(f"PIL.{kind.plugin}")
            with Image.open(BytesIO(data), formats=[kind.name]) as opened:
                text = _texts(opened, data)
                xmp = _decode(opened.info.get("xmp")) or text.get(XMP_KEY, "") or _gif_xmp(data)
                text.pop(XMP_KEY, None)
                return Metadata(kind.name, opened.width, opened.height, xmp, text, c2pa)
    # Damaged data makes Pillow raise nearly every kind of exception there is.
    except Exception as error:
        raise PictureError(path, f"is a damaged {kind.name} ({type(error).__name__})") from error


def carried_xmp(path: str | PathLike[str]) -> str:
    """The XMP packet that a smaller copy of a picture is to carry on; none where there is none that a JPEG can hold."""
    try:
        packet = read_metadata(path).xmp
    except PictureError:
        return ""
    return packet if len(packet.encode()) <= _LONGEST_JPEG_XMP else ""


def _texts(opened: ImageFile, data: bytes) -> dict[str, str]:
    found = {key: value for key, value in _png_text(opened, data) if isinstance(value, str)}
    if comment := _decode(opened.info.get("comment")):
        found["Comment"] = comment
    for tag, value in _exif(opened):
        if tag in _EXIF_TEXT and (said := _exif_text(value)):
            found[f"EXIF {_EXIF_TEXT[tag]}"] = said
    return {key: value[:_LONGEST_TEXT] for key, value in found.items()}


def _exif(opened: ImageFile) -> list[tuple[int, Any]]:
    """EXIF's numbers and values; none where it is damaged, which says nothing about what stands beside it."""
    try:
        exif = opened.getexif()
        return [*exif.items(), *exif.get_ifd(_EXIF_IFD).items()]
    except Exception:  # noqa: BLE001  as many kinds as damaged pictures raise
        return []


def _png_text(opened: ImageFile, data: bytes) -> list[tuple[str, Any]]:
    """A PNG's text, that behind the pixels too, unless the picture is too large to go through for it."""
    if not hasattr(opened, "text"):
        return []
    behind = data.rfind(b"tEXt") > data.find(b"IDAT") or data.rfind(b"iTXt") > data.find(b"IDAT")
    if behind and opened.width * opened.height <= DEFAULT_LIMITS.max_pixels:
        return list(opened.text.items())
    return [(str(key), value) for key, value in opened.info.items()]


def _exif_text(value: Any) -> str:
    """EXIF as text; a user's comment begins with eight bytes that name its character set."""
    if isinstance(value, bytes):
        if value.startswith(b"UNICODE\0"):
            wide = value[8:]
            order = "utf-16-le" if wide[1:2] == b"\0" else "utf-16-be"
            return wide.decode(order, "replace").strip("\0 ")
        if value.startswith((b"ASCII\0\0\0", bytes(8))):
            value = value[8:]
    return _decode(value)


def _decode(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip("\0 ") if isinstance(value, str) else ""


def _gif_xmp(data: bytes) -> str:
    """The XMP packet of a GIF, which is kept as it is, without the lengths that other blocks have."""
    if not data.startswith(b"GIF8"):
        return ""
    _, found, rest = data.partition(b"\x21\xff\x0bXMP DataXMP")
    return rest[: rest.find(b"\x01\xff\xfe\xfd")].decode("utf-8", "replace") if found else ""


def _read_film(data: bytes, c2pa: bool) -> Metadata:
    """An MP4's tags (``moov.udta.meta``, keys beside values) and XMP packet, without a look at its pictures."""
    xmp, keys, values, width, height = "", list[str](), dict[int, str](), 0, 0
    for kind, content in _boxes(data):
        if kind == b"uuid" and content[:16] == XMP_BOX:
            xmp = _decode(content[16:])
        elif kind == b"tkhd" and not width:
            width, height = (int.from_bytes(content[end - 4 : end - 2], "big") for end in (-4, len(content)))
        elif kind == b"keys":
            keys = [key.decode("utf-8", "replace") for _, key in _boxes_of(content, 8)]
        elif kind == b"ilst":
            values = {
                int.from_bytes(number, "big"): item[16:].decode("utf-8", "replace")
                for number, item in _boxes_of(content)
                if item[4:8] == b"data"
            }
    text = {key: values[k][:_LONGEST_TEXT] for k, key in enumerate(keys, start=1) if k in values}
    return Metadata("MP4", width, height, xmp, text, c2pa)


def _boxes(data: bytes, depth: int = 1) -> Iterator[tuple[bytes, bytes]]:
    """Every box that may matter, as deep as films have them: its type and its content."""
    for kind, content in _boxes_of(data):
        yield kind, content
        if depth == _DEEPEST:
            continue
        if kind in _BOXES_OF_BOXES:
            yield from _boxes(content, depth + 1)
        elif kind == b"meta":
            # ISO files put a version of four bytes before the boxes, QuickTime's do not.
            yield from _boxes(content if content[4:8] == b"hdlr" else content[4:], depth + 1)


def _boxes_of(data: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """The boxes that follow one another in ``data``; a length that makes no sense ends them."""
    while start + 8 <= len(data):
        length, head = int.from_bytes(data[start : start + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if length == 0:
            length = len(data) - start
        if length < head or start + length > len(data):
            return
        yield data[start + 4 : start + 8], data[start + head : start + length]
        start += length

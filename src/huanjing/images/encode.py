"""From arrays to the bytes of picture files, and those bytes safely to a disk."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def to_uint8(pictures: np.ndarray) -> np.ndarray:
    """Turn floating point pictures of any shape from -1..1 into uint8 0..255, rounded to nearest.

    Numbers outside the range, infinities too, become its ends. Raises ValueError for NaN and for whole
    numbers, whose range would be a guess.
    """
    values = np.asarray(pictures)
    if not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"floating point pictures in -1..1 are needed, but got {values.dtype}")
    if np.isnan(values).any():
        raise ValueError("the pictures hold NaN, which has no colour; a network that makes them has diverged")
    wide = values.astype(np.float32)
    return np.rint((wide.clip(-1, 1) + 1) * 127.5).astype(np.uint8)


def encode_png(picture: np.ndarray, text: Mapping[str, str] | None = None) -> bytes:
    """Return the PNG of an HWC uint8 picture (1, 3 or 4 channels, 0..255), exact in every pixel.

    ``text`` goes in as PNG text, any script. Raises ValueError where the picture is not as described, or a
    key is not 1 to 79 characters of Latin-1, or a text holds a NUL.
    """
    from PIL.PngImagePlugin import PngInfo

    image = to_image(picture, (1, 3, 4), "PNG")
    information = PngInfo()
    for key, value in (text or {}).items():
        if not 1 <= len(key) <= 79 or not all(" " <= c <= "~" or "\xa1" <= c <= "\xff" for c in key):
            raise ValueError(
                f"a PNG text's key must be 1 to 79 printable Latin-1 characters, but got {key!r}"
            )
        if "\0" in value:
            raise ValueError(f"a PNG text cannot hold a NUL, but the one of {key!r} does")
        if value.isascii():
            information.add_text(key, value)
        else:
            information.add_itxt(key, value)
    buffer = BytesIO()
    image.save(buffer, "PNG", pnginfo=information)
    return buffer.getvalue()


def encode_jpeg(picture: np.ndarray, quality: int = 90, xmp: str = "") -> bytes:
    """Return the JPEG of an HWC uint8 picture (1 or 3 channels, 0..255) at ``quality`` 1..100.

    ``xmp`` goes in as its XMP packet. Raises ValueError where the picture is not as described; JPEG has no
    transparency.
    """
    return _encode(to_image(picture, (1, 3), "JPEG"), "JPEG", quality, xmp)


def encode_webp(picture: np.ndarray, quality: int = 90, xmp: str = "") -> bytes:
    """Return the WebP of an HWC uint8 picture (1, 3 or 4 channels, 0..255) at ``quality`` 1..100.

    Raises ValueError where the picture is not as described, or has a side of more than 16,383 pixels.
    """
    image = to_image(picture, (1, 3, 4), "WebP")
    if max(image.size) > 16383:
        raise ValueError(
            f"a WebP is at most 16383 pixels wide and high, but got {image.width} × {image.height}"
        )
    return _encode(image, "WEBP", quality, xmp)


def data_uri(data: bytes, media_type: str) -> str:
    """Return ``data`` as a ``data:`` address of ``media_type`` (such as ``image/png``) for use in a page."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def write_atomically(path: str | os.PathLike[str], data: bytes, *, sync: bool = True) -> None:
    """Write ``data`` to the file at ``path`` so that at every moment it holds all of it or what it held
    before.

    The bytes go to a hidden file in the same folder, to the disk, and then take the name. What can be caught
    is cleaned up; a machine that stops at the wrong moment leaves at most such a hidden ``.part`` file. Without
    ``sync`` the system brings the bytes to the disk when it likes: ten times faster for thousands of small files
    that can be made again, of which a machine that loses its power may leave some empty.
    Raises OSError where the folder does not exist or cannot be written.
    """
    target = Path(path)
    # Not tempfile's: those files are readable by their owner only, and would stay so.
    aside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with aside.open("xb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(target)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    if sync:
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's new names to the disk, on systems where a folder can be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _encode(image: Image.Image, kind: str, quality: int, xmp: str) -> bytes:
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be from 1 to 100, but got {quality}")
    buffer = BytesIO()
    image.save(buffer, kind, quality=quality, xmp=xmp.encode())
    return buffer.getvalue()


def to_image(picture: np.ndarray, channels: tuple[int, ...], kind: str) -> Image.Image:
    """An HWC uint8 picture for Pillow. Raises ValueError where a ``kind`` (for the message) has other channels."""
    if (
        picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[2] not in channels
        or picture.size == 0
    ):
        raise ValueError(
            f"a {kind} is made from HWC uint8 with {' or '.join(map(str, channels))} channels, "
            f"but got shape {picture.shape} of {picture.dtype}"
        )
    return Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)

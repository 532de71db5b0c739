"""The one decoder: training, recognition and serving all see a picture through it, and so see the same
pixels.

A picture comes out upright, in sRGB, and with its own memory, or as a PictureError that says what was wrong.
What a file claims is checked before anything is decoded, and its content decides its format, not its name.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from huanjing.errors import PictureError
from huanjing.images.colour import Channels, Colour, to_srgb
from huanjing.images.files import read_regular_file, too_many_bytes
from huanjing.images.formats import (
    JPEG,
    JPEG2000,
    TIFF,
    PictureFormat,
    describe_unreadable,
    find_format,
    jpeg2000_is_cut_short,
    jpeg_has_more_passes,
)
from huanjing.images.quiet import quiet_libtiff, quiet_pillow

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_ORIENTATION_TAG = 0x0112

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Each pass of a progressive JPEG takes a few bytes and goes over the whole picture. Encoders make about ten.
_MAX_JPEG_PASSES = 100

# Where Pillow decodes in Python (QOI, BMP with runs, PPM as text or with odd ranges), a million pixels take
# seconds.
_MAX_SLOW_PIXELS = 4_000_000


@dataclass(frozen=True)
class DecodeLimits:
    """What a file may be before it is decoded: ``max_bytes`` as stored, ``max_pixels`` (width times height).

    Pillow refuses twice ``PIL.Image.MAX_IMAGE_PIXELS`` by itself, whatever ``max_pixels`` allows.
    """

    max_bytes: int = 256 * 1024 * 1024
    max_pixels: int = 100_000_000

    def __post_init__(self) -> None:
        if self.max_bytes < 1 or self.max_pixels < 1:
            raise ValueError(f"limits must be at least 1, but got {self}")


DEFAULT_LIMITS = DecodeLimits()


def decode_file(
    path: str | PathLike[str],
    *,
    minimum_size: tuple[int, int] | None = None,
    background: Colour = (255, 255, 255),
    channels: Channels = 3,
    limits: DecodeLimits = DEFAULT_LIMITS,
) -> np.ndarray:
    """Decode the picture in a file to an array: HWC uint8, sRGB 0..255, upright, writable, with its own
    memory.

    ``channels`` is 3 for red, green, blue with transparency shown over ``background``; 4 to keep the
    transparency (255 is opaque); 1 for grey. Of an animated picture it is the first frame. With
    ``minimum_size`` (height, width, of the upright picture) a JPEG may come out at a half, a quarter or an
    eighth of its size, several times faster, but never smaller than that; other formats and smaller pictures
    come at their own size.

    Raises PictureError where the file cannot be read or is no whole picture within ``limits``, and ValueError
    where an argument is not as described.
    """
    picture = load_picture(
        path, minimum_size=minimum_size, background=background, channels=channels, limits=limits
    )
    return _to_array(picture)


def decode_bytes(
    data: bytes,
    *,
    name: str = "<bytes>",
    minimum_size: tuple[int, int] | None = None,
    background: Colour = (255, 255, 255),
    channels: Channels = 3,
    limits: DecodeLimits = DEFAULT_LIMITS,
) -> np.ndarray:
    """Decode a picture held in memory, as :func:`decode_file` does; an error calls it ``name``."""
    picture = load_picture_bytes(
        data, name=name, minimum_size=minimum_size, background=background, channels=channels, limits=limits
    )
    return _to_array(picture)


def load_picture(
    path: str | PathLike[str],
    *,
    minimum_size: tuple[int, int] | None = None,
    background: Colour = (255, 255, 255),
    channels: Channels = 3,
    limits: DecodeLimits = DEFAULT_LIMITS,
) -> Image.Image:
    """Decode as :func:`decode_file` does, to a Pillow picture of mode L, RGB or RGBA for 1, 3 or 4 channels.

    For callers that resize next. It is fully loaded, keeps no file open, and carries no metadata, so nothing
    downstream can turn it or correct its colours a second time. Raises as :func:`decode_file`.
    """
    _check_arguments(minimum_size, background, channels)
    data = read_regular_file(path, limits.max_bytes)
    return _decode(
        data, path, minimum_size=minimum_size, background=background, channels=channels, limits=limits
    )


def load_picture_bytes(
    data: bytes,
    *,
    name: str = "<bytes>",
    minimum_size: tuple[int, int] | None = None,
    background: Colour = (255, 255, 255),
    channels: Channels = 3,
    limits: DecodeLimits = DEFAULT_LIMITS,
) -> Image.Image:
    """Decode a picture held in memory, as :func:`load_picture` does; an error calls it ``name``."""
    _check_arguments(minimum_size, background, channels)
    if not data:
        raise PictureError(name, "there are no bytes")
    if len(data) > limits.max_bytes:
        raise PictureError(name, too_many_bytes(len(data), limits.max_bytes))
    return _decode(
        data, name, minimum_size=minimum_size, background=background, channels=channels, limits=limits
    )


def as_seen(
    picture: Image.Image, channels: Channels = 3, background: Colour = (255, 255, 255)
) -> Image.Image:
    """A picture of Pillow's as a viewer shows it: upright, in sRGB, on ``background`` where it is transparent.

    Its own metadata says how it lies and what its colours mean; one without any stays as it is.
    """
    picture.load()
    turn = _UPRIGHT.get(_orientation(picture))
    seen = to_srgb(picture, channels, background)
    return seen if turn is None else seen.transpose(turn)


def _to_array(picture: Image.Image) -> np.ndarray:
    array = np.array(picture)
    return array[:, :, None] if array.ndim == 2 else array


def _check_arguments(minimum_size: tuple[int, int] | None, background: Colour, channels: int) -> None:
    if channels not in (1, 3, 4):
        raise ValueError(f"channels must be 1, 3 or 4, but got {channels!r}")
    if len(background) != 3 or not all(0 <= value <= 255 for value in background):
        raise ValueError(f"background must be three numbers from 0 to 255, but got {background!r}")
    if minimum_size is not None and (len(minimum_size) != 2 or min(minimum_size) < 1):
        raise ValueError(f"minimum_size must be a height and a width of at least 1, but got {minimum_size!r}")


def _decode(
    data: bytes,
    name: str | PathLike[str],
    *,
    minimum_size: tuple[int, int] | None,
    background: Colour,
    channels: Channels,
    limits: DecodeLimits,
) -> Image.Image:
    kind = _kind_of(data, name)
    try:
        with quiet_pillow():
            importlib.import_module(f"PIL.{kind.plugin}")
            if kind is TIFF:
                quiet_libtiff()
            with Image.open(BytesIO(data), formats=[kind.name]) as opened:
                _check_pixels(opened, name, limits)
                if minimum_size is not None and kind is JPEG:
                    _shrink_while_decoding(opened, minimum_size)
                picture = as_seen(opened, channels, background)
                if picture is opened:
                    picture = opened.copy()
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(name, _too_many_pixels(limits)) from error
    # Damaged data makes Pillow raise nearly every kind of exception there is.
    except Exception as error:
        raise PictureError(name, _damage(error, kind)) from error
    picture.info.clear()
    return picture


def _kind_of(data: bytes, name: str | PathLike[str]) -> PictureFormat:
    """The format of ``data``, once its bytes show nothing that its reader would not complain of."""
    kind = find_format(data)
    if kind is None:
        raise PictureError(name, describe_unreadable(data))
    if kind is JPEG and jpeg_has_more_passes(data, _MAX_JPEG_PASSES):
        raise PictureError(name, f"is a JPEG of more than {_MAX_JPEG_PASSES} passes, made to take long")
    if kind is JPEG2000 and jpeg2000_is_cut_short(data):
        raise PictureError(name, _cut_short(kind))
    return kind


def _check_pixels(opened: ImageFile, name: str | PathLike[str], limits: DecodeLimits) -> None:
    slow = any(tile[0] in Image.DECODERS for tile in opened.tile)
    most = min(limits.max_pixels, _MAX_SLOW_PIXELS) if slow else limits.max_pixels
    width, height = opened.size
    if width * height > most:
        kind = " of this slow kind" if slow else ""
        raise PictureError(
            name, f"is too large: {width} × {height} pixels, and the limit{kind} is {most:,} pixels"
        )


def _too_many_pixels(limits: DecodeLimits) -> str:
    most = min(limits.max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or limits.max_pixels))
    return f"is too large: it claims more pixels than the limit of {most:,}"


def _shrink_while_decoding(opened: Image.Image, minimum_size: tuple[int, int]) -> None:
    """Have a JPEG decoded at its smallest scale that is at least (height, width) once it is upright."""
    height, width = minimum_size
    if _orientation(opened) >= 5:
        height, width = width, height
    opened.draft(None, (width, height))


def _orientation(opened: Image.Image) -> int:
    """How the camera was held, 1 (upright) to 8; 1 where the metadata is damaged or says something else.

    For a TIFF, whose reader turns it while loading, it is 1 once it is loaded.
    """
    try:
        value = opened.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  as many kinds here, and damaged metadata is no reason to refuse a picture
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def _damage(error: Exception, kind: PictureFormat) -> str:
    """Say in plain words what a reader of Pillow raised about damaged data."""
    if isinstance(error, MemoryError):
        return f"needs more memory than there is to decode this {kind.name}"
    if isinstance(error, UnidentifiedImageError):
        return f"is a damaged {kind.name}, or of a kind that this Pillow cannot read"
    text = " ".join(str(error).split())
    if isinstance(error, EOFError) or "truncated" in text.lower():
        return _cut_short(kind)
    detail = "".join(character for character in text if character.isprintable())[:200]
    return f"is a damaged {kind.name} ({detail or type(error).__name__})"


def _cut_short(kind: PictureFormat) -> str:
    return f"is cut short: this {kind.name} ends before its picture does"

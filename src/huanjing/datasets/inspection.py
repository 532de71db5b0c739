"""What one picture file is: whether it can be read, its size, its oddities, and how it looks."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import PurePosixPath

from PIL import Image

from huanjing.datasets.folder import PictureFile, PictureFolder
from huanjing.datasets.parallel import in_parallel
from huanjing.errors import PictureError
from huanjing.images import DEFAULT_LIMITS, load_picture_bytes
from huanjing.images.files import read_regular_file
from huanjing.images.formats import TIFF, find_format
from huanjing.images.perceptual import Look, look_of
from huanjing.images.quiet import quiet_libtiff, quiet_pillow

LOOKED_AT = (96, 96)
"""Height and width to which a JPEG is decoded to see whether it is whole and how it looks."""

_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Inspection:
    """One readable picture."""

    file: PictureFile
    sha256: str
    look: Look
    width: int
    """As stored; a camera held upright swaps it with the height."""
    height: int
    oddities: frozenset[str]
    """Codes: ``animated``, ``cmyk``, ``sixteen-bit``, ``transparent``, ``turned``, ``wrong-suffix``."""


@dataclass(frozen=True)
class Unusable:
    """One file that cannot be read as a picture."""

    file: PictureFile
    reason: str


def inspect_folder(folder: PictureFolder) -> Iterator[Inspection | Unusable]:
    """Every picture of a folder, in order; read in parallel."""
    return in_parallel(partial(inspect_file, folder), folder.files)


def inspect_file(folder: PictureFolder, file: PictureFile) -> Inspection | Unusable:
    """Read one file whole, through the decoder that training uses."""
    try:
        data = read_regular_file(folder.path(file), DEFAULT_LIMITS.max_bytes)
        picture = load_picture_bytes(data, name=file.name, minimum_size=LOOKED_AT)
    except PictureError as error:
        return Unusable(file, error.reason)
    width, height, oddities = _describe(data, file)
    return Inspection(file, hashlib.sha256(data).hexdigest(), look_of(picture), width, height, oddities)


def _describe(data: bytes, file: PictureFile) -> tuple[int, int, frozenset[str]]:
    """Width and height as stored, and what is odd, from the header of a picture that is known to be readable."""
    kind = find_format(data)
    assert kind is not None
    oddities = set()
    if PurePosixPath(file.name).suffix.lower() not in kind.suffixes:
        oddities.add("wrong-suffix")
    with quiet_pillow():
        importlib.import_module(f"PIL.{kind.plugin}")
        if kind is TIFF:
            quiet_libtiff()
        with Image.open(BytesIO(data), formats=[kind.name]) as opened:
            # A phone's JPEG may carry a second picture for depth or for a preview: that is no animation.
            if opened.format != "MPO" and kind.name != "JPEG" and getattr(opened, "n_frames", 1) > 1:
                oddities.add("animated")
            if opened.mode == "CMYK":
                oddities.add("cmyk")
            if opened.mode.startswith(("I", "F")) or _stores_sixteen_bits(opened):
                oddities.add("sixteen-bit")
            if opened.has_transparency_data:
                oddities.add("transparent")
            if _orientation(opened) not in {None, 1}:
                oddities.add("turned")
            return opened.width, opened.height, frozenset(oddities)


def _stores_sixteen_bits(opened: Image.Image) -> bool:
    """Whether a colour picture's channels had 16 bits in the file (Pillow shows them as 8)."""
    tiles: list[tuple[object, ...]] = getattr(opened, "tile", None) or []
    return any(";16" in str(tile[3]) for tile in tiles)


def _orientation(opened: Image.Image) -> object:
    try:
        return opened.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  damaged metadata raises nearly every kind of exception, and is no fault
        return None

"""The sample data in the package: real photographs to recognise, clothing pictures to learn from."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from PIL import Image

from huanjing.errors import DatasetError
from huanjing.runtime.engine import cache_folder

ASSETS = Path(__file__).parent.parent / "assets"
"""What the package brings along."""


class ClothingSheet(msgspec.Struct, frozen=True):
    """One file of ``assets/clothing``: the pictures of one class and split, row by row on one sheet."""

    file: str
    label: str
    split: Literal["train", "test"]
    count: int
    columns: int


class ClothingIndex(msgspec.Struct, frozen=True):
    """``clothing.json``."""

    side: int
    sheets: list[ClothingSheet]


class Subject(msgspec.Struct, frozen=True):
    """What a photograph shows."""

    en: str
    zh: str


class SamplePhotograph(msgspec.Struct, frozen=True):
    """A photograph in the package, free to use."""

    file: str
    subject: Subject
    author: str
    licence: str
    origin: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return ASSETS / "photographs" / self.file


def photographs() -> list[SamplePhotograph]:
    """The sample photographs."""
    content = (ASSETS / "photographs" / "photographs.json").read_bytes()
    return msgspec.json.decode(content, type=list[SamplePhotograph])


def clothing_folder() -> Path:
    """A folder with ``train/CLASS/`` and ``test/CLASS/``: 28×28 grey PNGs of clothing, unpacked in the cache once.

    A subset of Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017; MIT licence).

    :raises DatasetError: where the cache cannot be written.
    """
    index_bytes = (ASSETS / "clothing" / "clothing.json").read_bytes()
    index = msgspec.json.decode(index_bytes, type=ClothingIndex)
    folder = cache_folder() / "samples" / "clothing"
    done = folder / "clothing.json"
    if done.is_file() and done.read_bytes() == index_bytes:
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
        try:
            for sheet in index.sheets:
                unpack_sheet(ASSETS / "clothing" / sheet.file, sheet, index.side, aside)
            shutil.copyfile(ASSETS / "clothing" / "LICENCE", aside / "LICENCE")
            (aside / "clothing.json").write_bytes(index_bytes)
            _put(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise DatasetError(
            f"{folder}: the clothing pictures cannot be unpacked: {error.strerror or error}. "
            "Make room, or name another place with HUANJING_CACHE."
        ) from error
    return folder


def unpack_sheet(path: Path, sheet: ClothingSheet, side: int, folder: Path) -> None:
    """Write the pictures of one sheet as ``SPLIT/CLASS/00001.png``."""
    target = folder / sheet.split / sheet.label
    target.mkdir(parents=True)
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("L"))
    for number in range(sheet.count):
        row, column = divmod(number, sheet.columns)
        tile = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
        Image.fromarray(tile).save(target / f"{number + 1:05d}.png", compress_level=1)


def _put(aside: Path, folder: Path) -> None:
    """Give the unpacked folder its name; where another process was faster, theirs stays."""
    aside.chmod(0o755)
    if folder.exists():
        outgoing = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        folder.rename(outgoing / "clothing")
        shutil.rmtree(outgoing, ignore_errors=True)
    try:
        aside.rename(folder)
    except OSError:
        if not (folder / "clothing.json").is_file():
            raise

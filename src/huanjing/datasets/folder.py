"""Finding the pictures in a folder, whatever else lies in it."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from natsort import natsort_keygen, ns

from huanjing.errors import DatasetError
from huanjing.images import PICTURE_SUFFIXES

GivenPart = Literal["train", "val", "test"]
"""What a folder can say a picture is for."""

PARTS: dict[str, GivenPart] = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What the folders of a set that is already split are called, in any case."""


@dataclass(frozen=True)
class PictureFile:
    """A file that may hold a picture, as the file system describes it."""

    name: str
    """Relative to the folder, with ``/`` between parts."""
    bytes: int
    modified: int
    """Nanoseconds since 1970."""
    label: str
    """The subfolder of the first level that it lies in; empty for one directly in the folder."""


@dataclass(frozen=True)
class PictureFolder:
    """The pictures of a folder in natural order (``img2`` before ``img10``)."""

    root: Path
    files: tuple[PictureFile, ...]
    others: int
    """How many files were passed over because their suffix is no picture's."""

    @property
    def labels(self) -> list[str]:
        """The class subfolders, in natural order; empty where pictures lie in the folder itself."""
        labels = dict.fromkeys(file.label for file in self.files)
        return [] if "" in labels else list(labels)

    def path(self, file: PictureFile) -> Path:
        """Where a file is."""
        return self.root / file.name


def index_folder(
    folder: str | os.PathLike[str], suffixes: Collection[str] = PICTURE_SUFFIXES
) -> PictureFolder:
    """List the pictures in ``folder`` and all folders below it.

    What is hidden is passed over; links are followed, each real folder once, so that loops end.

    :param suffixes: of the files that are listed, in lower case.
    :raises DatasetError: where there is no such folder, or no file with a picture's suffix in it.
    """
    root = Path(folder)
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise DatasetError(f"{root}: {what}. Name the folder that holds the pictures.")
    names: list[str] = []
    others = 0
    seen: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        raise DatasetError(f"{error.filename or root}: cannot be listed: {error.strerror}.") from error

    for place, folders, files in os.walk(root, followlinks=True, onerror=refuse):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            if Path(name).suffix.lower() in suffixes:
                names.append((Path(place) / name).relative_to(root).as_posix())
            else:
                others += 1
    if not names:
        found = f"{others} other files, but none" if others else "nothing"
        raise DatasetError(
            f"{root}: holds no pictures. Found {found} with a suffix such as .jpg, .png or .webp, "
            "here or in the folders below."
        )
    names.sort(key=natsort_keygen(alg=ns.PATH | ns.IGNORECASE))
    return PictureFolder(root, tuple(_describe(root, name) for name in names), others)


def leave_out(index: PictureFolder, listed: Path) -> PictureFolder:
    """The folder without the pictures that a text file lists: paths relative to it, one a line; ``#`` begins a remark.

    :raises DatasetError: where the list cannot be read, or leaves nothing.
    """
    try:
        lines = listed.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"--exclude {listed}: cannot be read as a list of paths: {error}") from None
    unwanted = {plain_path(line) for line in lines if line.strip() and not line.startswith("#")}
    files = tuple(file for file in index.files if file.name not in unwanted)
    if not files:
        raise DatasetError(f"--exclude {listed}: lists every picture of {index.root}; none is left.")
    return replace(index, files=files)


def split_of(index: PictureFolder) -> dict[str, GivenPart]:
    """What each folder of the first level is for; nothing where the folder is not split.

    It is where all of them are called as parts are, training pictures among them, or where there are both training
    and test pictures.
    """
    tops = {file.name.split("/", 1)[0] for file in index.files if "/" in file.name}
    known = {top: PARTS[top.lower()] for top in sorted(tops) if top.lower() in PARTS}
    parts = set(known.values())
    split = ("train" in parts and len(known) == len(tops)) or parts >= {"train", "test"}
    return known if split else {}


def one_part(index: PictureFolder, wanted: GivenPart) -> PictureFolder | None:
    """The pictures that a split folder has for that, as a folder of their own; None where it has none."""
    top = next((top for top, part in split_of(index).items() if part == wanted), None)
    if top is None:
        return None
    inside = [file for file in index.files if file.name.startswith(f"{top}/")]
    names = [file.name.removeprefix(f"{top}/") for file in inside]
    files = (replace(file, name=name, label=_label(name)) for file, name in zip(inside, names, strict=True))
    return PictureFolder(index.root / top, tuple(files), index.others)


def plain_path(path: str) -> str:
    """A relative path as :attr:`PictureFile.name` writes it, whatever system it comes from."""
    return PurePosixPath(path.strip().replace("\\", "/")).as_posix()


def as_text(name: str) -> str:
    r"""A folder's name where it becomes a name of ours, a class's say: what of it is no text is written ``\udcff``."""
    return name.encode(errors="backslashreplace").decode()


def _label(name: str) -> str:
    return as_text(name.split("/", 1)[0]) if "/" in name else ""


def _describe(root: Path, name: str) -> PictureFile:
    label = _label(name)
    try:
        status = (root / name).stat()
    except OSError:  # a link to nowhere, or gone meanwhile: the decoder will say so
        return PictureFile(name, 0, 0, label)
    return PictureFile(name, status.st_size, status.st_mtime_ns, label)

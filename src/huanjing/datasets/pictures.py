"""All pictures of a folder, decoded once into one array that training reads from the disk's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.bundle import any_name
from huanjing.datasets.folder import PictureFile, PictureFolder, index_folder
from huanjing.datasets.parallel import in_parallel
from huanjing.errors import DatasetError, PictureError
from huanjing.images import fit, load_picture, minimum_source_size
from huanjing.runtime.engine import cache_folder

VERSION = 1
"""Of what is prepared: raised when a change in decoding makes other pixels, so that old caches are left alone."""

GREY_TOLERANCE = 2
GREY_PROBE = 64
"""Pictures that are looked at, spread over the folder, to see whether all are grey."""

CLEAR = 250
"""Below so much opacity, of 255, a pixel counts as one that shows what is behind it."""

Channels = Literal["auto", 1, 3, 4]


class BrokenPicture(msgspec.Struct, frozen=True):
    """A picture that could not be used."""

    name: str
    reason: str


class _Description(msgspec.Struct, frozen=True):
    """``pictures.json``, beside the array."""

    digest: str
    names: list[str]
    labels: list[str]
    broken: list[BrokenPicture]


@dataclass(frozen=True)
class PictureArray:
    """Pictures ready for training."""

    folder: Path
    array: NDArray[np.uint8]
    """NHWC, 0..255, sRGB, the fourth channel alpha; mapped from a file, so it may be larger than memory."""
    names: list[str]
    """Name of each picture, relative to the folder."""
    labels: list[str]
    """The subfolder that each lies in; all empty where there are none."""
    broken: list[BrokenPicture]
    digest: str
    """SHA-256 over the array and its shape."""

    def __len__(self) -> int:
        return len(self.array)


def prepare_pictures(
    folder: str | os.PathLike[str] | PictureFolder,
    resolution: tuple[int, int],
    channels: Channels = "auto",
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> PictureArray:
    """Decode every picture of a folder, cropped to ``resolution`` (height, width), or take them from the cache.

    :param channels: 1 is grey, 3 red, green and blue, 4 these and alpha (255 is opaque); ``auto`` is 1 where all
        pictures that are probed are grey, else 3. Without alpha, what is transparent shows white.
    :param on_progress: called with the pictures done and the pictures in all.
    :raises DatasetError: where the folder holds no usable picture, or the cache cannot be written.
    """
    index = folder if isinstance(folder, PictureFolder) else index_folder(folder)
    chosen = probe_channels(index) if channels == "auto" else channels
    cached = cache_folder() / "pictures" / _key(index, resolution, chosen)
    if not (cached / "pictures.json").is_file():
        try:
            _prepare(index, resolution, chosen, cached, on_progress)
        except OSError as error:
            raise DatasetError(
                f"{cached}: the prepared pictures cannot be written: {error.strerror or error}. "
                "Make room, or name another place with HUANJING_CACHE."
            ) from error
    description = any_name.decode((cached / "pictures.json").read_bytes(), _Description)
    array: NDArray[np.uint8] = np.load(cached / "pictures.npy", mmap_mode="r", allow_pickle=False)
    return PictureArray(
        index.root, array, description.names, description.labels, description.broken, description.digest
    )


def probe_channels(index: PictureFolder, *, transparency: bool = False) -> Literal[1, 3, 4]:
    """1 where every probed picture is grey, else 3.

    :param transparency: 4 where at least half of them have transparent parts, as cut-out figures do.
    """
    if transparency:
        clear = [np.asarray(picture.getchannel("A")).min() < CLEAR for picture in _probe(index, 4)]
        if clear and 2 * sum(clear) >= len(clear):
            return 4
    for picture in _probe(index, 3):
        if np.ptp(np.asarray(picture, np.int16), axis=2).max() > GREY_TOLERANCE:
            return 3
    return 1


def _probe(index: PictureFolder, channels: Literal[3, 4]) -> Iterator[Image.Image]:
    """Some pictures spread over the folder; those that cannot be read are passed over."""
    every = max(1, len(index.files) // GREY_PROBE)
    for file in index.files[::every]:
        with suppress(PictureError):
            yield load_picture(index.path(file), minimum_size=(64, 64), channels=channels)


def probe_size(index: PictureFolder) -> tuple[int, int] | None:
    """The median (height, width) of some pictures spread over the folder; None where none can be read."""
    every = max(1, len(index.files) // GREY_PROBE)
    sizes = []
    for file in index.files[::every]:
        try:
            sizes.append(load_picture(index.path(file)).size)
        except PictureError:
            continue
    if not sizes:
        return None
    width, height = np.median(np.array(sizes), axis=0)
    return int(height), int(width)


def _prepare(
    index: PictureFolder,
    resolution: tuple[int, int],
    channels: Literal[1, 3, 4],
    cached: Path,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".making-", dir=cached.parent))
    try:
        total = len(index.files)
        array = np.lib.format.open_memmap(
            aside / "all.npy", mode="w+", dtype=np.uint8, shape=(total, *resolution, channels)
        )
        names: list[str] = []
        labels: list[str] = []
        broken: list[BrokenPicture] = []
        for done, (file, result) in enumerate(_decode_all(index, resolution, channels), start=1):
            if isinstance(result, PictureError):
                broken.append(BrokenPicture(file.name, result.reason))
            else:
                array[len(names)] = result
                names.append(file.name)
                labels.append(file.label)
            if on_progress is not None:
                on_progress(done, total)
        if not names:
            raise DatasetError(
                f"{index.root}: none of its {total} pictures can be used. "
                f"The first, {broken[0].name}: {broken[0].reason}."
            )
        if broken:
            usable = np.lib.format.open_memmap(
                aside / "pictures.npy", mode="w+", dtype=np.uint8, shape=(len(names), *array.shape[1:])
            )
            for start in range(0, len(names), 4096):
                usable[start : start + 4096] = array[start : min(start + 4096, len(names))]
            usable.flush()
            array = usable
            (aside / "all.npy").unlink()
        else:
            array.flush()
            (aside / "all.npy").rename(aside / "pictures.npy")
        labels = labels if "" not in labels else [""] * len(labels)
        description = _Description(content_digest(array), names, labels, broken)
        (aside / "pictures.json").write_bytes(any_name.encode(description))
        try:
            aside.rename(cached)
        except OSError:  # another process was faster
            if not (cached / "pictures.json").is_file():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _decode_all(
    index: PictureFolder, resolution: tuple[int, int], channels: Literal[1, 3, 4]
) -> Iterator[tuple[PictureFile, NDArray[np.uint8] | PictureError]]:
    """Every file with its picture, in order; decoded in parallel."""

    def decode(file: PictureFile) -> NDArray[np.uint8] | PictureError:
        try:
            picture = load_picture(
                index.path(file),
                minimum_size=minimum_source_size(*resolution, mode="crop"),
                channels=channels,
            )
            return to_resolution(picture, resolution)
        except PictureError as error:
            return error

    yield from zip(index.files, in_parallel(decode, index.files), strict=True)


def to_resolution(picture: Image.Image, resolution: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of a picture of mode L, RGB or RGBA at ``resolution`` (height, width): HWC uint8, 0..255."""
    pixels = np.asarray(fit(picture, *resolution, mode="crop"), np.uint8)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def content_digest(array: NDArray[np.uint8]) -> str:
    """SHA-256 over an array's shape and its content, in blocks."""
    digest = hashlib.sha256(repr(array.shape).encode())
    for start in range(0, len(array), 4096):
        digest.update(np.ascontiguousarray(array[start : start + 4096]).tobytes())
    return digest.hexdigest()


def _key(index: PictureFolder, resolution: tuple[int, int], channels: int) -> str:
    """The cache's name for a folder as it is now: any change of a file's name, size or time makes another."""
    import PIL

    digest = hashlib.sha256(repr((VERSION, PIL.__version__, resolution, channels)).encode())
    for file in index.files:
        digest.update(repr((file.name, file.bytes, file.modified)).encode())
    return digest.hexdigest()[:32]

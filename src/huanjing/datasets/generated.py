"""A generator's pictures as training data: each from a seed of its own, brought to size as pictures of files are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.datasets.cache import cached_array
from huanjing.datasets.parallel import in_parallel
from huanjing.datasets.pictures import PictureArray, content_digest, to_resolution
from huanjing.images.colour import to_srgb
from huanjing.runtime import Generator
from huanjing.runtime.engine import cache_folder

VERSION = 1
"""Raised when a change makes other pixels, so that old caches are left alone."""
CHUNK = 1024
"""Pictures that are in memory at a time."""
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Request:
    """What a generator is to make of one class."""

    label: str
    """What the class is called where the pictures go."""
    position: int
    """The class's position among the generator's."""
    seeds: range


def generated_pictures(
    generator: Generator,
    requests: Sequence[Request],
    resolution: tuple[int, int],
    channels: Literal[1, 3, 4],
    on_progress: Callable[[int, int], None] | None = None,
) -> PictureArray:
    """The pictures of ``requests``, one after the other, or from the cache; ``folder`` is the generator's bundle.

    A picture has the pixels that it would have if ``huanjing generate`` wrote it to a PNG file and
    :func:`huanjing.datasets.prepare_pictures` read that.

    :param resolution: height and width.
    :param on_progress: called with the pictures done and the pictures in all.
    :raises DatasetError: where the cache cannot be written.
    """
    made = [(one.position, one.seeds) for one in requests]
    key = repr((VERSION, generator.bundle.digest, made, resolution, channels)).encode()
    path = cache_folder() / "generated" / f"{hashlib.sha256(key).hexdigest()[:32]}.npy"
    total = sum(len(one.seeds) for one in requests)

    def write(aside: Path) -> None:
        shape = (total, *resolution, channels)
        array = np.lib.format.open_memmap(aside, mode="w+", dtype=np.uint8, shape=shape)
        done = 0
        for one in requests:
            for start in range(0, len(one.seeds), CHUNK):
                drawn = generator.generate(one.seeds[start : start + CHUNK], one.position)
                for pixels in in_parallel(lambda picture: _fitted(picture, resolution, channels), drawn):
                    array[done] = pixels
                    done += 1
                if on_progress is not None:
                    on_progress(done, total)
        array.flush()

    array: NDArray[np.uint8] = cached_array(path, write, "the generated pictures")
    labels = [one.label for one in requests for _ in one.seeds]
    names = [f"{one.label}/seed-{seed:08d}" for one in requests for seed in one.seeds]
    return PictureArray(generator.bundle.folder, array, names, labels, [], content_digest(array))


def _fitted(
    pixels: NDArray[np.uint8], resolution: tuple[int, int], channels: Literal[1, 3, 4]
) -> NDArray[np.uint8]:
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return to_resolution(to_srgb(picture, channels, WHITE), resolution)

"""Reading pictures for an index: each file once, for its hash, its look and its embedding together."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import PictureError
from huanjing.images import DEFAULT_LIMITS, fit, load_picture_bytes, minimum_source_size
from huanjing.images.files import read_regular_file
from huanjing.images.perceptual import Look, look_of
from huanjing.runtime import Recognizer
from huanjing.runtime.recognizer import FAST_DECODING

ENOUGH = 72
"""Pixels a side that a look needs; bringing a picture to them by boxes costs less than as a look does by itself."""


@dataclass(frozen=True)
class ReadPicture:
    """What an index keeps of one picture."""

    sha256: str
    look: Look
    embedding: NDArray[np.float16]
    """``[features]``, of length 1."""


def read_pictures(
    recognizer: Recognizer, paths: Iterable[str | PathLike[str]]
) -> Iterator[ReadPicture | PictureError]:
    """Read each picture, in order; one that cannot be read gives its error. A few batches are held at a time."""
    files: deque[_File] = deque()

    def named() -> Iterator[_File]:
        for path in paths:
            files.append(_File(path, recognizer))
            yield files[-1]

    for features in recognizer.features_all(named()):
        file = files.popleft()
        if isinstance(features, PictureError):
            yield features
        else:
            yield ReadPicture(file.sha256, file.look, unit(features).astype(np.float16))


def unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[features]`` divided by its length; zeros stay."""
    return np.asarray(features / max(float(np.linalg.norm(features)), 1e-12), np.float32)


class _File:
    """A file that the recogniser's decoding threads read; afterwards its hash and its look are known."""

    sha256: str
    look: Look

    def __init__(self, path: str | PathLike[str], recognizer: Recognizer) -> None:
        self._path, self._recognizer = path, recognizer

    def __call__(self) -> NDArray[np.uint8]:
        """The whole picture, squashed to the network's input: HWC uint8, 0..255.

        :raises PictureError: where it cannot be read.
        """
        height, width, channels = self._recognizer.shape
        slack = 1.0 if self._recognizer.precision == "f32" else FAST_DECODING
        data = read_regular_file(self._path, DEFAULT_LIMITS.max_bytes)
        least = minimum_source_size(ceil(height * slack), ceil(width * slack), mode="squash")
        picture = load_picture_bytes(
            data, name=str(self._path), channels=self._recognizer.input.channels, minimum_size=least
        )
        whole = fit(picture, height, width, mode="squash", resample=self._recognizer.input.resample)
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.look = look_of(fit(whole, ENOUGH, ENOUGH, mode="squash", resample="box"))
        return np.asarray(whole).reshape(height, width, channels)

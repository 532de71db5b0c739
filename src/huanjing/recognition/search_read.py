"""Reading pictures for an index: each file once, for its hash, its look and its embedding together."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from math import ceil
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import PictureError
from huanjing.images import DEFAULT_LIMITS, fit, load_picture_bytes, minimum_source_size
from huanjing.images.files import read_regular_file
from huanjing.images.perceptual import Look, look_of
from huanjing.runtime import Recognizer, processors
from huanjing.runtime.recognizer import FAST_DECODING


@dataclass(frozen=True)
class ReadPicture:
    """What an index keeps of one picture."""

    sha256: str
    look: Look
    embedding: NDArray[np.float16]
    """``[features]``, of length 1."""


@dataclass(frozen=True)
class _Decoded:
    sha256: str
    look: Look
    pixels: NDArray[np.uint8]


def read_pictures(
    recognizer: Recognizer, paths: Iterable[str | PathLike[str]]
) -> Iterator[ReadPicture | PictureError]:
    """Read each picture, in order; one that cannot be read gives its error. A few batches are held at a time."""
    remaining = iter(paths)
    first = next(remaining, None)
    if first is None:
        return  # without a network to prepare
    waiting: deque[_Decoded | PictureError] = deque()

    def pixels() -> Iterator[NDArray[np.uint8]]:
        for decoded in _decode_all(recognizer, chain([first], remaining)):
            waiting.append(decoded)
            if not isinstance(decoded, PictureError):
                yield decoded.pixels

    for features in recognizer.features_all(pixels()):
        if isinstance(features, PictureError):
            raise features  # arrays of the right size cannot fail
        while isinstance(decoded := waiting.popleft(), PictureError):
            yield decoded
        yield ReadPicture(decoded.sha256, decoded.look, unit(features).astype(np.float16))
    for decoded in waiting:
        assert isinstance(decoded, PictureError)
        yield decoded


def unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[features]`` divided by its length; zeros stay."""
    return np.asarray(features / max(float(np.linalg.norm(features)), 1e-12), np.float32)


def _decode_all(
    recognizer: Recognizer, paths: Iterable[str | PathLike[str]]
) -> Iterator[_Decoded | PictureError]:
    """Decode in parallel, only so far ahead that memory stays small."""
    workers = processors()
    with ThreadPoolExecutor(workers, thread_name_prefix="read") as pool:
        remaining = iter(paths)
        queue = deque(pool.submit(_decode, recognizer, path) for path in islice(remaining, 16 * workers))
        try:
            while queue:
                future = queue.popleft()
                for path in islice(remaining, 1):
                    queue.append(pool.submit(_decode, recognizer, path))
                yield future.result()
        finally:
            for future in queue:
                future.cancel()


def _decode(recognizer: Recognizer, path: str | PathLike[str]) -> _Decoded | PictureError:
    height, width = recognizer.shape[:2]
    slack = 1.0 if recognizer.precision == "f32" else FAST_DECODING
    try:
        data = read_regular_file(path, DEFAULT_LIMITS.max_bytes)
        least = minimum_source_size(ceil(height * slack), ceil(width * slack), mode="squash")
        picture = load_picture_bytes(
            data, name=str(path), channels=recognizer.input.channels, minimum_size=least
        )
    except PictureError as error:
        return error
    whole = fit(picture, height, width, mode="squash", resample=recognizer.input.resample)
    pixels = np.asarray(whole).reshape(recognizer.shape)
    return _Decoded(hashlib.sha256(data).hexdigest(), look_of(whole), pixels)

"""What the frozen network sees in each picture, computed once and kept in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huanjing.datasets import PictureArray
from huanjing.datasets.cache import cached_array
from huanjing.runtime import Recognizer, cache_folder
from huanjing.runtime.engine import resolve_precision

VERSION = 1
"""Raised when a change makes other features, so that old caches are left alone."""


def frozen_features(
    recognizer: Recognizer,
    pictures: PictureArray,
    positions: NDArray[np.int64],
    *,
    mirrored: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """The features ``[N, features]`` of the pictures at ``positions``, mapped from a file in the cache.

    The cache goes by content: by the pictures' digest, the model's, and the arithmetic.

    :param mirrored: of the pictures as a mirror shows them.
    :param on_progress: called with the pictures done and the pictures in all, where they are computed.
    :raises DatasetError: where the cache cannot be written.
    """
    parts = (
        VERSION,
        recognizer.bundle.digest,
        resolve_precision(recognizer.precision),
        pictures.digest,
        mirrored,
    )
    digest = hashlib.sha256(repr(parts).encode())
    digest.update(positions.astype("<i8").tobytes())
    path = cache_folder() / "features" / f"{digest.hexdigest()[:32]}.npy"

    def write(aside: Path) -> None:
        _compute(aside, recognizer, pictures.array, positions, mirrored, on_progress)

    features: NDArray[np.float32] = cached_array(path, write, "the pictures' features")
    return features


def _compute(
    aside: Path,
    recognizer: Recognizer,
    array: NDArray[np.uint8],
    positions: NDArray[np.int64],
    mirrored: bool,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    def each() -> Iterator[NDArray[np.uint8]]:
        for position in positions:
            pixels = array[position]
            yield np.ascontiguousarray(pixels[:, ::-1] if mirrored else pixels)

    written: np.memmap[tuple[int, int], np.dtype[np.float32]] | None = None
    for done, features in enumerate(recognizer.features_all(each())):
        if isinstance(features, Exception):
            raise features
        if written is None:
            written = np.lib.format.open_memmap(
                aside, mode="w+", dtype=np.float32, shape=(len(positions), len(features))
            )
        written[done] = features
        if on_progress is not None:
            on_progress(done + 1, len(positions))
    assert written is not None
    written.flush()

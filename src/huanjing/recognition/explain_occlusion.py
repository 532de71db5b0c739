"""Maps by occlusion: what the network no longer says when a part of the picture is hidden from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Reals = NDArray[np.float64]

CELLS = 12
"""Cells of the map along a side, fewer where the picture has not that many pixels."""
WINDOW = 3
"""Side of what is hidden at a time, in cells. Windows move by one cell and reach over the edges, so that each cell is
hidden by WINDOW² of them: 14 × 14 = 196 windows."""
BLUR = 6
"""A hidden part shows the picture as it looks when shrunk to so many pixels a side: its colours without its shapes."""


class OcclusionMap:
    """Makes maps with a function that answers for pictures.

    :param logits: ``[BATCH, H, W, C]`` uint8 → ``[BATCH, classes]``.
    """

    BATCH = 14

    def __init__(self, logits: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
        self.logits = logits

    def maps(
        self,
        pixels: NDArray[np.uint8],
        classes: Sequence[int],
        on_progress: Callable[[int, int], None],
    ) -> list[Reals]:
        """The map ``[rows, columns]`` of each of ``classes``: the mean fall of its log-odds over the windows that hide
        a cell. The log-odds log(p / (1 - p)), unlike the probability p, do not saturate where the network is sure.

        :param pixels: the picture as the network sees it, HWC uint8.
        """
        height, width = pixels.shape[:2]
        rows, columns = min(CELLS, height), min(CELLS, width)
        top, left = _edges(height, rows), _edges(width, columns)
        windows = [(row, column) for row in range(1 - WINDOW, rows) for column in range(1 - WINDOW, columns)]
        hidden = _without_shapes(pixels)
        falls = np.zeros((len(classes), rows, columns))
        count = np.zeros((rows, columns))
        batch = np.repeat(pixels[None], self.BATCH, axis=0)
        before = log_odds(self.logits(batch)[0], classes)
        for start in range(0, len(windows), self.BATCH):
            some = windows[start : start + self.BATCH]
            batch[:] = pixels
            for k, (row, column) in enumerate(some):
                down = slice(top[max(0, row)], top[min(rows, row + WINDOW)])
                across = slice(left[max(0, column)], left[min(columns, column + WINDOW)])
                batch[k, down, across] = hidden[down, across]
            after = log_odds(self.logits(batch), classes)
            for (row, column), answer in zip(some, after, strict=False):
                cells = slice(max(0, row), row + WINDOW), slice(max(0, column), column + WINDOW)
                falls[:, *cells] += (before - answer)[:, None, None]
                count[cells] += 1
            on_progress(min(start + self.BATCH, len(windows)), len(windows))
        return list(falls / count)


def log_odds(logits: NDArray[np.floating], classes: Sequence[int]) -> Reals:
    """log(p / (1 - p)) of each of ``classes``: ``[..., all classes]`` → ``[..., len(classes)]``."""
    wide = np.asarray(logits, np.float64)
    found = []
    for index in classes:
        others = np.delete(wide, index, axis=-1)
        highest = others.max(axis=-1)
        found.append(wide[..., index] - highest - np.log(np.exp(others - highest[..., None]).sum(axis=-1)))
    return np.stack(found, axis=-1)


def _edges(length: int, cells: int) -> list[int]:
    """Where ``cells`` cells of nearly the same size begin, and the end."""
    return [round(length * k / cells) for k in range(cells + 1)]


def _without_shapes(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    small = picture.resize((BLUR, BLUR), Image.Resampling.BOX)
    return np.asarray(small.resize(picture.size, Image.Resampling.BICUBIC)).reshape(pixels.shape)

"""From a map over a network's input to places in the picture: the frame it covers, and the boxes of its hot regions."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.bundle import PictureInput

THRESHOLD = 0.4
"""A region is hot where the map is above this part of its highest value."""
SMALLEST = 0.02
"""Regions with less than this part of the heat are not named."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a picture, in whole pixels from its upper left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box(Place):
    """The place of a hot region, and the heat in it."""

    share: float
    """Of all heat in the picture, what the region holds, 0..1."""
    mean_heat: float
    """Over the region, in the map's units."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a network's input shows, in pixels of the picture. May reach over its edges, where the input is padded."""

    left: float
    upper: float
    right: float
    lower: float

    def place(self, part: tuple[float, float, float, float], width: int, height: int) -> Place:
        """The pixels of a picture of ``width`` × ``height`` in which ``part`` lies.

        :param part: left, upper, right and lower in the frame, 0..1.
        """
        across, down = self.right - self.left, self.lower - self.upper
        left = min(max(0, math.floor(self.left + part[0] * across)), width - 1)
        upper = min(max(0, math.floor(self.upper + part[1] * down)), height - 1)
        right = min(max(left + 1, math.ceil(self.left + part[2] * across)), width)
        lower = min(max(upper + 1, math.ceil(self.upper + part[3] * down)), height)
        return Place(left, upper, right - left, lower - upper)


def input_frame(width: int, height: int, into: PictureInput) -> Frame:
    """What the network is shown of a picture of ``width`` × ``height``: the inverse of :func:`huanjing.images.fit`."""
    if into.fit == "squash":
        return Frame(0.0, 0.0, float(width), float(height))
    if into.fit == "crop":
        scale = into.crop_fraction * min(width / into.width, height / into.height)
        across, down = scale * into.width, scale * into.height
        left, upper = (width - across) / 2, (height - down) / 2
        return Frame(left, upper, left + across, upper + down)
    scale = min(into.width / width, into.height / height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    across, down = into.width * width / inner_width, into.height * height / inner_height
    left = -((into.width - inner_width) // 2) * width / inner_width
    upper = -((into.height - inner_height) // 2) * height / inner_height
    return Frame(left, upper, left + across, upper + down)


def resize_map(map_: NDArray[np.floating], height: int, width: int) -> Floats:
    """A map at another size, smooth between the middles of its cells."""
    picture = Image.fromarray(np.asarray(map_, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def hot_boxes(heat: Floats, frame: Frame, width: int, height: int) -> list[Box]:
    """The boxes of connected regions above :data:`THRESHOLD` of the highest value, most heat first.

    :param heat: ``[rows, columns]``, 0 or more, over ``frame`` of a picture of ``width`` × ``height``.
    """
    total = float(heat.sum())
    if total <= 0:
        return []
    boxes = []
    for region in regions(heat > THRESHOLD * float(heat.max())):
        inside = heat[region]
        share = float(inside.sum()) / total
        if share < SMALLEST:
            continue
        down, across = region
        part = (
            across.min() / heat.shape[1],
            down.min() / heat.shape[0],
            (across.max() + 1) / heat.shape[1],
            (down.max() + 1) / heat.shape[0],
        )
        place = frame.place(part, width, height)
        boxes.append(Box(place.x, place.y, place.width, place.height, share, float(inside.mean())))
    return sorted(boxes, key=lambda box: -box.share)


def regions(mask: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Connected regions (edges and corners touch) of a mask ``[rows, columns]``: the rows and columns of each."""
    left = mask.copy()
    rows, columns = mask.shape
    found = []
    for start in zip(*np.nonzero(mask), strict=True):
        if not left[start]:
            continue
        left[start] = False
        queue, cells = deque([start]), [start]
        while queue:
            row, column = queue.popleft()
            for near in (
                (r, c)
                for r in range(max(0, row - 1), min(rows, row + 2))
                for c in range(max(0, column - 1), min(columns, column + 2))
            ):
                if left[near]:
                    left[near] = False
                    queue.append(near)
                    cells.append(near)
        down, across = np.array(cells, np.int64).T
        found.append((down, across))
    return found

"""The picture that shows where a network looked: heat on the picture, and the boxes of hot regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from huanjing.recognition.explain import Explanation

LONGEST = 1600
"""Pixels of an overlay's longer side at most; a larger picture is shown smaller."""
SHORTEST = 384
"""Pixels of an overlay's longer side at least; a smaller picture is shown enlarged, pixel by pixel."""

SCALE = (
    (0.0, (40, 11, 84)), (0.2, (101, 21, 110)), (0.4, (159, 42, 99)), (0.6, (212, 72, 66)), (0.8, (245, 125, 21)),
    (0.9, (250, 193, 39)), (1.0, (252, 255, 164)),
)  # fmt: skip
"""Heat as colour: dark violet to light yellow. Lightness only ever rises, so that nothing rests on telling red from
green."""
UNSEEN = 0.4
"""Brightness of what the network was not shown."""


def overlay(explanation: Explanation) -> NDArray[np.uint8]:
    """The picture in grey under its heat, with thin boxes around hot regions: HWC uint8, RGB.

    What the network was not shown is dark.
    """
    picture = explanation.picture
    scale = _scale(max(picture.size))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
    grey = np.asarray(picture.convert("L").resize(size, method), np.float32)[..., None]
    heat = _heat(explanation, size)[..., None]
    strength = 0.25 + 0.4 * heat
    shown = (1 - strength) * grey * 0.85 + strength * _colours(heat[..., 0])
    seen = explanation.seen
    inside = np.zeros(grey.shape, bool)
    left, upper = round(seen.x * scale), round(seen.y * scale)
    right, lower = round((seen.x + seen.width) * scale), round((seen.y + seen.height) * scale)
    inside[upper:lower, left:right] = True
    image = Image.fromarray(np.where(inside, shown, UNSEEN * grey).round().astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    for box in explanation.boxes:
        corners = [
            box.x * scale, box.y * scale, (box.x + box.width) * scale - 1, (box.y + box.height) * scale - 1,
        ]  # fmt: skip
        # Black beside white: one of the two shows on any ground.
        draw.rectangle(corners, outline=(0, 0, 0), width=3)
        draw.rectangle(
            [corners[0] + 1, corners[1] + 1, corners[2] - 1, corners[3] - 1], outline=(255, 255, 255)
        )
    return np.asarray(image)


def _scale(longest: int) -> float:
    if longest > LONGEST:
        return LONGEST / longest
    return float(-(-SHORTEST // longest)) if longest < SHORTEST else 1.0


def _heat(explanation: Explanation, size: tuple[int, int]) -> NDArray[np.float32]:
    """The heat ``[height, width]`` over a picture of ``size`` (width, height), 0 where there is none."""
    frame, heat = explanation.frame, Image.fromarray(explanation.heat)
    across = heat.width / (frame.right - frame.left)
    down = heat.height / (frame.lower - frame.upper)
    # From a pixel of the overlay to a pixel of the picture to one of the map.
    to_picture = explanation.width / size[0], explanation.height / size[1]
    affine = (
        across * to_picture[0], 0.0, -frame.left * across,
        0.0, down * to_picture[1], -frame.upper * down,
    )  # fmt: skip
    drawn = heat.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    return np.asarray(drawn, np.float32)


def _colours(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[H, W]``, 0..1 → ``[H, W, 3]``, 0..255."""
    places = [place for place, _ in SCALE]
    channels = [np.interp(heat, places, [colour[k] for _, colour in SCALE]) for k in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)

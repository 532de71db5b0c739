"""The visible label: words in a corner by which a person sees that a picture was generated."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Words = Literal["zh", "en"]

WORDS: dict[Words, str] = {"zh": "AI生成", "en": "AI-generated"}
"""GB 45438-2025 asks for "人工智能" or "AI" together with "生成" or "合成"; the English words are for other readers."""

HEIGHT = 0.05
"""The least height of the words, of the picture's shortest side (GB 45438-2025)."""
LEAST = 9
"""Pixels below which the words could not be read."""

_FONT = Path(__file__).parent.parent / "assets" / "fonts" / "label.otf"
_BAND = 176
"""How opaque the dark ground under the words is, of 255."""


def draw_label(picture: np.ndarray, words: Words = "zh") -> np.ndarray:
    """Return an HWC uint8 picture (1, 3 or 4 channels) with the label in its lower right corner.

    The words are at least :data:`HEIGHT` of the shortest side and :data:`LEAST` pixels high. Raises ValueError where
    they are wider than the picture.
    """
    height, width, channels = picture.shape
    tall = max(LEAST, math.ceil(min(height, width) * HEIGHT))
    font, box = _fitted(WORDS[words], tall)
    margin = max(1, tall // 5)
    across, down = box[2] - box[0] + 2 * margin, box[3] - box[1] + 2 * margin
    if across > width or down > height:
        raise ValueError(
            f"the label {WORDS[words]!r} needs {across} × {down} pixels, and the picture has {width} × {height}"
        )
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture).convert("RGBA")
    label = Image.new("RGBA", (across, down), (0, 0, 0, _BAND))
    ImageDraw.Draw(label).text(
        (margin - box[0], margin - box[1]), WORDS[words], font=font, fill=(255, 255, 255, 255)
    )
    image.alpha_composite(label, (width - across, height - down))
    labelled = np.array(image.convert(mode))
    return labelled.reshape(picture.shape)


@lru_cache(maxsize=8)
def _fitted(words: str, tall: int) -> tuple[ImageFont.FreeTypeFont, tuple[int, int, int, int]]:
    """The font at the least size at which the words are ``tall`` pixels high, and the box that they fill."""
    size = tall
    while True:
        font = ImageFont.truetype(_FONT, size)
        left, top, right, bottom = font.getbbox(words)
        if bottom - top >= tall:
            return font, (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
        size += 1

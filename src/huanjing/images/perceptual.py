"""What a picture looks like, in so little that a hundred thousand can be compared: a hash and a thumbnail.

The hash is the difference hash (dHash) that Neal Krawetz described in "Kind of Like That" (2013): one bit for
each of 8 × 8 pairs of neighbours, set where it gets brighter to the right. It survives re-encoding, resizing and
changes of brightness. Of pictures with large even areas it says little, so two that it takes for the same are
compared by their thumbnails too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.images.transform import fit

HASH_BITS = 64
THUMBNAIL = 12
"""Side of a thumbnail, in pixels."""

_SIDE = 72
"""To which a picture is squashed first: 8, 9 and 12 divide it, so that every box has whole pixels."""
_EVEN = 0.5
"""A step in brightness, of 255, that counts as none: noise of an even area must not set bits."""


@dataclass(frozen=True)
class Look:
    """How a picture looks, roughly."""

    hash: int
    """64 bits, row by row from the upper left, the first the most significant."""
    thumbnail: NDArray[np.uint8]
    """``[12, 12, 3]``, 0..255: the whole picture, squashed."""


def look_of(picture: Image.Image) -> Look:
    """The look of an upright picture of mode L, RGB or RGBA.

    :raises ValueError: for another mode.
    """
    small = fit(picture, _SIDE, _SIDE, mode="squash", resample="bilinear").convert("RGB")
    # Means of whole boxes: 8 pixels wide and 9 high, 6 by 6.
    grey = np.asarray(small.convert("L"), np.float32).reshape(8, 9, 9, 8).mean(axis=(1, 3))
    brighter = grey[:, 1:] > grey[:, :-1] + _EVEN
    thumbnail = np.asarray(small.reduce(_SIDE // THUMBNAIL), np.uint8)
    return Look(int.from_bytes(np.packbits(brighter).tobytes(), "big"), thumbnail)


def thumbnail_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean absolute difference, 0..255, of thumbnails ``[..., 12, 12, 3]``."""
    return np.asarray(np.abs(one.astype(np.int16) - other).mean(axis=(-3, -2, -1)), np.float64)

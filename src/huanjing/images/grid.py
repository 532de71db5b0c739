"""Many pictures on one sheet, as a training run shows its samples."""

from __future__ import annotations

import math

import numpy as np


def picture_grid(
    pictures: np.ndarray, columns: int | None = None, gap: int = 2, background: int = 255
) -> np.ndarray:
    """Lay out NHWC uint8 pictures (1, 3 or 4 channels, 0..255) row by row as one HWC uint8 picture.

    ``gap`` pixels of ``background`` (0..255, the same in every channel, opaque with 4) lie between
    neighbours and none around the sheet; cells left over in the last row are ``background`` too. Without
    ``columns`` the sheet is as near to square in cells as can be. Raises ValueError where there is no
    picture or an argument is not as described.
    """
    if pictures.ndim != 4 or pictures.dtype != np.uint8 or pictures.shape[3] not in (1, 3, 4):
        raise ValueError(
            "pictures must be NHWC uint8 with 1, 3 or 4 channels, "
            f"but got shape {pictures.shape} of {pictures.dtype}"
        )
    count, height, width, channels = pictures.shape
    if pictures.size == 0:
        raise ValueError(f"there must be a picture of at least one pixel, but got shape {pictures.shape}")
    if columns is None:
        columns = math.ceil(math.sqrt(count))
    if columns < 1 or gap < 0 or not 0 <= background <= 255:
        raise ValueError(
            "columns must be at least 1, gap at least 0 and background from 0 to 255, "
            f"but got {columns}, {gap} and {background}"
        )
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    sheet = np.full(shape, background, np.uint8)
    if channels == 4:
        sheet[:, :, 3] = 255
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet

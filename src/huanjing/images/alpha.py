"""Transparency while a network learns: colours multiplied by how opaque they are, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def premultiply(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiply red, green and blue of uint8 pictures ``[..., 4]`` by alpha; those of other channels as they are.

    What cannot be seen is then black, whatever colour the file gave it (Porter and Duff, "Compositing digital
    images", 1984).
    """
    if pictures.shape[-1] != 4:
        return pictures
    alpha = pictures[..., 3:].astype(np.uint16)
    result = pictures.copy()
    result[..., :3] = (pictures[..., :3] * alpha + 127) // 255
    return result


def unpremultiply(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Divide red, green and blue of uint8 pictures ``[..., 4]`` by alpha, as PNG stores them; others as they are.

    Colours brighter than their alpha allows become full ones; where alpha is 0 they become black.
    """
    if pictures.shape[-1] != 4:
        return pictures
    alpha = pictures[..., 3:].astype(np.uint16)
    result = pictures.copy()
    result[..., :3] = np.minimum(
        255, (pictures[..., :3] * np.uint16(255) + alpha // 2) // np.maximum(alpha, 1)
    )
    result[..., :3][pictures[..., 3] == 0] = 0
    return result

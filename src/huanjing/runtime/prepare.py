"""From whatever a caller calls a picture to the pixels that a network takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.bundle import PictureInput
from huanjing.errors import UsageError
from huanjing.images import as_seen, fit, load_picture, minimum_source_size

Picture = str | PathLike[str] | NDArray[np.uint8] | Image.Image
Loader = Callable[[], Picture]
"""Gives a picture when it is called, once, in the thread that decodes; what it raises as PictureError is its error."""


def prepare(picture: Picture | Loader, into: PictureInput, slack: float, out: NDArray[np.uint8]) -> None:
    """Bring one picture to the network's input, ``out`` (HWC uint8)."""
    if callable(picture):
        picture = picture()
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in {1, 3}:
            raise UsageError(
                f"A picture as an array must be HWC uint8 with 1 or 3 channels; "
                f"this one is {picture.dtype} of shape {picture.shape}"
            )
        picture = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    if isinstance(picture, Image.Image):
        picture = as_seen(picture, into.channels)
    else:
        picture = load_picture(
            picture,
            channels=into.channels,
            minimum_size=minimum_source_size(
                math.ceil(into.height * slack),
                math.ceil(into.width * slack),
                mode=into.fit,
                crop_fraction=into.crop_fraction,
            ),
        )
    fitted = fit(
        picture,
        into.height,
        into.width,
        mode=into.fit,
        crop_fraction=into.crop_fraction,
        resample=into.resample,
    )
    out[...] = np.asarray(fitted).reshape(out.shape)


def picture_name(picture: Any) -> str:
    """What a prediction calls a picture: its path, or for one in memory the file it came from, if any."""
    if isinstance(picture, (str, PathLike)):
        return str(fspath(picture))
    return str(getattr(picture, "filename", "") or "<picture>")

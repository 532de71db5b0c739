"""From a picture of any size to the size that a network takes."""

from __future__ import annotations

import math
from typing import Literal

from PIL import Image

FitMode = Literal["crop", "squash", "pad"]
Resample = Literal["bilinear", "bicubic", "nearest", "lanczos", "box"]

_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}

# Pictures are first shrunk by whole factors to no less than this many times the target, then resampled. It
# never comes into play below a shrinking of this factor times two.
_REDUCING_GAP = 3.0


def center_crop_box(width: int, height: int, fraction: float) -> tuple[float, float, float, float]:
    """Return (left, upper, right, lower) of the centred square whose side is ``fraction`` of the shorter
    side.

    In pixels of a ``width`` × ``height`` picture, not rounded. Raises ValueError unless the sides are at
    least 1 and 0 < fraction <= 1.
    """
    return _centred_box(width, height, 1, 1, fraction)


def fit(
    picture: Image.Image,
    height: int,
    width: int,
    *,
    mode: FitMode,
    crop_fraction: float = 1.0,
    resample: Resample = "bilinear",
    background: tuple[int, int, int] = (255, 255, 255),
) -> Image.Image:
    """Return ``picture`` (mode L, RGB or RGBA) at exactly ``height`` × ``width``, in the same mode.

    ``crop`` takes the largest centred part of the target's aspect ratio, times ``crop_fraction`` on each
    side; ``squash`` takes the whole and changes its aspect ratio; ``pad`` takes the whole, keeps its aspect
    ratio, and fills the rest with ``background`` (red, green, blue, 0..255; opaque). Shrinking antialiases,
    except with ``nearest``. Raises ValueError where an argument is not as described.
    """
    if picture.mode not in ("L", "RGB", "RGBA"):
        raise ValueError(f"a picture of mode L, RGB or RGBA is needed, but got {picture.mode}")
    if resample not in _RESAMPLING:
        raise ValueError(f"resample must be one of {', '.join(_RESAMPLING)}, but got {resample!r}")
    _check_size(width, height)
    if mode == "crop":
        box = _centred_box(picture.width, picture.height, width, height, crop_fraction)
        return _resize(picture, width, height, box, resample)
    if crop_fraction != 1.0:
        raise ValueError(f"crop_fraction goes with mode 'crop', but got {crop_fraction} with {mode!r}")
    whole = (0.0, 0.0, float(picture.width), float(picture.height))
    if mode == "squash":
        return _resize(picture, width, height, whole, resample)
    if mode == "pad":
        scale = min(width / picture.width, height / picture.height)
        inner_width = max(1, round(picture.width * scale))
        inner_height = max(1, round(picture.height * scale))
        inner = _resize(picture, inner_width, inner_height, whole, resample)
        canvas = Image.new("RGB", (width, height), background).convert(picture.mode)
        canvas.paste(inner, ((width - inner_width) // 2, (height - inner_height) // 2))
        return canvas
    raise ValueError(f"mode must be crop, squash or pad, but got {mode!r}")


def minimum_source_size(
    height: int, width: int, *, mode: FitMode = "crop", crop_fraction: float = 1.0
) -> tuple[int, int]:
    """Return the (height, width) from which :func:`fit` only ever shrinks: the decoder's ``minimum_size``.

    Raises ValueError unless the sides are at least 1 and 0 < crop_fraction <= 1.
    """
    _check_size(width, height)
    _check_fraction(crop_fraction)
    if mode != "crop":
        return height, width
    return math.ceil(height / crop_fraction), math.ceil(width / crop_fraction)


def _resize(
    picture: Image.Image,
    width: int,
    height: int,
    box: tuple[float, float, float, float],
    resample: Resample,
) -> Image.Image:
    gap = None if resample == "nearest" else _REDUCING_GAP
    return picture.resize((width, height), _RESAMPLING[resample], box=box, reducing_gap=gap)


def _centred_box(
    width: int, height: int, target_width: int, target_height: int, fraction: float
) -> tuple[float, float, float, float]:
    _check_size(width, height)
    _check_fraction(fraction)
    scale = fraction * min(width / target_width, height / target_height)
    # Rounding must not carry the box past an edge: Pillow refuses such a box.
    box_width = min(target_width * scale, float(width))
    box_height = min(target_height * scale, float(height))
    left = (width - box_width) / 2
    upper = (height - box_height) / 2
    return left, upper, left + box_width, upper + box_height


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"height and width must be at least 1, but got {height} and {width}")


def _check_fraction(fraction: float) -> None:
    if not 0 < fraction <= 1:
        raise ValueError(f"a crop fraction must be above 0 and at most 1, but got {fraction}")

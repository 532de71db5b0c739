"""From whatever a file holds (grey, palette, CMYK, 16 bit, a camera's colour profile) to 8-bit sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any, Literal

import numpy as np
from PIL import Image

Channels = Literal[1, 3, 4]
Colour = tuple[int, int, int]

# Longer ones than any that presses use; the profile comes from the file and so from anybody.
_MAX_PROFILE_BYTES = 4 << 20

_SIXTEEN_TO_EIGHT = ((np.arange(65536) + 128) // 257).astype(np.uint8)


def to_srgb(picture: Image.Image, channels: Channels, background: Colour) -> Image.Image:
    """Return a decoded picture of any mode in 8-bit sRGB: mode L, RGB or RGBA for 1, 3 or 4 channels.

    What is transparent shows ``background`` (red, green, blue, 0..255), or stays so with 4 channels. An
    embedded colour profile is applied, or ignored where it is damaged or made for other colours than the
    picture's.
    """
    profile = picture.info.get("icc_profile")
    base, alpha = _split(picture)
    base = _from_profile(base, profile if isinstance(profile, bytes) else None)
    if channels == 4:
        result = base.convert("RGBA")
        if alpha is not None:
            result.putalpha(alpha)
        return result
    if alpha is not None:
        canvas = Image.new("RGB", base.size, background)
        canvas.paste(base.convert("RGB"), mask=alpha)
        base = canvas
    wanted = "L" if channels == 1 else "RGB"
    return base if base.mode == wanted else base.convert(wanted)


def _split(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The picture without its transparency, as L, RGB, CMYK or LAB, and its transparency if any."""
    mode = picture.mode
    if mode in ("L", "RGB", "CMYK", "LAB") and "transparency" not in picture.info:
        return picture, None
    if mode == "F" or mode.startswith("I"):
        values = np.asarray(picture)
        clear = picture.info.get("transparency")
        alpha = Image.fromarray(np.uint8(255) * (values != clear)) if isinstance(clear, int) else None
        return _eight_bits(values), alpha
    if not picture.has_transparency_data:
        return picture.convert("L" if mode == "1" else "RGB"), None
    grey = mode in ("1", "L", "LA", "La")
    whole = picture.convert("LA" if grey else "RGBA")
    alpha = whole.getchannel("A")
    base = whole.convert("L" if grey else "RGB")
    return base, None if alpha.getextrema() == (255, 255) else alpha


def _eight_bits(values: np.ndarray) -> Image.Image:
    """Scale a grey HW picture of 16-bit or 32-bit whole or of floating point numbers to mode L.

    Whole numbers within 0..65535 are taken for that range. Floating point numbers within 0..1 are taken for
    that range, others within 0..255 for that one. Any other values are stretched, the lowest to 0 and the
    highest to 255. NaN counts as the lowest value, an infinity as the lowest or highest.
    """
    floating = values.dtype.kind == "f"
    if not floating and values.dtype.itemsize == 2:
        return Image.fromarray(_SIXTEEN_TO_EIGHT[values])
    low, high = _finite_range(values)
    if floating and low >= 0 and high <= 255:
        start, end = 0.0, 1.0 if high <= 1 else 255.0
    elif not floating and low >= 0 and high <= 65535:
        start, end = 0.0, 65535.0
    else:
        start, end = low, high
    scale = 255 / ((end - start) or 1.0)
    result = np.empty(values.shape, np.uint8)
    for row, target in zip(values, result, strict=True):
        wide = np.nan_to_num(row.astype(np.float64), nan=low, posinf=high, neginf=low)
        target[:] = np.rint((wide - start) * scale).clip(0, 255)
    return Image.fromarray(result)


def _finite_range(values: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest number that is neither NaN nor infinite; zeros where there is none."""
    finite = np.isfinite(values)
    if not finite.any():
        return 0.0, 0.0
    limits = np.finfo(values.dtype) if values.dtype.kind == "f" else np.iinfo(values.dtype)
    low = values.min(where=finite, initial=limits.max)
    high = values.max(where=finite, initial=limits.min)
    return float(low), float(high)


def _from_profile(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture (L, RGB, CMYK or LAB) as sRGB: mode RGB, or L where it was L and needs no change."""
    if profile is not None and len(profile) <= _MAX_PROFILE_BYTES:
        transform = _transform(profile, picture.mode)
        if transform is not None:
            return _apply(transform, picture)
    if picture.mode == "LAB":
        return _apply(_lab_transform(), picture)
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _apply(transform: Any, picture: Image.Image) -> Image.Image:
    result: Image.Image = transform.apply(picture)
    return result


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Any | None:
    """The transform from ``mode`` under a profile to sRGB, or None where nothing changes or none can be."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return None if _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _lab_transform() -> Any:
    from PIL import ImageCms

    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )


def _changes_nothing(transform: Any, mode: str) -> bool:
    """Whether a transform leaves a sample of colours alone, to within 2 of 255: every sRGB profile does."""
    if mode == "L":
        sample = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    elif mode == "RGB":
        steps = np.arange(0, 256, 51, dtype=np.uint8)
        sample = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3))
    else:
        return False
    before = np.asarray(sample.convert("RGB")).astype(int)
    after = np.asarray(_apply(transform, sample)).astype(int)
    return bool(np.abs(before - after).max() <= 2)

"""The inputs by which an export is calibrated and judged: real pictures, and latents for a generator.

None that calibrates also judges. Pictures of a folder are parted by file; without a folder the photographs of the
package serve, parts of every second one for either purpose, so that both see whole scenes and details.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.bundle import Bundle, LatentInput, PictureInput, find_model
from huanjing.datasets import index_folder, photographs
from huanjing.errors import DatasetError, PictureError, UsageError
from huanjing.export.job import Inputs, Precision
from huanjing.images import fit, load_picture, minimum_source_size
from huanjing.runtime import latents

CALIBRATION = 300
JUDGED = 400
"""So many that a top-1 agreement of 95 % is known to within 2 points (with 95 % confidence)."""
COMPARED = 48
"""Where nothing is calibrated: a wrong translation shows on every picture."""
FEWEST = 20
"""Pictures of either sort without which int8 says nothing."""
SMALLEST_PART = 0.3
"""Of a photograph's largest box of the input's shape, by area."""


@dataclass(frozen=True)
class Sample:
    """Inputs of a network, ready to be run: ``[N, ...]`` of its own type. Only pictures calibrate."""

    calibration: NDArray[Any]
    judged: Inputs
    origin: str
    """Where they come from, for the record."""


def take_sample(bundle: Bundle, precision: Precision, folder: Path | None = None) -> Sample:
    """The inputs for one export.

    :param folder: pictures such as the model will see; the package's photographs unless told.
    :raises UsageError: where int8 needs a folder and none is given, or it holds too few pictures.
    :raises DatasetError: where the folder holds no usable picture.
    """
    calibrate = CALIBRATION if precision == "int8" else 0
    judge = JUDGED if precision == "int8" else COMPARED
    shape = bundle.manifest.input
    if isinstance(shape, LatentInput):
        if folder is not None:
            raise UsageError("--calibrate is for recognizers; a generator is checked on latents of its own")
        drawn: Inputs = {"latent": latents(range(judge), shape.size)}
        if known := len(shape.frequencies):
            drawn["classes"] = np.eye(known, dtype=np.float32)[np.arange(judge) % known]
        return Sample(drawn["latent"][:0], drawn, "latents of the seeds from 0 on")
    if folder is not None:
        return _from_folder(shape, folder, calibrate, judge)
    if precision == "int8" and bundle.manifest.classes != find_model(None, "recognizer").manifest.classes:
        raise UsageError(
            f"int8 is calibrated on pictures such as {bundle.manifest.name} will see; "
            "name a folder of them: --calibrate FOLDER"
        )
    return _from_photographs(shape, calibrate, judge)


def _from_folder(shape: PictureInput, folder: Path, calibrate: int, judge: int) -> Sample:
    index = index_folder(folder)
    order = np.random.default_rng(0).permutation(len(index.files))
    found: list[NDArray[np.uint8]] = []
    for position in order:
        if len(found) == calibrate + judge:
            break
        try:
            found.append(_whole(index.path(index.files[position]), shape))
        except PictureError:
            continue
    if not found:
        raise DatasetError(f"{folder}: none of its {len(index.files)} pictures can be used")
    if calibrate and len(found) < 2 * FEWEST:
        raise UsageError(
            f"--calibrate {folder}: holds {len(found)} usable pictures; int8 needs at least {2 * FEWEST}, one half to "
            "calibrate and one to judge"
        )
    cut = min(calibrate, len(found) // 2)
    pictures = np.stack(found)
    return Sample(
        pictures[:cut], {"picture": pictures[cut : cut + judge]}, f"pictures of {folder.resolve().name}"
    )


def _from_photographs(shape: PictureInput, calibrate: int, judge: int) -> Sample:
    paths = [photograph.path for photograph in photographs()]
    if not calibrate:
        judged = np.stack(list(_parts(paths, shape, judge)))
        return Sample(judged[:0], {"picture": judged}, "parts of the package's photographs")
    return Sample(
        np.stack(list(_parts(paths[::2], shape, calibrate))),
        {"picture": np.stack(list(_parts(paths[1::2], shape, judge)))},
        "parts of the package's photographs, every second photograph for either purpose",
    )


def _whole(path: Path, shape: PictureInput) -> NDArray[np.uint8]:
    """A picture as the model gets it, HWC uint8."""
    minimum = minimum_source_size(
        shape.height, shape.width, mode=shape.fit, crop_fraction=shape.crop_fraction
    )
    picture = load_picture(path, channels=shape.channels, minimum_size=minimum)
    fitted = fit(
        picture,
        shape.height,
        shape.width,
        mode=shape.fit,
        crop_fraction=shape.crop_fraction,
        resample=shape.resample,
    )
    return np.asarray(fitted, np.uint8).reshape(shape.height, shape.width, shape.channels)


def _parts(paths: list[Path], shape: PictureInput, count: int) -> Iterator[NDArray[np.uint8]]:
    """The photographs themselves, then boxes at random places and of random sizes, each photograph in turn."""
    opened = [load_picture(path, channels=shape.channels) for path in paths]
    for number in range(count):
        picture = opened[number % len(opened)]
        if number >= len(opened):
            picture = _box(picture, shape, np.random.default_rng(number))
        fitted = fit(picture, shape.height, shape.width, mode="crop")
        yield np.asarray(fitted, np.uint8).reshape(shape.height, shape.width, shape.channels)


def _box(picture: Image.Image, shape: PictureInput, chance: np.random.Generator) -> Image.Image:
    scale = min(picture.width / shape.width, picture.height / shape.height)
    scale *= chance.uniform(SMALLEST_PART, 1.0) ** 0.5
    width, height = max(1, round(shape.width * scale)), max(1, round(shape.height * scale))
    left = int(chance.integers(0, picture.width - width, endpoint=True))
    upper = int(chance.integers(0, picture.height - height, endpoint=True))
    return picture.crop((left, upper, left + width, upper + height))

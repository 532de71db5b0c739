"""Sheets of sample pictures over a run, always of the same latents, so that one sees them change."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.generation.config import GeneratorConfig
from huanjing.generation.networks import call
from huanjing.images import encode_png, picture_grid, to_uint8, unpremultiply, write_atomically
from huanjing.runtime.provenance import made_by

COUNT = 64
CLASS_ROWS = 12
"""At most so many classes are shown, a row each, spread over all."""
MOMENTS = (0.0, 1 / 96, 1 / 48, 1 / 24, *(k / 12 for k in range(1, 13)))
"""When sheets are drawn, as parts of the run: denser at its beginning, where most happens."""


class SampleSheets:
    """Draws ``samples/step-000500.png``: 8 pictures in a row, each row of a class of its own where there are any."""

    def __init__(self, config: GeneratorConfig, generator: keras.Model, folder: Path) -> None:
        self.generator = generator
        self.folder = folder
        self.columns = math.isqrt(COUNT)
        self._seed = config.seed
        classes = len(config.classes)
        shown = np.unique(np.linspace(0, classes - 1, min(classes, CLASS_ROWS)).round().astype(int))
        count = self.columns * len(shown) if classes else COUNT
        self._latents = sample_latents(config.seed, count, config.recipe.latent)
        self._classes = np.eye(classes, dtype=np.float32)[shown.repeat(self.columns)] if classes else None

    @staticmethod
    def due(drawn: float, progress: float) -> bool:
        """Whether a moment lies after ``drawn``, the progress at the last sheet, and not after ``progress``."""
        return any(drawn < moment <= progress for moment in MOMENTS)

    def draw(self, step: int) -> tuple[Path, NDArray[np.uint8]]:
        """Draw and write the sheet: its path, and the pictures on it, NHWC uint8."""
        pictures = make_pictures(self.generator, self._latents, self._classes)
        path = self.folder / f"step-{step:06d}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        marks = made_by(self.folder.parent.name, kind="samples", step=step, run_seed=self._seed)
        write_atomically(path, encode_png(picture_grid(pictures, self.columns), marks.png_text))
        return path, pictures


def sample_latents(seed: int, count: int, size: int) -> NDArray[np.float32]:
    """Standard normal latents ``[count, size]`` that belong to a run's seed."""
    return np.random.default_rng([seed, count]).standard_normal((count, size), np.float32)


def make_pictures(
    generator: keras.Model,
    latents: NDArray[np.float32],
    classes: NDArray[np.float32] | None = None,
    batch: int = 64,
) -> NDArray[np.uint8]:
    """The pictures of latents ``[N, size]`` as Keras computes them: NHWC uint8, 0..255, transparency as PNG has it.

    :param classes: one-hot ``[N, K]``, for a generator that knows classes.
    """
    rows = []
    for start in range(0, len(latents), batch):
        z = tf.constant(latents[start : start + batch])
        told = None if classes is None else tf.constant(classes[start : start + batch])
        rows.append(np.asarray(call(generator, z, told)))
    return unpremultiply(to_uint8(np.concatenate(rows)))

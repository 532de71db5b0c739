"""Sheets of sample pictures over a run, always of the same latents, so that one sees them change."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.generation.config import GeneratorConfig
from huanjing.images import encode_png, picture_grid, to_uint8, write_atomically

COUNT = 64
MOMENTS = (0.0, 1 / 96, 1 / 48, 1 / 24, *(k / 12 for k in range(1, 13)))
"""When sheets are drawn, as parts of the run: denser at its beginning, where most happens."""


class SampleSheets:
    """Draws ``samples/step-000500.png``."""

    def __init__(self, config: GeneratorConfig, generator: keras.Model, folder: Path) -> None:
        self.generator = generator
        self.folder = folder
        self._latents = sample_latents(config.seed, COUNT, config.recipe.latent)

    @staticmethod
    def due(drawn: float, progress: float) -> bool:
        """Whether a moment lies after ``drawn``, the progress at the last sheet, and not after ``progress``."""
        return any(drawn < moment <= progress for moment in MOMENTS)

    def draw(self, step: int) -> tuple[Path, NDArray[np.uint8]]:
        """Draw and write the sheet: its path, and the pictures on it, NHWC uint8."""
        pictures = make_pictures(self.generator, self._latents)
        path = self.folder / f"step-{step:06d}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode_png(picture_grid(pictures, math.isqrt(COUNT))))
        return path, pictures


def sample_latents(seed: int, count: int, size: int) -> NDArray[np.float32]:
    """Standard normal latents ``[count, size]`` that belong to a run's seed."""
    return np.random.default_rng([seed, count]).standard_normal((count, size), np.float32)


def make_pictures(generator: keras.Model, latents: NDArray[np.float32], batch: int = 64) -> NDArray[np.uint8]:
    """The pictures of latents ``[N, size]`` as Keras computes them: NHWC uint8, 0..255."""
    rows = [
        np.asarray(generator(tf.constant(latents[start : start + batch]), training=False))
        for start in range(0, len(latents), batch)
    ]
    return to_uint8(np.concatenate(rows))

"""What the training loop eats: batches that depend on seed and step alone."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.datasets import batch_positions
from huanjing.errors import RunError
from huanjing.generation.config import GeneratorConfig


class Feed:
    """Batches by step number, gathered by a thread while the step before is computed."""

    def __init__(self, config: GeneratorConfig, pictures: NDArray[np.uint8], step: int) -> None:
        expected = (config.height, config.width, config.channels)
        if pictures.shape[1:] != expected or pictures.dtype != np.uint8:
            raise RunError(
                f"The pictures are {pictures.dtype} {pictures.shape[1:]}; the run needs uint8 {expected}."
            )
        self.config, self.pictures, self.step = config, pictures, step
        self._pool = ThreadPoolExecutor(1)
        self._following: Future[tf.Tensor] = self._pool.submit(self._gather, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def next(self) -> tf.Tensor:
        """The step's batches: uint8 ``[U, N, H, W, C]``, U being the recipe's ``updates``."""
        batches = self._following.result()
        self.step += 1
        self._following = self._pool.submit(self._gather, self.step)
        return batches

    def _gather(self, step: int) -> tf.Tensor:
        updates = self.config.recipe.updates
        size = updates * self.config.recipe.batch
        positions = batch_positions(len(self.pictures), self.config.seed, step * size, size)
        return tf.constant(self.pictures[positions].reshape(updates, -1, *self.pictures.shape[1:]))

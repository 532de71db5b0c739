"""What the training loop eats: batches that depend on seed and step alone."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.datasets import batch_positions
from huanjing.errors import RunError
from huanjing.generation.config import GeneratorConfig
from huanjing.images import premultiply
from huanjing.training.prefetch import Prefetch


def split(config: GeneratorConfig, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions of the pictures that training sees and of those held out, both in order."""
    order = np.random.default_rng([config.seed, count]).permutation(count)
    return np.sort(order[config.held_out :]), np.sort(order[: config.held_out])


class Feed(Prefetch[tuple[tf.Tensor, tf.Tensor]]):
    """A step's batches: uint8 ``[U, N, H, W, C]``, U being the recipe's ``updates``, and int32 ``[U, N]``.

    Where the configuration is ``watched``, one more: N pictures of those held out.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        pictures: NDArray[np.uint8],
        labels: NDArray[np.int32] | None,
        step: int,
    ) -> None:
        expected = (config.height, config.width, config.channels)
        if pictures.shape[1:] != expected or pictures.dtype != np.uint8:
            raise RunError(
                f"The pictures are {pictures.dtype} {pictures.shape[1:]}; the run needs uint8 {expected}."
            )
        if labels is None and not config.classes:
            labels = np.zeros(len(pictures), np.int32)
        if labels is None or labels.shape != (len(pictures),):
            raise RunError(
                f"The run tells {len(config.classes)} classes apart; each of its {len(pictures)} pictures needs one."
            )
        self.config, self.pictures, self.labels = config, pictures, labels
        self._seen, self._held_out = split(config, len(pictures))
        super().__init__(self._gather, step)

    def _gather(self, step: int) -> tuple[tf.Tensor, tf.Tensor]:
        batch = self.config.recipe.batch
        positions = self._positions(self._seen, step, self.config.recipe.updates * batch)
        if self.config.watched:
            positions = np.concatenate([positions, self._positions(self._held_out, step, batch)])
        pictures = premultiply(self.pictures[positions])
        return (
            tf.constant(pictures.reshape(-1, batch, *pictures.shape[1:])),
            tf.constant(self.labels[positions].reshape(-1, batch), tf.int32),
        )

    def _positions(self, among: NDArray[np.int64], step: int, size: int) -> NDArray[np.int64]:
        return among[batch_positions(len(among), self.config.seed, step * size, size)]

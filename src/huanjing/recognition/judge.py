"""How good a network is while it trains."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from huanjing.datasets import batch_positions
from huanjing.recognition.augment import to_size
from huanjing.recognition.config import RecognizerConfig
from huanjing.recognition.dataset import LabelledPictures

JUDGED = 2000
"""Validation pictures that it is judged by; more say little more and cost time."""


class Judge:
    """Accuracy, 0..1, and loss, in nats, on validation pictures, or on 2,000 of them."""

    def __init__(self, config: RecognizerConfig, data: LabelledPictures) -> None:
        positions = data.positions("val")
        chosen = batch_positions(len(positions), config.seed, 0, min(JUDGED, len(positions)))
        self.positions = np.sort(positions[chosen])
        self.config, self.data = config, data
        self._answers: Callable[[tf.Tensor], tf.Tensor] | None = None

    def __call__(self, network: keras.Model) -> tuple[float, float]:
        """Judge a network; always the same one, whose weights may have changed."""
        config = self.config
        if self._answers is None:
            signature = tf.TensorSpec([None, *self.data.pictures.array.shape[1:]], tf.uint8)

            def answers(pictures: tf.Tensor) -> tf.Tensor:
                return network(to_size(pictures, config.side, config.channels), training=False)

            self._answers = tf.function(answers, input_signature=[signature], autograph=False)
        right, loss = 0, 0.0
        for start in range(0, len(self.positions), config.batch):
            some = self.positions[start : start + config.batch]
            labels = self.data.labels[some]
            logits = tf.cast(self._answers(tf.constant(self.data.pictures.array[some])), tf.float32)
            right += int((np.argmax(logits, axis=1) == labels).sum())
            loss += float(tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)))
        return right / len(self.positions), loss / len(self.positions)

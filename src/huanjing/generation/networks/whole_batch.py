"""The layers for which a batch is more than its rows, where several replicas each have some rows of it.

On one process they are Keras' own. On more, statistics are those of the whole batch, and what is dropped from a row is
what one process would drop from it.
"""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers


def batch_normalisation(precision: str, momentum: float = 0.99, *, scaled: bool = True) -> keras.Layer:
    """Batch normalisation by the mean and variance over the rows of all replicas.

    :param scaled: whether it then has a scale and a shift of its own to learn.
    """
    return layers.BatchNormalization(
        momentum=momentum, center=scaled, scale=scaled, synchronized=_replicas() > 1, dtype=precision
    )


def dropout(rate: float, seed: int, precision: str) -> keras.Layer:
    """Dropout whose mask is drawn for the whole batch."""
    if _replicas() == 1:
        return layers.Dropout(rate, seed=seed, dtype=precision)
    return _SharedDropout(rate, seed, dtype=precision)


@keras.saving.register_keras_serializable("huanjing")
class _SharedDropout(layers.Layer):  # type: ignore[misc]
    """``keras.layers.Dropout`` on this replica's rows k, k + R, … of a batch.

    What it draws from is a seed and a counter, as Keras has it, but in int64: TensorFlow cannot send uint32 to others.
    """

    def __init__(self, rate: float, seed: int, **kwargs: str) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:  # noqa: ARG002
        self.state = self.add_weight(
            shape=(2,),
            initializer=lambda *_, **__: tf.constant([self.seed, 0], tf.int64),
            dtype="int64",
            trainable=False,
            autocast=False,
            name="seed_generator_state",
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training:
            return inputs
        seed = tf.identity(self.state.value)
        self.state.assign(seed + tf.constant([0, 1], tf.int64))
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        whole = tf.ones([inputs.shape[0], replicas, *inputs.shape[1:]], inputs.dtype)
        flat = tf.reshape(whole, [-1, *inputs.shape[1:]])
        drawn = tf.nn.experimental.stateless_dropout(flat, self.rate, tf.cast(seed, tf.int32))
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return inputs * tf.gather(tf.reshape(drawn, whole.shape), replica, axis=1)


def _replicas() -> int:
    return int(tf.distribute.get_strategy().num_replicas_in_sync)

"""Moving averages of weights: what a network has been lately is better than what it is at any one step."""

from __future__ import annotations

import keras
import tensorflow as tf


class MovingAverage:
    """Exponential moving average of ``source`` in the weights of ``target``, a network of the same make.

    After ``half_life`` steps a weight counts half. Early on, when the weights of the first steps would only be in
    the way, the half-life is at most ``warm_up`` × the steps done (Karras et al., "Analyzing and improving the
    training dynamics of diffusion models", 2024, argue for a length relative to the training's; so do we).
    Weights that are not trained, such as the statistics of batch normalisation, are copied.
    """

    def __init__(self, source: keras.Model, target: keras.Model, half_life: float, warm_up: float) -> None:
        self.half_life = float(half_life)
        self.warm_up = warm_up
        self._trained = list(zip(target.trainable_variables, source.trainable_variables, strict=True))
        self._copied = list(zip(target.non_trainable_variables, source.non_trainable_variables, strict=True))
        target.set_weights(source.get_weights())

    def decay(self, step: tf.Tensor) -> tf.Tensor:
        """β of step n: 2^(-1 / min(half-life, warm-up × n)), float32."""
        length = tf.minimum(self.half_life, self.warm_up * tf.cast(step, tf.float32))
        return tf.pow(0.5, 1.0 / tf.maximum(length, 1e-3))

    def update(self, step: tf.Tensor) -> None:
        """Let average ← average + (1 - β) (weight - average), inside the training step's graph."""
        weight = 1.0 - self.decay(step)
        for average, variable in self._trained:
            average.assign_add(weight * (variable - average))
        for average, variable in self._copied:
            average.assign(variable)

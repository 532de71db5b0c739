"""Where a network ends: pictures and scores are never rounded to bfloat16."""

from __future__ import annotations

import keras
from keras import layers


def weight_type(precision: str) -> str:
    """The type of the weights, and of what goes in and comes out: float32 for ``mixed_bfloat16``."""
    return str(keras.DTypePolicy(precision).variable_dtype)


def score(features: keras.KerasTensor, precision: str) -> keras.KerasTensor:
    """Features ``[N, h, w, C]`` to scores ``[N]``."""
    exact = weight_type(precision)
    flat = layers.Flatten(dtype=exact)(features)
    return layers.Reshape((), dtype=exact, name="scores")(layers.Dense(1, dtype=exact)(flat))

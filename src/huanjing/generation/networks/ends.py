"""Where a network begins and ends: classes come in, and pictures and scores are never rounded to bfloat16.

Classes are float32 ``[N, K]``, one-hot, or a mixture whose parts make 1; K is 0 for a network that knows none, which
then takes latents or pictures alone.
"""

from __future__ import annotations

import keras
from keras import layers

CLASS_DEVIATION = 0.25
"""Of the numbers of a class's vector at the start. As loud as the latent (1.0), it drowned it: on clothing, after 2
core-minutes, a recall of 0.06 where no classes had 0.17, and 0.15 so (docs/en/what-each-change-buys.md)."""


def weight_type(precision: str) -> str:
    """The type of the weights, and of what goes in and comes out: float32 for ``mixed_bfloat16``."""
    return str(keras.DTypePolicy(precision).variable_dtype)


def latent_input(
    latent: int, classes: int, precision: str
) -> tuple[keras.KerasTensor | list[keras.KerasTensor], keras.KerasTensor]:
    """A generator's inputs, and what its first layer takes: latents ``[N, latent]``, joined by their class's vector.

    The vector is learned; it has as many numbers as a latent, and is much quieter than one at the start.
    """
    exact = weight_type(precision)
    latents = keras.Input((latent,), dtype=exact, name="latents")
    if classes == 0:
        return latents, latents
    told = keras.Input((classes,), dtype=exact, name="classes")
    vector = layers.Dense(
        latent,
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(stddev=CLASS_DEVIATION),
        dtype=precision,
    )(told)
    return [latents, told], layers.Concatenate(dtype=precision)([latents, vector])


def scores(
    pictures: keras.KerasTensor, features: keras.KerasTensor, classes: int, precision: str
) -> keras.Model:
    """The discriminator that scores features ``[N, h, w, C]`` of pictures: scores ``[N]``.

    With classes, D(x, y) = ψ(φ(x)) + yᵀ V φ̄(x), φ̄ being the features' mean over the picture and V ``[K, C]`` without
    bias: the projection of Miyato and Koyama, "cGANs with projection discriminator" (ICLR 2018), eq. 3.
    """
    exact = weight_type(precision)
    score = layers.Dense(1, dtype=exact)(layers.Flatten(dtype=exact)(features))
    inputs = pictures
    if classes:
        told = keras.Input((classes,), dtype=exact, name="classes")
        inputs = [pictures, told]
        mean = layers.GlobalAveragePooling2D(dtype=exact)(features)
        vector = layers.Dense(features.shape[-1], use_bias=False, dtype=exact)(told)
        score = layers.Add(dtype=exact)([score, layers.Dot(axes=1, dtype=exact)([vector, mean])])
    score = layers.Reshape((), dtype=exact, name="scores")(score)
    return keras.Model(inputs, score, name="discriminator")

"""Where a network begins and ends: classes come in, and pictures and scores are never rounded to bfloat16.

Classes are float32 ``[N, K]``, one-hot, or a mixture whose parts make 1; K is 0 for a network that knows none, which
then takes latents or pictures alone.
"""

from __future__ import annotations

from collections.abc import Callable

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


def scorer(
    classes: int, width: int, precision: str
) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.Model]:
    """What makes a discriminator of pictures and their features ``[N, h, w, width]``: scores ``[N]``.

    With classes, D(x, y) = ψ(φ(x)) + yᵀ V φ̄(x), φ̄ being the features' mean over the picture and V ``[K, width]``
    without bias: the projection of Miyato and Koyama, "cGANs with projection discriminator" (ICLR 2018), eq. 3. All
    that one scorer makes share ψ and V.
    """
    exact = weight_type(precision)
    psi = layers.Dense(1, dtype=exact)
    matrix = layers.Dense(width, use_bias=False, dtype=exact) if classes else None

    def make(pictures: keras.KerasTensor, features: keras.KerasTensor) -> keras.Model:
        score = psi(layers.Flatten(dtype=exact)(features))
        inputs = pictures
        if matrix is not None:
            told = keras.Input((classes,), dtype=exact, name="classes")
            inputs = [pictures, told]
            mean = layers.GlobalAveragePooling2D(dtype=exact)(features)
            score = layers.Add(dtype=exact)([score, layers.Dot(axes=1, dtype=exact)([matrix(told), mean])])
        score = layers.Reshape((), dtype=exact, name="scores")(score)
        return keras.Model(inputs, score, name="discriminator")

    return make

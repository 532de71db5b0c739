"""The dense generator: layer after layer of units, each twice as wide, and three transposed convolutions.

It is the network of a tutorial article, mended only where it could not run; ``docs/en/the-article-network.md`` says
what was mended and why. Nearly all of its weights are in its last two dense layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from huanjing.generation.networks.ends import latent_input, weight_type
from huanjing.generation.shape import Shape

KERNEL = 5
SLOPE = 0.2
DOUBLINGS = 2


def generator(
    shape: Shape, latent: int, widths: Sequence[int], precision: str, classes: int = 0
) -> keras.Model:
    """Latents ``[N, latent]``, float32, to pictures ``[N, H, W, C]``, float32, -1..1.

    The last of ``widths`` is a grid: 8,192 units are 8×8×128. Then transposed convolutions: 128 filters, 64 that double
    it, and those that double it into the picture.
    """
    rows, columns = shape.base(DOUBLINGS)
    filters = widths[-1] // (rows * columns)
    inputs, x = latent_input(latent, classes, precision)
    for units in widths:
        x = layers.Dense(units, dtype=precision)(x)
        x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    x = layers.Reshape((rows, columns, filters), dtype=precision)(x)
    for count, stride in ((filters, 1), (filters // 2, 2)):
        x = layers.Conv2DTranspose(count, KERNEL, strides=stride, padding="same", dtype=precision)(x)
        x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    x = layers.Conv2DTranspose(shape.channels, KERNEL, strides=2, padding="same", dtype=precision)(x)
    pictures = layers.Activation("tanh", dtype=weight_type(precision), name="pictures")(x)
    return keras.Model(inputs, pictures, name="generator")

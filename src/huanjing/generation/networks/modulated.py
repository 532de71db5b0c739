"""The modulated pair: the strided one, told of the latent on every grid, and looking at pictures at full size first.

What a strided generator makes is blotched: which of several colours the background has is decided once, on its first
grid, and must come through every layer alike. Here each normalised grid is scaled and shifted, channel by channel, by
numbers that come straight from the latent: "self-modulation", Chen, Lucic, Houlsby and Gelly, "On self modulation for
generative adversarial networks" (ICLR 2019). And the finest grid, that of the picture itself, gets a few channels of
its own in both networks, so that edges and plain areas are made, and judged, where they are.

A transposed convolution leaves a grid behind, since different weights make its even and odd places (Odena, Dumoulin
and Olah, "Deconvolution and checkerboard artifacts", Distill, 2016). The mean of each place and its next takes away
just that: on clothing and on faces it is worth half the time (docs/en/what-each-change-buys.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from huanjing.generation.networks import strided
from huanjing.generation.networks.ends import latent_input, weight_type
from huanjing.generation.networks.whole_batch import batch_normalisation
from huanjing.generation.shape import Shape

KERNEL = 3
"""Of the convolutions that keep the picture's size."""
STYLE = 128
"""Numbers that every grid is told of the latent."""
NEAR_ZERO = 0.02
"""Standard deviation of the modulation's first weights: at first it changes next to nothing."""


def generator(
    shape: Shape, latent: int, widths: Sequence[int], precision: str, classes: int = 0
) -> keras.Model:
    """Latents ``[N, latent]``, float32, to pictures ``[N, H, W, C]``, float32, -1..1.

    ``widths`` from the coarsest grid to the picture's own: one doubling between two neighbours.
    """
    rows, columns = shape.base(len(widths) - 1)
    inputs, told = latent_input(latent, classes, precision)
    style = layers.Dense(STYLE, kernel_initializer="he_normal", dtype=precision)(told)
    style = layers.LeakyReLU(strided.SLOPE, dtype=precision)(style)
    x = layers.Dense(rows * columns * widths[0], use_bias=False, dtype=precision)(told)
    x = layers.ReLU(dtype=precision)(batch_normalisation(precision, strided.MOMENTUM)(x))
    x = layers.Reshape((rows, columns, widths[0]), dtype=precision)(x)
    for filters in widths[1:]:
        x = layers.Conv2DTranspose(
            filters, strided.KERNEL, strides=2, padding="same", use_bias=False, dtype=precision
        )(x)
        x = layers.AveragePooling2D(2, strides=1, padding="same", dtype=precision)(x)
        x = layers.ReLU(dtype=precision)(_modulate(x, style, precision))
    x = layers.Conv2D(shape.channels, KERNEL, padding="same", dtype=precision)(x)
    pictures = layers.Activation("tanh", dtype=weight_type(precision), name="pictures")(x)
    return keras.Model(inputs, pictures, name="generator")


def discriminator(shape: Shape, widths: Sequence[int], precision: str, classes: int = 0) -> keras.Model:
    """Pictures ``[N, H, W, C]``, -1..1, to scores ``[N]``, float32: the higher, the more real.

    A convolution of the first of ``widths`` on the picture as it is, then those of the strided one.
    """
    return strided.discriminator(shape, widths[1:], precision, classes, first=widths[0])


def _modulate(x: keras.KerasTensor, style: keras.KerasTensor, precision: str) -> keras.KerasTensor:
    """γ(style) · (x - mean) / deviation + β(style), for each channel; at first γ is about 1 and β about 0."""
    filters = x.shape[-1]
    x = batch_normalisation(precision, strided.MOMENTUM, scaled=False)(x)
    small = keras.initializers.RandomNormal(stddev=NEAR_ZERO)
    scale = layers.Dense(filters, kernel_initializer=small, bias_initializer="ones", dtype=precision)(style)
    shift = layers.Dense(filters, kernel_initializer=small, dtype=precision)(style)
    scale, shift = (layers.Reshape((1, 1, filters), dtype=precision)(each) for each in (scale, shift))
    return layers.Add(dtype=precision)([layers.Multiply(dtype=precision)([x, scale]), shift])

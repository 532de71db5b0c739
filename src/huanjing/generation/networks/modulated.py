"""The modulated pair: the strided one, told of the latent on every grid, and looking at pictures at full size first.

What a strided generator makes is blotched: which of several colours the background has is decided once, on its first
grid, and must come through every layer alike. Here each normalised grid is scaled and shifted, channel by channel, by
numbers that come straight from the latent: "self-modulation", Chen, Lucic, Houlsby and Gelly, "On self modulation for
generative adversarial networks" (ICLR 2019). And the finest grid, that of the picture itself, gets a few channels of
its own in both networks, so that edges and plain areas are made, and judged, where they are.

Two more things are for what is fine. A transposed convolution leaves a grid behind, since different weights make its
even and odd places (Odena, Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill, 2016); the mean of
each place and its next takes away just that. And stars, grain and the weave of cloth are as good as random, for which a
network that is given a picture's latent alone makes regular patterns (Karras, Laine and Aila, "A style-based generator
architecture for generative adversarial networks", CVPR 2019). So each grid gets noise. Theirs is drawn anew for each
picture; ours is drawn by the latent (:func:`_grain`), so that a seed is one picture everywhere, and pictures between
two seeds change smoothly.
"""

from __future__ import annotations

import math
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
"""Standard deviation of the first weights of modulation and grain: at first they change next to nothing."""
TURNS = 3.0
"""Standard deviation of the angles, in radians, whose sines are the grain: wide enough that those of two latents have
nothing in common; on the way from one to the other in thirty steps each turns them by a seventh of a radian or so."""


def generator(
    shape: Shape, latent: int, widths: Sequence[int], precision: str, classes: int = 0
) -> keras.Model:
    """Latents ``[N, latent]``, float32, to pictures ``[N, H, W, C]``, float32, -1..1.

    ``widths`` from the coarsest grid to the picture's own: one doubling between two neighbours.
    """
    rows, columns = shape.base(len(widths) - 1)
    inputs, told = latent_input(latent, classes, precision)
    latents = inputs[0] if classes else inputs
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
        rows, columns = x.shape[1:3]
        grain = _grain(latents, rows, columns, filters, precision)
        x = layers.Add(dtype=precision)([_modulate(x, style, precision), grain])
        x = layers.ReLU(dtype=precision)(x)
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


def _grain(
    latents: keras.KerasTensor, rows: int, columns: int, filters: int, precision: str
) -> keras.KerasTensor:
    """Noise for a grid ``[N, h, w, C]``: for each place the sine of an angle, times what each channel learns to take.

    The angles are random and fixed weighted sums of the latent's numbers, and random phases, the features of Rahimi and
    Recht, "Random features for large-scale kernel machines" (NeurIPS 2007): over latents, places are uncorrelated.
    """
    exact = weight_type(precision)
    angles = layers.Dense(
        rows * columns,
        kernel_initializer=keras.initializers.RandomNormal(stddev=TURNS / math.sqrt(latents.shape[-1])),
        bias_initializer=keras.initializers.RandomUniform(0.0, 2.0 * math.pi),
        trainable=False,
        dtype=exact,
    )(latents)
    noise = layers.Reshape((rows, columns, 1), dtype=precision)(keras.ops.sin(angles))
    small = keras.initializers.RandomNormal(stddev=NEAR_ZERO)
    return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=small, dtype=precision)(noise)

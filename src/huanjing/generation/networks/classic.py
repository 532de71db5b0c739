"""The classic pair: transposed convolutions against strided ones.

After Radford, Metz and Chintala, "Unsupervised representation learning with deep convolutional generative
adversarial networks" (ICLR 2016), in the small form that courses teach: kernels of 5×5, batch normalisation and
ReLU in the generator, LeakyReLU and dropout in the discriminator.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from huanjing.generation.networks.ends import latent_input, scores, weight_type
from huanjing.generation.networks.whole_batch import batch_normalisation, dropout
from huanjing.generation.shape import Shape

KERNEL = 5
SLOPE = 0.2
DROPOUT = 0.3


def generator(
    shape: Shape, latent: int, widths: Sequence[int], precision: str, classes: int = 0
) -> keras.Model:
    """Latents ``[N, latent]``, float32, to pictures ``[N, H, W, C]``, float32, -1..1.

    With widths 128 and 64, for 64×64: Dense to 16×16×128, a transposed convolution that keeps the size (128), one
    that doubles it (64), one that doubles it into the picture. One doubling for each width.
    """
    rows, columns = shape.base(len(widths))
    inputs, x = latent_input(latent, classes, precision)
    x = layers.Dense(rows * columns * widths[0], use_bias=False, dtype=precision)(x)
    x = _normalise(x, precision)
    x = layers.Reshape((rows, columns, widths[0]), dtype=precision)(x)
    for index, filters in enumerate(widths):
        stride = 1 if index == 0 else 2
        x = layers.Conv2DTranspose(
            filters, KERNEL, strides=stride, padding="same", use_bias=False, dtype=precision
        )(x)
        x = _normalise(x, precision)
    x = layers.Conv2DTranspose(shape.channels, KERNEL, strides=2, padding="same", dtype=precision)(x)
    pictures = layers.Activation("tanh", dtype=weight_type(precision), name="pictures")(x)
    return keras.Model(inputs, pictures, name="generator")


def discriminator(shape: Shape, widths: Sequence[int], precision: str, classes: int = 0) -> keras.Model:
    """Pictures ``[N, H, W, C]``, -1..1, to scores ``[N]``, float32: the higher, the more real.

    One convolution with stride 2 for each width, from the picture down.
    """
    pictures = keras.Input((shape.height, shape.width, shape.channels), dtype=weight_type(precision))
    x = pictures
    for index, filters in enumerate(widths):
        x = layers.Conv2D(filters, KERNEL, strides=2, padding="same", dtype=precision)(x)
        x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
        x = dropout(DROPOUT, index + 1, precision)(x)
    return scores(pictures, x, classes, precision)


def _normalise(x: keras.KerasTensor, precision: str) -> keras.KerasTensor:
    x = batch_normalisation(precision)(x)
    return layers.ReLU(dtype=precision)(x)

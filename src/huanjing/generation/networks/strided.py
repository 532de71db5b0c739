"""The strided pair: convolutions of 4×4 that double, or halve, and nothing between them.

The discriminator is what penalties of the gradient cost least on, and nothing in it hides from them: TensorFlow takes
the gradient of bilinear resizing for a constant, so that a penalty through it would be silently wrong; convolutions
differentiate twice. No normalisation, which would let one picture's score depend on the others, and no dropout.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from huanjing.generation.networks.ends import latent_input, scores, weight_type
from huanjing.generation.networks.whole_batch import batch_normalisation
from huanjing.generation.shape import Shape

KERNEL = 4
FIRST_KERNEL = 3
SLOPE = 0.2
MOMENTUM = 0.9
"""Of the generator's batch normalisation, whose statistics the averaged weights need soon."""


def generator(
    shape: Shape, latent: int, widths: Sequence[int], precision: str, classes: int = 0
) -> keras.Model:
    """Latents ``[N, latent]``, float32, to pictures ``[N, H, W, C]``, float32, -1..1.

    With widths 256, 128, 96 and 64, for 64×64: Dense to 4×4×256, transposed convolutions that double it (128, 96, 64),
    and one that doubles it into the picture. One doubling for each width.
    """
    rows, columns = shape.base(len(widths))
    inputs, x = latent_input(latent, classes, precision)
    x = layers.Dense(rows * columns * widths[0], use_bias=False, dtype=precision)(x)
    x = layers.Reshape((rows, columns, widths[0]), dtype=precision)(_normalise(x, precision))
    for filters in widths[1:]:
        x = layers.Conv2DTranspose(
            filters, KERNEL, strides=2, padding="same", use_bias=False, dtype=precision
        )(x)
        x = _normalise(x, precision)
    x = layers.Conv2DTranspose(shape.channels, KERNEL, strides=2, padding="same", dtype=precision)(x)
    pictures = layers.Activation("tanh", dtype=weight_type(precision), name="pictures")(x)
    return keras.Model(inputs, pictures, name="generator")


def discriminator(
    shape: Shape, widths: Sequence[int], precision: str, classes: int = 0, first: int = 0
) -> keras.Model:
    """Pictures ``[N, H, W, C]``, -1..1, to scores ``[N]``, float32: the higher, the more real.

    One convolution for each width, from the picture down.

    :param first: the width of a convolution of 3×3 before them, which does not halve; 0 for none.
    """
    pictures = keras.Input((shape.height, shape.width, shape.channels), dtype=weight_type(precision))
    x = pictures
    if first:
        x = layers.Conv2D(first, FIRST_KERNEL, padding="same", dtype=precision)(x)
        x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    for filters in widths:
        x = layers.Conv2D(filters, KERNEL, strides=2, padding="same", dtype=precision)(x)
        x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    return scores(pictures, x, classes, precision)


def _normalise(x: keras.KerasTensor, precision: str) -> keras.KerasTensor:
    x = batch_normalisation(precision, MOMENTUM)(x)
    return layers.ReLU(dtype=precision)(x)

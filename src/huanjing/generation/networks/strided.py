"""The strided discriminator: nothing but convolutions that halve the picture.

It is what penalties of the gradient cost least on, and nothing in it hides from them: TensorFlow takes the gradient
of bilinear resizing for a constant, so that a penalty through it would be silently wrong; convolutions
differentiate twice. No normalisation, which would let one picture's score depend on the others, and no dropout.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from huanjing.generation.networks.ends import score, weight_type
from huanjing.generation.shape import Shape

KERNEL = 4
SLOPE = 0.2


def discriminator(shape: Shape, widths: Sequence[int], precision: str) -> keras.Model:
    """Pictures ``[N, H, W, C]``, -1..1, to scores ``[N]``, float32: the higher, the more real.

    One convolution for each width, from the picture down.
    """
    pictures = keras.Input((shape.height, shape.width, shape.channels), dtype=weight_type(precision))
    x = pictures
    for filters in widths:
        x = layers.Conv2D(filters, KERNEL, strides=2, padding="same", dtype=precision)(x)
        x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    return keras.Model(pictures, score(x, precision), name="discriminator")

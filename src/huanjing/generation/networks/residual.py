"""The residual generator: blocks that add to what they were given, and no normalisation.

What keeps training stable is the objective (relativistic pairing with gradient penalties on both sides), so
the network can be plain: Huang, Gokaslan, Kuleshov and Tompkin, "The GAN is dead; long live the GAN!" (NeurIPS
2024) argues so; the widths and the resampling here are our own choice for processors without an accelerator.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from huanjing.generation.networks.ends import latent_input, weight_type
from huanjing.generation.shape import Shape

KERNEL = 3
SLOPE = 0.2
LAST_GAIN = 0.25
"""The scale of a block's last convolution at the start: close to the identity, yet not dead."""


def generator(
    shape: Shape, latent: int, widths: Sequence[int], precision: str, classes: int = 0
) -> keras.Model:
    """Latents ``[N, latent]``, float32, to pictures ``[N, H, W, C]``, float32, -1..1.

    ``widths`` from the coarsest grid to the picture: one doubling between two neighbours.
    """
    rows, columns = shape.base(len(widths) - 1)
    inputs, x = latent_input(latent, classes, precision)
    x = layers.Dense(2 * latent, kernel_initializer="he_normal", dtype=precision)(x)
    x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    x = layers.Dense(rows * columns * widths[0], dtype=precision)(x)
    x = layers.Reshape((rows, columns, widths[0]), dtype=precision)(x)
    for index, filters in enumerate(widths):
        if index > 0:
            x = _match(x, filters, precision)
            x = layers.UpSampling2D(2, interpolation="bilinear", dtype=precision)(x)
        x = _block(x, precision)
    x = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    x = layers.Conv2D(shape.channels, KERNEL, padding="same", dtype=precision)(x)
    pictures = layers.Activation("tanh", dtype=weight_type(precision), name="pictures")(x)
    return keras.Model(inputs, pictures, name="generator")


def _block(x: keras.KerasTensor, precision: str) -> keras.KerasTensor:
    """Give x + conv(act(conv(act(x)))), in He and Zhang's pre-activated order."""
    filters = x.shape[-1]
    y = layers.LeakyReLU(SLOPE, dtype=precision)(x)
    y = layers.Conv2D(filters, KERNEL, padding="same", kernel_initializer="he_normal", dtype=precision)(y)
    y = layers.LeakyReLU(SLOPE, dtype=precision)(y)
    last = keras.initializers.VarianceScaling(
        2 * LAST_GAIN**2, mode="fan_in", distribution="truncated_normal"
    )
    y = layers.Conv2D(filters, KERNEL, padding="same", kernel_initializer=last, dtype=precision)(y)
    return layers.Add(dtype=precision)([x, y])


def _match(x: keras.KerasTensor, filters: int, precision: str) -> keras.KerasTensor:
    """A 1×1 convolution where the width changes."""
    if x.shape[-1] == filters:
        return x
    return layers.Conv2D(filters, 1, use_bias=False, dtype=precision)(x)

"""The networks of the recipes, in plain Keras: a generator, a discriminator or both in each file."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from huanjing.generation.networks import classic, dense, modulated, residual, strided
from huanjing.generation.recipes import Recipe
from huanjing.generation.shape import Shape

__all__ = ["Networks", "Shape", "build_generator", "build_networks", "call"]

GENERATORS = {
    "classic": classic.generator,
    "dense": dense.generator,
    "residual": residual.generator,
    "strided": strided.generator,
    "modulated": modulated.generator,
}
DISCRIMINATORS = {
    "classic": classic.discriminator,
    "strided": strided.discriminator,
    "modulated": modulated.discriminator,
}


@dataclass(frozen=True)
class Networks:
    """The two players."""

    generator: keras.Model
    discriminator: keras.Model


def build_networks(recipe: Recipe, shape: Shape, precision: str, seed: int, classes: int = 0) -> Networks:
    """Both networks of a recipe, their first weights drawn from ``seed``.

    :param precision: a Keras dtype policy: ``float32``, or ``mixed_bfloat16``, which computes in bfloat16 while
        weights, scores and pictures stay float32.
    :param classes: how many classes both are told; with 0 they know of none.
    """
    generator = build_generator(recipe, shape, precision, seed, classes)
    make = DISCRIMINATORS[recipe.discriminator]
    return Networks(generator, make(shape, recipe.discriminator_widths, precision, classes))


def build_generator(recipe: Recipe, shape: Shape, precision: str, seed: int, classes: int = 0) -> keras.Model:
    """The generator of a recipe alone."""
    keras.utils.set_random_seed(seed % 2**32)
    make = GENERATORS[recipe.generator]
    return make(shape, recipe.latent, recipe.generator_widths, precision, classes)


def call(
    network: keras.Model, inputs: tf.Tensor, classes: tf.Tensor | None, *, training: bool = False
) -> tf.Tensor:
    """What a network makes of its latents or pictures ``[N, …]`` and, where it knows classes, of these ``[N, K]``."""
    if len(network.inputs) == 1:
        return network(inputs, training=training)
    return network([tf.convert_to_tensor(inputs), tf.convert_to_tensor(classes)], training=training)

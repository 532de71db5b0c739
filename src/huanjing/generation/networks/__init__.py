"""The networks of the recipes, in plain Keras: a generator and a discriminator in each file."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from huanjing.generation.networks import classic, residual, strided
from huanjing.generation.recipes import Recipe
from huanjing.generation.shape import Shape

__all__ = ["Networks", "Shape", "build_generator", "build_networks"]


@dataclass(frozen=True)
class Networks:
    """The two players."""

    generator: keras.Model
    discriminator: keras.Model


def build_networks(recipe: Recipe, shape: Shape, precision: str, seed: int) -> Networks:
    """Both networks of a recipe, their first weights drawn from ``seed``.

    :param precision: a Keras dtype policy: ``float32``, or ``mixed_bfloat16``, which computes in bfloat16 while
        weights, scores and pictures stay float32.
    """
    generator = build_generator(recipe, shape, precision, seed)
    make = {"classic": classic.discriminator, "strided": strided.discriminator}[recipe.discriminator]
    discriminator = make(shape, recipe.discriminator_widths, precision)
    return Networks(generator, discriminator)


def build_generator(recipe: Recipe, shape: Shape, precision: str, seed: int) -> keras.Model:
    """The generator of a recipe alone."""
    keras.utils.set_random_seed(seed % 2**32)
    make = {"classic": classic.generator, "residual": residual.generator}[recipe.generator]
    return make(shape, recipe.latent, recipe.generator_widths, precision)

"""The contract that every recipe's networks keep, at every kind of shape."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.training

SHAPES = [(28, 28, 1), (32, 32, 3), (64, 64, 3), (16, 40, 1), (128, 64, 3)]


@pytest.mark.parametrize("sides", SHAPES)
@pytest.mark.parametrize("name", ["dcgan", "residual"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_shapes_ranges_and_types(name: str, sides: tuple[int, int, int], precision: str) -> None:
    from huanjing.generation.networks import Shape, build_networks
    from huanjing.generation.recipes import recipe_for

    shape = Shape(*sides)
    recipe = recipe_for(name, shape)
    networks = build_networks(recipe, shape, precision, 1)
    latents = np.random.default_rng(1).standard_normal((2, recipe.latent)).astype(np.float32)
    pictures = networks.generator(latents, training=True)
    assert tuple(pictures.shape) == (2, *sides)
    assert pictures.dtype.name == "float32"
    assert float(np.abs(pictures).max()) <= 1.0
    scores = networks.discriminator(pictures, training=True)
    assert tuple(scores.shape) == (2,)
    assert scores.dtype.name == "float32"
    assert all(variable.dtype == "float32" for variable in networks.generator.trainable_variables)


def test_same_seed_same_weights() -> None:
    from huanjing.generation.networks import Shape, build_generator
    from huanjing.generation.recipes import recipe_for

    shape = Shape(8, 8, 1)
    recipe = recipe_for("residual", shape)
    first, second, third = (build_generator(recipe, shape, "float32", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    assert not np.array_equal(first.get_weights()[0], third.get_weights()[0])


def test_classic_at_64_has_the_published_size() -> None:
    from huanjing.generation.networks import Shape, build_networks
    from huanjing.generation.recipes import recipe_for

    shape = Shape(64, 64, 3)
    networks = build_networks(recipe_for("dcgan", shape), shape, "float32", 1)
    assert networks.generator.count_params() == pytest.approx(2.8e6, rel=0.02)
    assert networks.discriminator.count_params() == pytest.approx(0.24e6, rel=0.02)

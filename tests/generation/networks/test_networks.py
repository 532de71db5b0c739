"""The contract that every recipe's networks keep, at every kind of shape."""

from __future__ import annotations

import numpy as np
import pytest

from huanjing.generation.costs import COSTS, Cost

pytestmark = pytest.mark.training

SHAPES = [(28, 28, 1), (32, 32, 3), (64, 64, 4), (48, 64, 3), (128, 128, 3), (256, 256, 3), (16, 40, 1)]
CASES = [(name, sides) for name in ("dcgan", "residual", "slim", "modulated") for sides in SHAPES]


@pytest.mark.parametrize(("name", "sides"), [*CASES, ("dcgan-dense", (32, 32, 3))])
@pytest.mark.parametrize("classes", [0, 3])
def test_shapes_ranges_and_types(name: str, sides: tuple[int, int, int], classes: int) -> None:
    from huanjing.generation.networks import Shape, build_networks, call
    from huanjing.generation.recipes import recipe_for

    shape = Shape(*sides)
    recipe = recipe_for(name, shape, minutes=1)
    precision = "mixed_bfloat16" if classes else "float32"
    networks = build_networks(recipe, shape, precision, 1, classes)
    latents = np.random.default_rng(1).standard_normal((2, recipe.latent)).astype(np.float32)
    told = np.eye(classes, dtype=np.float32)[[0, 2]] if classes else None
    pictures = call(networks.generator, latents, told, training=True)
    assert tuple(pictures.shape) == (2, *sides)
    assert pictures.dtype.name == "float32"
    assert float(np.abs(pictures).max()) <= 1.0
    scores = call(networks.discriminator, pictures, told, training=True)
    assert tuple(scores.shape) == (2,)
    assert scores.dtype.name == "float32"
    assert all(variable.dtype == "float32" for variable in networks.generator.trainable_variables)


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: f"{cost.recipe}-{cost.size}-{cost.width}")
def test_networks_have_the_parameters_that_are_stated(cost: Cost) -> None:
    from huanjing.generation.networks import Shape, build_networks
    from huanjing.generation.recipes import recipe_for

    shape = Shape(cost.height, cost.width, cost.channels)
    networks = build_networks(recipe_for(cost.recipe, shape, size=cost.size or None), shape, "float32", 1)
    assert networks.generator.count_params() == cost.generator
    assert networks.discriminator.count_params() == cost.discriminator


@pytest.mark.parametrize("name", ["dcgan", "residual", "slim", "modulated"])
def test_both_networks_listen_to_the_class(name: str) -> None:
    from huanjing.generation.networks import Shape, build_networks, call
    from huanjing.generation.recipes import recipe_for

    shape = Shape(8, 8, 1)
    networks = build_networks(recipe_for(name, shape), shape, "float32", 1, 2)
    for network, width in ((networks.generator, (64,)), (networks.discriminator, (8, 8, 1))):
        same = np.ones((2, *width), np.float32)
        first, second = np.asarray(call(network, same, np.eye(2, dtype=np.float32)))
        assert not np.allclose(first, second)


@pytest.mark.parametrize("name", ["dcgan", "residual", "slim", "modulated"])
def test_at_first_the_latent_says_more_than_the_class(name: str) -> None:
    from huanjing.generation.networks import Shape, build_generator, call
    from huanjing.generation.recipes import recipe_for

    shape = Shape(16, 16, 1)
    generator = build_generator(recipe_for(name, shape), shape, "float32", 1, 10)
    latents = np.repeat(np.random.default_rng(0).standard_normal((10, 64), np.float32), 10, axis=0)
    classes = np.tile(np.eye(10, dtype=np.float32), (10, 1))
    made = np.asarray(call(generator, latents, classes)).reshape(10, 10, -1)
    by_latent, by_class = made.mean(axis=1).std(axis=0), made.mean(axis=0).std(axis=0)
    assert by_latent.mean() > 1.5 * by_class.mean() > 0


def test_same_seed_same_weights() -> None:
    from huanjing.generation.networks import Shape, build_generator
    from huanjing.generation.recipes import recipe_for

    shape = Shape(8, 8, 1)
    recipe = recipe_for("residual", shape)
    first, second, third = (build_generator(recipe, shape, "float32", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    assert not np.array_equal(first.get_weights()[0], third.get_weights()[0])


def test_classic_at_64_has_the_published_size() -> None:
    stated = next(cost for cost in COSTS if (cost.recipe, cost.width) == ("dcgan", 64))
    assert stated.generator == pytest.approx(2.8e6, rel=0.02)
    assert stated.discriminator == pytest.approx(0.24e6, rel=0.02)

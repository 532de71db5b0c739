"""What sets the modulated pair apart from the strided one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def generator() -> keras.Model:
    return _generator("modulated")


def _generator(name: str) -> keras.Model:
    from huanjing.generation.networks import Shape, build_generator
    from huanjing.generation.recipes import recipe_for

    shape = Shape(16, 16, 1)
    return build_generator(recipe_for(name, shape, size="small"), shape, "float32", 1)


@pytest.mark.parametrize(("name", "hears"), [("slim", False), ("modulated", True)])
def test_every_grid_hears_the_latent_and_not_the_first_alone(name: str, *, hears: bool) -> None:
    network = _generator(name)
    first_grid = max(_layers(network, "Dense"), key=lambda each: each.units)
    first_grid.kernel.assign(np.zeros(first_grid.kernel.shape))
    for layer in _layers(network, "Conv2D")[:-1]:  # what takes up the grain; the last makes the picture
        layer.kernel.assign(np.zeros(layer.kernel.shape))
    one, other = np.asarray(network(np.random.default_rng(1).standard_normal((2, 64), np.float32)))
    assert (not np.array_equal(one, other)) is hears


def test_doubling_leaves_no_grid_on_what_is_plain(generator: keras.Model) -> None:
    from keras import Model

    for doubling, smooth in zip(
        _layers(generator, "Conv2DTranspose"), _layers(generator, "AveragePooling2D"), strict=True
    ):
        plain = np.ones((1, *doubling.input.shape[1:]), np.float32)
        gridded, even = Model(doubling.input, [doubling.output, smooth.output])(plain)
        inner = (slice(None), slice(3, -3), slice(3, -3))
        assert np.asarray(gridded)[inner].std(axis=(1, 2)).max() > 0.01
        assert np.asarray(even)[inner].std(axis=(1, 2)).max() < 1e-6


def test_grain_is_random_over_places_and_pictures_and_smooth_between_pictures(generator: keras.Model) -> None:
    from keras import Model

    finest = _layers(generator, "Conv2D")[-2]
    noise = Model(generator.input, finest.input)
    z = np.random.default_rng(1).standard_normal((2000, 64), np.float32)
    drawn = np.asarray(noise(z)).reshape(2000, 16 * 16)
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(math.sqrt(0.5), abs=0.01)
    places, pictures = np.corrcoef(drawn.T), np.corrcoef(drawn[:256])
    for correlation in (places, pictures):
        apart = correlation[~np.eye(256, dtype=bool)]
        assert np.sqrt((apart**2).mean()) < 0.1
    thirtieth = np.asarray(noise(z[:1] + (z[1:2] - z[:1]) / 30)).reshape(16 * 16)
    assert np.corrcoef(drawn[0], thirtieth)[0, 1] > 0.95


def test_grain_is_not_learned_but_how_much_each_channel_takes_is(generator: keras.Model) -> None:
    trained = {id(weight) for weight in generator.trainable_variables}
    fixed = [layer.units for layer in _layers(generator, "Dense") if id(layer.kernel) not in trained]
    assert fixed == [8 * 8, 16 * 16]
    assert all(id(layer.kernel) in trained for layer in _layers(generator, "Conv2D"))


def _layers(network: keras.Model, kind: str) -> list[keras.Layer]:
    return [layer for layer in network.layers if type(layer).__name__ == kind]


def test_the_discriminator_looks_at_the_picture_before_it_halves_anything() -> None:
    from huanjing.generation.networks import Shape, build_networks
    from huanjing.generation.recipes import recipe_for

    shape = Shape(32, 24, 3)
    networks = build_networks(recipe_for("modulated", shape), shape, "float32", 1)
    convolutions = [layer for layer in networks.discriminator.layers if type(layer).__name__ == "Conv2D"]
    assert convolutions[0].output.shape[1:3] == (32, 24)
    assert convolutions[1].output.shape[1:3] == (16, 12)
    assert networks.generator.layers[-2].input.shape[1:3] == (32, 24)

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.training


def test_losses_are_the_papers() -> None:
    import tensorflow as tf

    from huanjing.generation.objectives import OBJECTIVES

    real, generated = tf.constant([1.0, -2.0]), tf.constant([0.5, 3.0])

    def f(t: float) -> float:
        return math.log1p(math.exp(t))

    classic, relativistic = OBJECTIVES["non-saturating"], OBJECTIVES["relativistic"]
    assert float(classic.discriminator(real, generated)) == pytest.approx(
        (f(-1) + f(2)) / 2 + (f(0.5) + f(3)) / 2
    )
    assert float(classic.generator(real, generated)) == pytest.approx((f(-0.5) + f(-3)) / 2)
    assert float(relativistic.discriminator(real, generated)) == pytest.approx((f(-0.5) + f(5)) / 2)
    assert float(relativistic.generator(real, generated)) == pytest.approx((f(0.5) + f(-5)) / 2)


@pytest.mark.parametrize("name", ["non-saturating", "relativistic"])
def test_turned_leads_from_one_gradient_to_the_other(name: str) -> None:
    import tensorflow as tf

    from huanjing.generation.objectives import OBJECTIVES

    objective = OBJECTIVES[name]
    real, generated = tf.constant([1.0, -2.0, 20.0]), tf.Variable([0.5, 3.0, -20.0])
    with tf.GradientTape(persistent=True) as tape:
        loss_d, loss_g = objective.discriminator(real, generated), objective.generator(real, generated)
    turned = objective.turned(real, generated) * tape.gradient(loss_d, generated)
    np.testing.assert_allclose(turned, tape.gradient(loss_g, generated), rtol=1e-5)
    far = objective.turned(tf.constant([500.0]), tf.constant([-500.0]))
    assert np.isfinite(far).all(), "a discriminator that is sure of itself"


def test_penalty_of_a_linear_discriminator_is_its_squared_norm() -> None:
    import tensorflow as tf

    from huanjing.generation.objectives import gradient_penalty

    weights = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    penalty = gradient_penalty(lambda x: tf.reduce_sum(x * weights, axis=[1, 2, 3]), tf.zeros([5, 2, 2, 3]))
    assert float(penalty) == pytest.approx(float((weights**2).sum()))


def _layers() -> dict[str, Callable[[], list[keras.Layer]]]:
    from keras import layers

    def smooth() -> keras.Layer:
        # A kink of LeakyReLU between two probes would spoil finite differences, not gradients.
        return layers.Activation("softplus", dtype="float64")

    return {
        "convolution": lambda: [layers.Conv2D(3, 3, padding="same", dtype="float64"), smooth()],
        "strided": lambda: [layers.Conv2D(3, 4, strides=2, padding="same", dtype="float64"), smooth()],
        "strided 5×5": lambda: [layers.Conv2D(3, 5, strides=2, padding="same", dtype="float64"), smooth()],
        "1×1": lambda: [layers.Conv2D(3, 1, use_bias=False, dtype="float64"), smooth()],
        "average pooling": lambda: [
            layers.Conv2D(2, 3, padding="same", dtype="float64"),
            smooth(),
            layers.AveragePooling2D(2, dtype="float64"),
            smooth(),
        ],
        "leaky": lambda: [layers.LeakyReLU(0.2, dtype="float64"), smooth()],
    }


LAYERS = ["convolution", "strided", "strided 5×5", "1×1", "average pooling", "leaky"]


@pytest.mark.parametrize("name", LAYERS)
def test_penalty_differentiates_through_every_layer_that_discriminators_use(name: str) -> None:
    import keras

    keras.utils.set_random_seed(1)
    stack = [
        *_layers()[name](),
        keras.layers.Flatten(dtype="float64"),
        keras.layers.Dense(1, dtype="float64"),
    ]
    _compare(keras.Sequential([keras.Input((6, 6, 2), dtype="float64"), *stack]), (4, 6, 6, 2))


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", ["residual", "dcgan"])
def test_penalty_differentiates_through_whole_discriminators(name: str, classes: int) -> None:
    from huanjing.generation.networks import Shape, build_networks
    from huanjing.generation.recipes import recipe_for

    shape = Shape(8, 12, 3)
    network = build_networks(recipe_for(name, shape), shape, "float64", 1, classes).discriminator
    _compare(network, (2, 8, 12, 3), np.eye(classes)[[0, 2]] if classes else None)


def _compare(
    network: keras.Model, shape: tuple[int, ...], classes: NDArray[np.float64] | None = None
) -> None:
    """Along a random direction in all weights: the penalty's gradient against a central difference, in float64."""
    import tensorflow as tf

    from huanjing.generation.networks import call
    from huanjing.generation.objectives import gradient_penalty

    def discriminator(x: tf.Tensor) -> tf.Tensor:
        return call(network, x, classes)

    random = np.random.default_rng(3)
    pictures = tf.constant(random.standard_normal(shape))
    weights = network.trainable_variables
    directions = [random.standard_normal(tuple(weight.shape)) for weight in weights]
    # In order of size, so that no weight is drowned by another.
    directions = [d / np.sqrt(d.size) for d in directions]
    start = [np.array(weight.value) for weight in weights]

    def penalty(way: float) -> float:
        for weight, value, direction in zip(weights, start, directions, strict=True):
            weight.assign(value + way * direction)
        return float(gradient_penalty(discriminator, pictures))

    h = 1e-6
    finite = (penalty(h) - penalty(-h)) / (2 * h)
    penalty(0)
    with tf.GradientTape() as tape:
        loss = gradient_penalty(discriminator, pictures)
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    assert loss.dtype == tf.float64
    exact = sum(
        float(np.sum(np.array(gradient) * direction))
        for gradient, direction in zip(gradients, directions, strict=True)
        if gradient is not None
    )
    assert exact == pytest.approx(finite, rel=1e-4)
    assert exact != 0

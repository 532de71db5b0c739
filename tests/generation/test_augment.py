from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.training


def draw(
    shape: tuple[int, int, int, int], p: float, seed: int = 1, dtype: str = "float32", **more: Any
) -> Any:
    import tensorflow as tf

    from huanjing.generation.augment import draw_augmentation

    return draw_augmentation(shape, tf.constant(p, dtype), tf.constant([seed, 2], tf.int64), **more)


def noise(shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return np.random.default_rng(3).uniform(-1, 1, shape).astype(dtype)


SHAPES = [(6, 8, 12, 1), (6, 28, 28, 1), (6, 16, 16, 3), (6, 12, 8, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_with_probability_0_not_one_pixel_changes(shape: tuple[int, int, int, int]) -> None:
    pictures = noise(shape)
    np.testing.assert_array_equal(draw(shape, 0.0, turn=True)(pictures), pictures)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_linear_and_the_same_for_every_call_with_one_seed(shape: tuple[int, int, int, int]) -> None:
    pictures = noise(shape)
    change = draw(shape, 0.8, turn=True)
    once = change(pictures).numpy()
    assert once.shape == shape
    assert np.abs(once - pictures).mean() > 0.05
    np.testing.assert_array_equal(once, draw(shape, 0.8, turn=True)(pictures))
    assert np.abs(once - draw(shape, 0.8, seed=9, turn=True)(pictures)).mean() > 0.05
    zero = change(np.zeros(shape, np.float32)).numpy()
    np.testing.assert_allclose(change(2 * pictures).numpy() - zero, 2 * (once - zero), atol=1e-4)
    part = change.part(2, 5)
    np.testing.assert_allclose(part(pictures[2:5]), once[2:5], atol=1e-5)


def test_alpha_is_moved_with_its_picture_but_keeps_its_brightness() -> None:
    import tensorflow as tf

    change = draw((200, 8, 8, 4), 1.0)
    np.testing.assert_array_equal(change.brightness[..., 3], np.zeros((200, 1, 1)))
    np.testing.assert_array_equal(change.colours[:, 3], np.tile([0.0, 0, 0, 1], (200, 1)))
    grey = tf.ones([200, 3, 1]) * 0.4
    mixed = tf.matmul(change.colours[:, :3, :3], grey).numpy()
    # Saturation leaves grey grey: all channels of one picture stay equal.
    np.testing.assert_allclose(mixed, mixed[:, :1].repeat(3, axis=1), atol=1e-5)


def test_gradients_to_second_order_are_those_of_finite_differences() -> None:
    """Along a random direction: d/dx of ‖∇ₓ D(T(x))‖², which the penalty descends, in float64."""
    import tensorflow as tf

    shape = (5, 8, 8, 3)
    change = draw(shape, 0.8, dtype="float64", turn=True)
    weights = tf.constant(noise((8 * 8 * 3, 7), "float64"))

    def penalty(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_sum(tf.math.softplus(tf.reshape(change(x), [5, -1]) @ weights))
        return tf.reduce_sum(tape.gradient(score, x) ** 2)

    x, way = tf.constant(noise(shape, "float64")), np.random.default_rng(8).standard_normal(shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = penalty(x)
    exact = float(np.sum(tape.gradient(value, x).numpy() * way))
    h = 1e-5
    finite = float(penalty(x + h * way) - penalty(x - h * way)) / (2 * h)
    assert exact == pytest.approx(finite, rel=1e-5)
    assert exact != 0


def test_at_the_highest_probability_every_distribution_can_still_be_told_from_its_augmented_form() -> None:
    """The operator on distributions of all 256 pictures of 8 black or white pixels, measured from what is drawn.

    Shifts and holes map such pictures to pictures of black, white and grey; it is enough that no two distributions of
    black and white ones come out the same, that is, that the operator has full rank and is not near to losing it.
    """
    from huanjing.generation import augment

    states = np.array(list(product([-1.0, 1.0], repeat=8)), np.float32)
    count = 4000
    change = draw((count, 8, 8, 1), augment.MOST, seed=5)
    columns, visible = change.columns.numpy(), change.visible.numpy()[..., 0]
    # Of each draw only what moves whole pixels and cuts out; scale, which mixes pixels, is left out.
    whole = np.isin(columns, [0.0, 1.0]).all(axis=(1, 2))
    columns, visible = columns[whole], visible[whole, 4]
    outcomes = np.rint(np.einsum("kvw,sw->skv", columns, states) * visible[None]).astype(int)
    codes = (outcomes + 1) @ 3 ** np.arange(8)
    operator = np.stack([np.bincount(row, minlength=3**8) for row in codes]) / whole.sum()
    assert whole.sum() > 500
    smallest = np.linalg.svd(operator, compute_uv=False).min()
    assert smallest > 0.01


def test_strength_follows_how_sure_the_discriminator_is() -> None:
    import tensorflow as tf

    from huanjing.generation.augment import MOST, AdaptiveStrength

    strength = AdaptiveStrength()
    strength.PICTURES = 100
    sure = tf.constant([3.0, 2.0]), tf.constant([1.0, 0.0])
    unsure = tf.constant([3.0, -2.0]), tf.constant([1.0, 0.0])
    for number in range(7):
        strength.remember(*sure)
        strength.adapt(tf.constant(number, tf.int64), 2)
    # Moved once, after four steps of two pictures each.
    assert float(strength.probability) == pytest.approx(8 / 100)
    assert float(strength.certainty) == 1.0
    for number in range(7, 100):
        strength.remember(*sure)
        strength.adapt(tf.constant(number, tf.int64), 2)
    assert float(strength.probability) == pytest.approx(MOST)
    for number in range(100, 104):
        strength.remember(*unsure)
        strength.adapt(tf.constant(number, tf.int64), 2)
    assert float(strength.certainty) == 0.0
    assert float(strength.probability) == pytest.approx(MOST - 8 / 100)


def test_strength_follows_over_fitting_where_pictures_are_held_out() -> None:
    import tensorflow as tf

    from huanjing.generation.augment import AdaptiveStrength

    strength = AdaptiveStrength(watched=True)
    strength.PICTURES = 100
    assert strength.over_fitting is None
    real, generated = tf.constant([3.0, 2.0]), tf.constant([1.0, 0.0])
    # Sure of itself, and right: what it never saw scores like what it saw.
    for number in range(8):
        strength.remember(real, generated, tf.constant([2.5, 2.5]))
        strength.adapt(tf.constant(number, tf.int64), 2)
    assert float(strength.certainty) == 1.0
    assert strength.over_fitting == 0.0
    assert float(strength.probability) == 0.0
    # By heart: what it never saw scores like what was generated.
    for number in range(8, 16):
        strength.remember(real, generated, generated)
        strength.adapt(tf.constant(number, tf.int64), 2)
    assert strength.over_fitting == pytest.approx(8 / 16, abs=0.02)
    assert float(strength.probability) == pytest.approx(2 * 8 / 100)


@pytest.mark.parametrize("name", ["residual", "modulated", "dcgan"])
def test_pictures_that_are_held_out_are_looked_at_and_not_learned_from(tiny: Any, name: str) -> None:
    import keras
    import tensorflow as tf

    from huanjing.generation.feed import Feed, split
    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import make_step

    def trained(held_out: int) -> Any:
        """Ten pictures held out, each of one level, after two steps."""
        pictures = np.random.default_rng(3).integers(0, 200, (40, 8, 8, 1)).astype(np.uint8)
        config = tiny(name, augment="adaptive", held_out=10)
        pictures[split(config, 40)[1]] = held_out
        with Feed(config, pictures, None, 0) as feed:
            keras.utils.set_random_seed(0)
            state = TrainingState(config)
            step = make_step(config, state)
            for number in range(2):
                batches, labels = feed.next()
                assert batches.shape[:2] == labels.shape == (config.recipe.updates + 1, 8)
                assert (batches[-1].numpy() == held_out).all()
                assert not (batches[:-1].numpy() == held_out).all(axis=(2, 3, 4)).any()
                step(batches, labels, tf.constant(number, tf.int64), tf.constant(0.0))
        return state

    one, other = trained(201), trained(255)
    different = {key for key, array in one.arrays().items() if (array != other.arrays()[key]).any()}
    assert different == {"augmentation/004"}, "how far they score from training pictures, and nothing else"


def test_half_of_the_pictures_are_mirrored() -> None:
    import tensorflow as tf

    from huanjing.generation.augment import mirror_half

    pictures = noise((400, 2, 6, 3))
    seen = mirror_half(tf.constant(pictures), tf.constant([1, 2], tf.int64)).numpy()
    as_is = (seen == pictures).all(axis=(1, 2, 3))
    mirrored = (seen == pictures[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (as_is ^ mirrored).all()
    assert 150 < mirrored.sum() < 250


def test_a_generator_of_centred_blobs_learns_neither_shifts_nor_holes(tmp_path: Path, tiny: Any) -> None:
    from huanjing.generation.samples import make_pictures, sample_latents
    from huanjing.generation.train import train_generator
    from huanjing.training import Run

    random = np.random.default_rng(2)
    place = np.arange(8) - 3.5
    size = random.uniform(1, 2, (200, 1))
    across = np.exp(-((place / size) ** 2))
    light = random.uniform(120, 220, (200, 1, 1))
    blobs = (20 + light * across[:, :, None] * across[:, None, :]).astype(np.uint8)[..., None]
    config = tiny(
        steps=400, augment=0.5, recipe={"batch": 32, "rate": 3e-3, "last_rate": 1e-3, "generator_widths": (16, 16)}
    )  # fmt: skip
    with Run.start(tmp_path / "run", config) as run:
        trained = train_generator(config, blobs, run)
    made = make_pictures(trained.state.averaged, sample_latents(1, 200, 4)).astype(float)[..., 0]
    shown = draw((200, 8, 8, 1), 0.5)(blobs.astype(np.float32) / 127.5 - 1).numpy()[..., 0]

    def off_centre(pictures: Any) -> float:
        """Root mean square distance of the bright part's middle from the picture's, in pixels."""
        weight = np.maximum(pictures - np.median(pictures, axis=(1, 2), keepdims=True), 0) + 1e-6
        weight /= weight.sum(axis=(1, 2), keepdims=True)
        return float(np.sqrt(np.mean((weight.sum(axis=2) @ place) ** 2 + (weight.sum(axis=1) @ place) ** 2)))

    assert off_centre(shown) > 0.5
    assert off_centre(made) < 0.5 * off_centre(shown)

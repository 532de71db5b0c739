"""The training doctor: every fault planted and found, and nothing found on a healthy run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.training import Run

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

pytestmark = pytest.mark.training
Tiny = Callable[..., "GeneratorConfig"]
Pictures = NDArray[np.uint8]


@pytest.fixture
def blobs() -> Pictures:
    """Three hundred dark 8×8 pictures, each with a bright blob of its own place, size and brightness."""
    random = np.random.default_rng(4)
    rows, columns, size = (
        random.uniform(1.5, 5.5, (2, 300)),
        random.uniform(1.5, 5.5, 300),
        random.uniform(1, 2, 300),
    )
    place = np.arange(8)
    across = np.exp(-(((place - rows[0][:, None]) / size[:, None]) ** 2))
    down = np.exp(-(((place - columns[:, None]) / size[:, None]) ** 2))
    light = random.uniform(120, 230, 300)
    return (20 + light[:, None, None] * across[:, :, None] * down[:, None, :]).astype(np.uint8)[..., None]


def doctor(config: GeneratorConfig, pictures: Pictures) -> Any:
    from huanjing.generation.watch import Doctor

    return Doctor(config, pictures, None)


def state(config: GeneratorConfig) -> Any:
    from huanjing.generation.state import TrainingState

    return TrainingState(config)


def constant(network: Any) -> None:
    """Let a generator make one picture whatever its latent."""
    network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])


def test_nothing_is_found_on_a_healthy_run(tiny: Tiny, blobs: Pictures, tmp_path: Path) -> None:
    from huanjing.generation.train import train_generator

    recipe = {"rate": 3e-3, "last_rate": 1e-3, "batch": 32}
    config = tiny(steps=320, recipe=recipe, augment="adaptive", held_out=40)
    ticks: list[Any] = []
    with Run.start(tmp_path / "run", config) as run:
        train_generator(config, blobs, run, ticks.append)
        log = run.read_log()
    assert [tick.alarms for tick in ticks if tick.alarms] == []
    assert [tick.went_back for tick in ticks if tick.went_back] == []
    looked = [line for line in log if "diversity" in line]
    assert len(looked) == 8
    assert looked[-1]["diversity"] > 0.5


def test_a_generator_that_makes_one_picture_after_many_has_collapsed(tiny: Tiny, blobs: Pictures) -> None:
    config = tiny()
    patient, looking = state(config), doctor(config, blobs)
    constant(patient.generator)
    # As it is before it has learned anything; no collapse.
    early = looking.look(patient)
    assert early.diversity < 0.01
    assert not early.collapsed
    looking.restore({"peak_diversity": 0.8})
    late = looking.look(patient)
    assert late.collapsed
    assert late.new == ("collapse",)
    assert not late.good
    assert looking.look(patient).new == ()
    again = doctor(config, blobs)
    again.restore(looking.numbers())
    assert again.look(patient).new == ()


def test_one_picture_of_each_class_is_a_collapse_however_much_the_classes_differ(tiny: Tiny) -> None:
    import keras

    from huanjing.generation.config import TrainedClass
    from huanjing.generation.diversity import diversity
    from huanjing.generation.watch import Doctor

    # Three classes, in the folder's order: dark, grey and light noise.
    random = np.random.default_rng(6)
    levels = np.repeat([40, 128, 215], 100).astype(np.int32)
    pictures = (levels[:, None, None, None] + random.integers(-20, 21, (300, 8, 8, 1))).astype(np.uint8)
    labels = np.repeat(np.arange(3, dtype=np.int32), 100)
    config = tiny(classes=[TrainedClass(name, 100) for name in ("dark", "grey", "light")])
    patient, looking = state(config), Doctor(config, pictures, labels)
    looking.restore({"peak_diversity": 0.8})
    assert not looking.look(patient).collapsed
    # The first weights that a latent meets, and those that a class has.
    of_class, of_both = [
        layer for layer in patient.generator.layers if isinstance(layer, keras.layers.Dense)
    ][:2]
    of_both.kernel.assign(of_both.kernel * np.repeat([0.0, 1.0], 4)[:, None])
    of_class.kernel.assign(30 * of_class.kernel)
    made = looking.pictures(patient.generator, 63).reshape(3, 21, -1).astype(np.float32)
    assert (made == made[:, :1]).all()
    assert diversity(made.reshape(63, -1)) > 0.5 * diversity(pictures.reshape(300, -1).astype(np.float32))
    found = looking.look(patient)
    assert found.collapsed
    assert found.diversity < 0.01


def test_a_generator_that_has_never_made_more_than_one_picture_is_told_of_after_a_while(
    tiny: Tiny, blobs: Pictures
) -> None:
    config = tiny(steps=100_000)
    patient, looking = state(config), doctor(config, blobs)
    constant(patient.generator)
    assert looking.every == 250
    alarms = [looking.look(patient).alarms for _ in range(8)]
    assert alarms == [()] * 7 + [("narrow",)]
    again = doctor(config, blobs)
    again.restore(looking.numbers())
    assert again.look(patient).alarms == ("narrow",)
    # One that was diverse once has collapsed, which is another matter.
    again.restore(looking.numbers() | {"peak_diversity": 0.8})
    assert again.look(patient).alarms == ("collapse",)


def test_a_game_that_the_discriminator_wins_is_told_and_no_state_to_go_back_to(
    tiny: Tiny, blobs: Pictures
) -> None:
    config = tiny()
    patient, looking = state(config), doctor(config, blobs)
    assert looking.look(patient).good
    patient.game.assign(0.15)
    assert looking.look(patient).good
    patient.game.assign(0.05)
    findings = looking.look(patient)
    assert findings.alarms[0] == "discriminator-won"
    assert not findings.good
    patient.game.assign(float("nan"))
    assert not looking.look(patient).finite


def test_copies_are_counted_but_neither_new_pictures_nor_those_of_a_set_that_repeats_itself(
    tiny: Tiny, blobs: Pictures
) -> None:
    looking = doctor(tiny(), blobs[:200])
    random = np.random.default_rng(1)
    copied = np.clip(blobs[:64] + random.normal(0, 1, (64, 8, 8, 1)), 0, 255).astype(np.uint8)
    assert looking.copies(copied) > 0.9
    assert looking.copies(blobs[200:264]) < 1 / 8
    blurred = (blobs[:64].astype(float) + blobs[64:128]) / 2
    assert looking.copies(blurred.astype(np.uint8)) < 1 / 8
    mirrored = doctor(tiny(mirror=True), blobs[:200])
    assert looking.copies(copied[:, :, ::-1]) < 1 / 8
    assert mirrored.copies(copied[:, :, ::-1]) > 0.9
    twice = doctor(tiny(), np.concatenate([blobs[:100]] * 2))
    assert twice.copies(blobs[:64]) == 0


def test_a_discriminator_that_knows_its_pictures_by_heart_is_found(tiny: Tiny) -> None:
    from huanjing.generation.step import make_step

    config = tiny(
        held_out=200, steps=400,
        recipe={"rate": 3e-3, "last_rate": 3e-3, "batch": 16, "discriminator_widths": (32, 64), "penalty": 0.05},
    )  # fmt: skip
    noise = np.random.default_rng(2).integers(0, 256, (240, 8, 8, 1), np.uint8)
    patient, looking = state(config), doctor(config, noise)
    assert "over-fitting" not in looking.look(patient).alarms
    import tensorflow as tf

    from huanjing.generation.feed import Feed

    step = make_step(config, patient)
    # Forty pictures of noise have nothing in common but what can be learned by heart.
    with Feed(config, noise, None, 0) as feed:
        for number in range(400):
            step(*feed.next(), tf.constant(number, tf.int64), tf.constant(0.0))
    made = np.random.default_rng(3).integers(0, 256, (64, 8, 8, 1), np.uint8)
    assert looking._over_fits(patient.discriminator, made)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_that_look_augmented_are_found(tiny: Tiny, channels: int) -> None:
    import tensorflow as tf

    from huanjing.datasets import clothing_folder, prepare_pictures
    from huanjing.generation.augment import draw_augmentation

    clothing = prepare_pictures(clothing_folder() / "test", (28, 28), 1).array
    pictures = np.repeat(
        clothing[np.random.default_rng(5).permutation(len(clothing))[:600]], channels, axis=3
    )
    config = tiny(height=28, width=28, channels=channels, augment="adaptive")
    looking = doctor(config, pictures[:400])
    others = pictures[400:]
    assert not looking.leaks(others)
    change = draw_augmentation(others.shape, tf.constant(0.8), tf.constant([3, 3], tf.int64))
    leaked = change(tf.constant(others, tf.float32) / 127.5 - 1).numpy()
    assert looking.leaks(np.clip((leaked + 1) * 127.5, 0, 255).astype(np.uint8))
    assert not looking.leaks(np.zeros_like(others))

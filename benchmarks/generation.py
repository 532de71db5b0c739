"""Generation: the speed of the training loop beside a plain one, and what the recipes reach in the same time."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Row, median_ratio
from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.runtime import Generator, Recognizer, latents

if TYPE_CHECKING:
    from huanjing.generation.train import TrainedGenerator

MINUTES = 2.0
SCORED = 2000
SPEED_STEPS = 60


def run() -> list[Row]:
    """All rows."""
    return [training_speed(), *recipes(), generation_speed()]


def training_speed() -> Row:
    """Pictures/s of ``dcgan`` at 64×64: our loop, and a plain TensorFlow loop over the same network, in turn."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (2048, 64, 64, 3), dtype=np.uint8)
    ours, plain, same = [], [], []
    for _ in range(3):
        ours.append(_our_loop(pictures))
        plain.append(_plain_loop(pictures, "float32"))
        same.append(_plain_loop(pictures, _precision()))
    ratio = median_ratio(ours, plain)
    ratio_same = median_ratio(ours, same)
    return Row(
        "dcgan training at 64×64, pictures/s, against a plain TensorFlow loop over the same network",
        "at least equal",
        f"{statistics.median(ours):.0f} against {statistics.median(plain):.0f} (float32, as written): {ratio:.2f} "
        f"times; against {statistics.median(same):.0f} (the plain loop in {_precision()}): {ratio_same:.2f} times",
        ratio >= 1.0,
        {"huanjing": ours, "plain_float32": plain, "plain_same_precision": same},
    )


def recipes() -> list[Row]:
    """``residual`` and ``dcgan`` for the same minutes on the clothing pictures in the package, by one metric."""
    from huanjing.generation.metrics.frechet import frechet_distance

    clothing = clothing_folder()
    recognizer = Recognizer()
    train = prepare_pictures(clothing / "train", (28, 28), 1).array
    test = prepare_pictures(clothing / "test", (28, 28), 1).array
    real = recognizer.features(np.asarray(test[:SCORED]))
    chosen = np.sort(np.random.default_rng(0).permutation(len(train))[:SCORED])
    baseline = frechet_distance(recognizer.features(np.asarray(train[chosen])), real)
    distances, steps = {}, {}
    for recipe in ("dcgan", "residual"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / recipe
            steps[recipe] = train_for(recipe, MINUTES, clothing / "train", folder).step
            made = Generator(folder).generate(range(SCORED))
        distances[recipe] = frechet_distance(recognizer.features(made), real)
    ratio = distances["residual"] / distances["dcgan"]
    return [
        Row(
            f"Fréchet distance of residual after {MINUTES:g} minutes, against dcgan's",
            "at most half",
            f"{distances['residual']:.1f} against {distances['dcgan']:.1f}: {ratio:.2f} "
            f"(training against test pictures: {baseline:.1f})",
            ratio <= 0.5,
            {"distances": distances, "steps": steps, "train_against_test": baseline, "pictures": SCORED},
        )
    ]


def generation_speed() -> Row:
    """Pictures/s of the embedded generator: OpenVINO through ``Generator``, against Keras ``predict``."""
    import keras

    from huanjing.generation.networks import build_generator
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape

    generator = Generator()
    shape = Shape(generator.latent.height, generator.latent.width, generator.latent.channels)
    network = build_generator(recipe_for("residual", shape), shape, "float32", 0, len(generator.classes))
    seeds = range(2048)
    given = [latents(seeds, generator.latent.size), generator.class_rows(seeds)]
    few = [each[:64] for each in given]
    generator.pictures(*few)
    network.predict(few, verbose=0)
    ours, theirs = [], []
    for _ in range(5):
        started = time.perf_counter()
        generator.pictures(*given)
        ours.append(len(seeds) / (time.perf_counter() - started))
        started = time.perf_counter()
        network.predict(given, batch_size=32, verbose=0)
        theirs.append(len(seeds) / (time.perf_counter() - started))
    ratio = median_ratio(ours, theirs)
    keras.utils.clear_session()
    return Row(
        "generated pictures/s of 28×28, against Keras predict on the same network",
        "at least 2 times",
        f"{statistics.median(ours):.0f} against {statistics.median(theirs):.0f}: {ratio:.1f} times",
        ratio >= 2.0,
        {"huanjing": ours, "keras_predict": theirs},
    )


class _EnoughError(Exception):
    """Enough steps were timed."""


def _precision() -> str:
    from huanjing.generation.precision import best_precision

    return best_precision()


def _our_loop(pictures: NDArray[np.uint8]) -> float:
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape
    from huanjing.generation.train import Tick, train_generator
    from huanjing.training import Run

    recipe = recipe_for("dcgan", Shape(64, 64, 3))
    config = GeneratorConfig(
        recipe=recipe, height=64, width=64, channels=3, seed=0, steps=20_000,
        precision=_precision(), data=DataSummary("random", len(pictures), ""),
    )  # fmt: skip
    moments: list[tuple[int, float]] = []

    def watch(tick: Tick) -> None:
        moments.append((tick.step, time.perf_counter()))
        if tick.step >= SPEED_STEPS:
            raise _EnoughError

    with (
        tempfile.TemporaryDirectory() as place,
        Run.start(Path(place) / "run", config) as opened,
        suppress(_EnoughError),
    ):
        train_generator(config, pictures, opened, watch)
    # The first tick after the graph was traced and compiled starts the clock.
    (first, started), (last, ended) = next(m for m in moments if m[0] > 0), moments[-1]
    return (last - first) * recipe.batch / (ended - started)


def _plain_loop(pictures: NDArray[np.uint8], precision: str) -> float:
    """What a tutorial would write, on our network: tf.data, one tf.function a step, Keras's Adam, losses printed."""
    import keras
    import tensorflow as tf

    from huanjing.generation.networks import build_networks
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape

    recipe = recipe_for("dcgan", Shape(64, 64, 3))
    networks = build_networks(recipe, Shape(64, 64, 3), precision, 0)
    generator, discriminator = networks.generator, networks.discriminator
    optimisers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        z = tf.random.normal([recipe.batch, recipe.latent])
        with tf.GradientTape() as tape_g, tf.GradientTape() as tape_d:
            fake = generator(z, training=True)
            scores_real = discriminator(real, training=True)
            scores_fake = discriminator(fake, training=True)
            loss_g = entropy(tf.ones_like(scores_fake), scores_fake)
            loss_d = entropy(tf.ones_like(scores_real), scores_real) + entropy(
                tf.zeros_like(scores_fake), scores_fake
            )
        for optimiser, network, tape, loss in (
            (optimisers[0], generator, tape_g, loss_g),
            (optimisers[1], discriminator, tape_d, loss_d),
        ):
            weights = network.trainable_variables
            optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss_d, loss_g

    data = (
        tf.data.Dataset.from_tensor_slices(pictures)
        .shuffle(len(pictures))
        .repeat()
        .batch(recipe.batch)
        .map(lambda batch: tf.cast(batch, tf.float32) / 127.5 - 1.0)
        .prefetch(2)
    )
    batches = iter(data)
    for _ in range(5):
        step(next(batches))
    started = time.perf_counter()
    for _ in range(SPEED_STEPS):
        losses = step(next(batches))
    float(losses[0])
    return SPEED_STEPS * recipe.batch / (time.perf_counter() - started)


def train_for(recipe: str, minutes: float, pictures: Path, run: Path) -> TrainedGenerator:
    """Train on a folder as ``huanjing train generator`` does, without classes."""
    from huanjing.cli.generator_run import Asked, configure, train_and_export
    from huanjing.training import Run

    config, prepared = configure(run, pictures, Asked(recipe=recipe, minutes=minutes, conditional="no"))
    with Run.start(run, config) as opened:
        return train_and_export(config, prepared, opened)

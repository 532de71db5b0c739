"""Where the time of a training step goes: the whole loop against the forward and backward passes alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Row
from huanjing.generation.shape import Shape

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

ROUNDS = 5
STEPS = 40
MOST = 1.25
PICTURES = 2048
PASSES = "forward and backward of"


def run() -> list[Row]:
    """All rows."""
    return [
        step_time("residual", Shape(28, 28, 1), 0.0),
        step_time("residual", Shape(28, 28, 1), "adaptive"),
        step_time("modulated", Shape(64, 64, 3), 0.0),
    ]


def step_time(recipe: str, shape: Shape, augment: Any) -> Row:
    """Milliseconds a step in the real loop, and of each of its parts as a graph of its own.

    All are timed in turn, round by round, so that noise on the machine hits them alike; the median counts.
    The passes are what a step cannot do without: both networks forward, the penalties, and both gradients.
    """
    config = _config(recipe, shape, augment)
    parts = _parts(config)
    for part in parts.values():
        part()
    times: dict[str, list[float]] = {name: [] for name in ["the loop", *parts]}
    for _ in range(ROUNDS):
        times["the loop"].append(_loop(config))
        for name, part in parts.items():
            times[name].append(_milliseconds(part))
    medians = {name: statistics.median(values) for name, values in times.items()}
    passes = sum(value for name, value in medians.items() if name.startswith(PASSES))
    ratio = medians["the loop"] / passes
    listed = "; ".join(f"{name} {value:.1f}" for name, value in medians.items())
    return Row(
        f"a step of {recipe} at {shape.width}×{shape.height} ({'augmented' if augment else 'not augmented'}), against "
        "its passes alone",
        f"at most {MOST} times",
        f"{ratio:.2f} times. Milliseconds: {listed}",
        ratio <= MOST,
        {"milliseconds": times, "ratio": ratio},
    )


def milliseconds_of(recipe: str, shape: Shape) -> float:
    """Of a step as one graph, by the median of all rounds."""
    step = _parts(_config(recipe, shape, 0.0))["the step as one graph"]
    step()
    return statistics.median(_milliseconds(step, 8) for _ in range(ROUNDS))


def _config(recipe: str, shape: Shape, augment: Any) -> GeneratorConfig:
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.precision import best_precision
    from huanjing.generation.recipes import recipe_for

    return GeneratorConfig(
        recipe=recipe_for(recipe, shape), height=shape.height, width=shape.width, channels=shape.channels, seed=0,
        steps=20_000, precision=best_precision(), data=DataSummary("random", PICTURES, ""), augment=augment,
    )  # fmt: skip


def _pictures(config: GeneratorConfig) -> np.ndarray[Any, np.dtype[np.uint8]]:
    shape = (PICTURES, config.height, config.width, config.channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _parts(config: GeneratorConfig) -> dict[str, Callable[[], object]]:
    """Each part of a step, to be called with nothing."""
    import tensorflow as tf

    from huanjing.generation.feed import Feed
    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import _Game, make_step

    state = TrainingState(config)
    game = _Game(config, state, augmented=config.augment != 0)
    feed = Feed(config, _pictures(config), None, 0)
    pictures, labels = feed.next()
    number = tf.constant(1, tf.int64)
    step = make_step(config, state)
    batches = game.batches(pictures, labels, number, tf.constant(0.5))
    d, g = state.discriminator, state.generator

    def graph(function: Callable[[], object]) -> Callable[[], object]:
        return tf.function(function, autograph=False)  # type: ignore[no-any-return]

    zeros = {
        network.name: [tf.zeros(weight.shape) for weight in network.trainable_variables] for network in (d, g)
    }

    def optimisers() -> None:
        state.discriminator_optimiser.apply(zeros[d.name], d.trainable_variables)
        state.generator_optimiser.apply(zeros[g.name], g.trainable_variables)

    def average() -> None:
        if state.average is not None:
            state.average.update(number)

    def drawing() -> object:
        drawn = game.batches(pictures, labels, number, tf.constant(0.5))
        t = drawn.t
        return [drawn.real, drawn.z, *([t.rows, t.columns, t.colours, t.brightness, t.visible] if t else [])]

    passes = (
        {f"{PASSES} D": game.discriminator_gradients, f"{PASSES} G": game.generator_gradients}
        if config.recipe.updates == 2
        else {f"{PASSES} both": game.gradients_together}
    )
    return {
        **{name: graph(partial(function, batches)) for name, function in passes.items()},
        "both optimisers": graph(optimisers),
        "the average": graph(average),
        "drawing": graph(drawing),
        "gathering pictures (beside the step)": lambda: feed._gather(3),
        "the step as one graph": lambda: step(pictures, labels, number, tf.constant(0.5)),
    }


def _milliseconds(part: Callable[[], object], steps: int = STEPS) -> float:
    started = time.perf_counter()
    for _ in range(steps):
        result = part()
    _wait(result)
    return 1000 * (time.perf_counter() - started) / steps


def _wait(result: object) -> None:
    for each in _flat(result):
        np.asarray(each)


def _flat(result: object) -> Iterator[object]:
    if isinstance(result, list | tuple):
        for each in result:
            yield from _flat(each)
    elif result is not None:
        yield result


class _EnoughError(Exception):
    """Enough steps were timed."""


def _loop(config: GeneratorConfig) -> float:
    """Milliseconds a step of ``train_generator``, with its log, ticks and input, from its second tick on."""
    from huanjing.generation.train import Tick, train_generator
    from huanjing.training import Run

    moments: list[tuple[int, float]] = []

    def watch(tick: Tick) -> None:
        if tick.step:
            moments.append((tick.step, time.perf_counter()))
        if len(moments) > 1 and tick.step - moments[0][0] >= STEPS:
            raise _EnoughError

    with (
        tempfile.TemporaryDirectory() as place,
        Run.start(Path(place) / "run", config) as opened,
        suppress(_EnoughError),
    ):
        train_generator(config, _pictures(config), opened, watch)
    (first, started), (last, ended) = moments[0], moments[-1]
    return 1000 * (ended - started) / (last - first)

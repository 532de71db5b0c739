"""Where the time of a training step goes: the whole loop against the forward and backward passes alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Row

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

ROUNDS = 5
STEPS = 40
MOST = 1.25


def run() -> list[Row]:
    """All rows."""
    return [step_time(0.0), step_time("adaptive")]


def step_time(augment: Any) -> Row:
    """Milliseconds a step of ``residual`` at 28×28 in the real loop, and of each of its parts as a graph of its own.

    All are timed in turn, round by round, so that noise on the machine hits them alike; the median counts.
    The passes are what a step cannot do without: both networks forward, the penalties, and both gradients.
    """
    config = _config(augment)
    parts = _parts(config)
    for part in parts.values():
        part()
    times: dict[str, list[float]] = {name: [] for name in ["the loop", *parts]}
    for _ in range(ROUNDS):
        times["the loop"].append(_loop(config))
        for name, part in parts.items():
            times[name].append(_milliseconds(part))
    medians = {name: statistics.median(values) for name, values in times.items()}
    passes = medians["forward and backward of D"] + medians["forward and backward of G"]
    ratio = medians["the loop"] / passes
    listed = "; ".join(f"{name} {value:.1f}" for name, value in medians.items())
    return Row(
        f"a step of residual at 28×28 ({'augmented' if augment else 'not augmented'}), against its passes alone",
        f"at most {MOST} times",
        f"{ratio:.2f} times. Milliseconds: {listed}",
        ratio <= MOST,
        {"milliseconds": times, "ratio": ratio},
    )


def _config(augment: Any) -> GeneratorConfig:
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.precision import best_precision
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape

    return GeneratorConfig(
        recipe=recipe_for("residual", Shape(28, 28, 1)), height=28, width=28, channels=1, seed=0, steps=20_000,
        precision=best_precision(), data=DataSummary("random", 2048, ""), augment=augment,
    )  # fmt: skip


def _pictures() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (2048, 28, 28, 1), dtype=np.uint8)


def _parts(config: GeneratorConfig) -> dict[str, Callable[[], object]]:
    """Each part of a step, to be called with nothing."""
    import tensorflow as tf

    from huanjing.generation.feed import Feed
    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import _Game, make_step

    state = TrainingState(config)
    game = _Game(config, state)
    feed = Feed(config, _pictures(), None, 0)
    pictures, labels = feed.next()
    number = tf.constant(1, tf.int64)
    step = make_step(config, state)
    batches = game.batches(pictures, labels, number)
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
        drawn = game.batches(pictures, labels, number)
        t = drawn.t
        return [drawn.real, drawn.z, *([t.rows, t.columns, t.colours, t.brightness, t.visible] if t else [])]

    return {
        "forward and backward of D": graph(lambda: game.discriminator_gradients(batches)),
        "forward and backward of G": graph(lambda: game.generator_gradients(batches)),
        "both optimisers": graph(optimisers),
        "the average": graph(average),
        "drawing": graph(drawing),
        "gathering pictures (beside the step)": lambda: feed._gather(3),
        "the step as one graph": lambda: step(pictures, labels, number, tf.constant(0.5)),
    }


def _milliseconds(part: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(STEPS):
        result = part()
    _wait(result)
    return 1000 * (time.perf_counter() - started) / STEPS


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
        train_generator(config, _pictures(), opened, watch)
    (first, started), (last, ended) = moments[0], moments[-1]
    return 1000 * (ended - started) / (last - first)

"""The training of a generator: one loop, whatever the recipe.

A step is a function of the state (networks, optimisers, average) and of its number: which pictures it sees
follows from seed and number, and so does its noise. With ``steps`` given, progress is number / steps, so that a
run that was stopped and resumed equals the one that was not, bit for bit. With ``minutes`` given, progress is the
time trained so far, over all resumes, read from the clock every ten steps: it is kept in checkpoint and log, and
a resumed run goes on from it, but two runs on a clock never are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.feed import Feed
from huanjing.generation.samples import SampleSheets
from huanjing.generation.state import TrainingState
from huanjing.generation.step import make_step
from huanjing.training import Interrupted, Run
from huanjing.training.run import stop_requests

CLOCK_STEPS = 10
TICK_SECONDS = 2.0
CHECKPOINT_SECONDS = 60.0

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Tick:
    """How training stands; given to ``on_tick`` every two seconds, and whenever a sample sheet is drawn."""

    step: int
    progress: float
    """The part that is done, 0..1."""
    seconds: float
    """Trained so far, over all resumes."""
    pictures_per_second: float
    """Since the tick before."""
    discriminator_loss: float
    """Mean since the tick before, without penalties; NaN before the first step."""
    generator_loss: float
    sheet: Path | None
    """The sample sheet drawn at this tick."""
    pictures: Pictures | None
    """The pictures on it: NHWC uint8, 0..255, always of the same latents."""
    generator: keras.Model
    """The network that made them, averaged where the recipe says so. It goes on changing after the tick."""


@dataclass(frozen=True)
class TrainedGenerator:
    """What training leaves."""

    config: GeneratorConfig
    state: TrainingState
    step: int
    seconds: float


@dataclass
class _Clock:
    """Steps and time; with the state, all that a checkpoint holds."""

    config: GeneratorConfig
    step: int = 0
    seconds: float = 0.0
    progress: float = 0.0

    def __post_init__(self) -> None:
        self._since = time.monotonic() - self.seconds

    def now(self) -> float:
        self.seconds = time.monotonic() - self._since
        return self.seconds

    def advance(self) -> None:
        self.step += 1
        if self.config.steps is not None:
            self.progress = self.step / self.config.steps
        elif self.config.minutes is not None and self.step % CLOCK_STEPS == 0:
            self.progress = min(1.0, self.now() / (60.0 * self.config.minutes))

    @property
    def done(self) -> bool:
        return self.progress >= 1.0


def train_generator(
    config: GeneratorConfig, pictures: Pictures, run: Run, on_tick: Callable[[Tick], None] | None = None
) -> TrainedGenerator:
    """Train in ``run`` until the steps or minutes of ``config`` are done, going on from its newest checkpoint.

    :param pictures: NHWC uint8, 0..255, of the shape that ``config`` says; may be a memory map.
    :raises Interrupted: after Ctrl-C or SIGTERM, once the state is saved.
    :raises RunError: where numbers stop being finite, or the run folder cannot be used.
    """
    state = TrainingState(config)
    clock = _Clock(config)
    checkpoint = run.checkpoints.latest()
    if checkpoint is not None:
        state.restore(checkpoint.arrays)
        clock = _Clock(config, checkpoint.step, **checkpoint.numbers)
    run.cut_log(clock.step)
    train_step = make_step(config, state)
    sheets = SampleSheets(config, state.averaged, run.samples)
    ticker = _Ticker(config, clock, run, sheets, on_tick)
    saved = clock.now()

    def save() -> None:
        nonlocal saved
        arrays = state.arrays()
        broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if broken:
            raise RunError(_diverged(run, clock.step))
        run.checkpoints.save(clock.step, arrays, {"seconds": clock.now(), "progress": clock.progress})
        saved = clock.seconds

    with stop_requests() as stop, Feed(config, pictures, clock.step) as feed:
        if clock.step == 0:
            ticker.tick()
        while not clock.done:
            losses = train_step(
                feed.next(), tf.constant(clock.step, tf.int64), tf.constant(clock.progress, tf.float32)
            )
            clock.advance()
            ticker.add(losses)
            if ticker.due() or clock.done:
                ticker.tick()
            every = config.checkpoint_every
            if clock.done or (
                clock.step % every == 0 if every else clock.now() - saved >= CHECKPOINT_SECONDS
            ):
                save()
            if stop.is_set() and not clock.done:
                save()
                raise Interrupted(
                    f"Stopped after step {clock.step}, with everything saved in {run.folder}. "
                    "The same command goes on from there."
                )
    return TrainedGenerator(config, state, clock.step, clock.seconds)


class _Ticker:
    """Reads the losses now and then, writes the log, draws sheets, and tells who wants to know."""

    def __init__(
        self,
        config: GeneratorConfig,
        clock: _Clock,
        run: Run,
        sheets: SampleSheets,
        on_tick: Callable[[Tick], None] | None,
    ) -> None:
        self.config, self.clock, self.run, self.sheets, self.on_tick = config, clock, run, sheets, on_tick
        self._losses: list[tuple[tf.Tensor, tf.Tensor]] = []
        self._last = clock.now()
        self._drawn = clock.progress if clock.step else -1.0

    def add(self, losses: tuple[tf.Tensor, tf.Tensor]) -> None:
        self._losses.append(losses)

    def due(self) -> bool:
        return self.clock.now() - self._last >= TICK_SECONDS or self._sheet_due()

    def _sheet_due(self) -> bool:
        return self.sheets.due(self._drawn, self.clock.progress)

    def tick(self) -> None:
        clock = self.clock
        spent = clock.now() - self._last
        count = len(self._losses)
        losses = np.array(self._losses, np.float64).mean(axis=0) if count else np.full(2, np.nan)
        if count and not np.isfinite(losses).all():
            raise RunError(_diverged(self.run, clock.step))
        sheet, drawn = None, None
        if self._sheet_due():
            with self.run.writing():
                sheet, drawn = self.sheets.draw(clock.step)
            self._drawn = clock.progress
        speed = count * self.config.recipe.batch / spent if count and spent > 0 else 0.0
        loss_d, loss_g = map(float, losses)
        tick = Tick(
            clock.step,
            clock.progress,
            clock.now(),
            speed,
            loss_d,
            loss_g,
            sheet,
            drawn,
            self.sheets.generator,
        )
        if count:
            self.run.log(
                {
                    "step": tick.step,
                    "progress": tick.progress,
                    "seconds": round(tick.seconds, 3),
                    "pictures_per_second": round(speed, 1),
                    "discriminator_loss": tick.discriminator_loss,
                    "generator_loss": tick.generator_loss,
                }
            )
        if self.on_tick is not None:
            self.on_tick(tick)
        self._losses.clear()
        self._last = clock.now()


def _diverged(run: Run, step: int) -> str:
    steps = run.checkpoints.steps()
    good = (
        f"The last good checkpoint is that of step {steps[-1]}"
        if steps
        else "There is no checkpoint before it"
    )
    return (
        f"{run.folder}: training diverged: by step {step} numbers were no longer finite. {good}. "
        "Start a new run with another --seed or a smaller --batch; the pictures may also be too few or too alike."
    )

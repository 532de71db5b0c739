"""The training of a recognition network: one loop, whether it starts from a trained network or from nothing.

A step is a function of the state (network, optimiser, average, the best so far) and of its number: which pictures it
sees and how they are augmented follow from seed and number. With ``epochs`` given, progress is number / steps, so
that a run that was stopped and resumed equals the one that was not, bit for bit. With ``minutes`` given, progress
follows the clock, over all resumes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.datasets import batch_positions
from huanjing.errors import RunError
from huanjing.recognition.augment import augment
from huanjing.recognition.config import RecognizerConfig
from huanjing.recognition.dataset import LabelledPictures, class_weights
from huanjing.recognition.judge import Judge
from huanjing.recognition.network_state import NetworkState
from huanjing.recognition.novelty import PICTURES
from huanjing.training import Interrupted, Run
from huanjing.training.clock import Clock
from huanjing.training.prefetch import Prefetch
from huanjing.training.run import stop_requests

TICK_SECONDS = 2.0
CHECKPOINT_SECONDS = 60.0
ROUND_STEPS = 500
"""The network is judged after every epoch, and at least so often."""
WRITING_SECONDS = 6.0
"""What writing a bundle takes at most, beside answering for pictures."""
LEAST_SECONDS = 1.0
"""Of training, where reading and looking took all the minutes."""


@dataclass(frozen=True)
class Schedule:
    """How to train. ``rate`` is Adam's, reached after ``warm_up`` of the training and falling by a cosine to none."""

    rate: float
    warm_up: float
    label_smoothing: float
    smallest_crop: float
    """Of a picture's area."""
    patience: int
    """Rounds without a better validation figure after which training ends."""
    average_half_life: float
    """Of the weights' moving average, in steps."""


FINE_TUNING = Schedule(
    rate=3e-4, warm_up=0.1, label_smoothing=0.1, smallest_crop=0.6, patience=8, average_half_life=20
)
FROM_SCRATCH = Schedule(
    rate=2e-3, warm_up=0.05, label_smoothing=0.05, smallest_crop=0.85, patience=20, average_half_life=300
)


@dataclass(frozen=True)
class Tick:
    """How training stands; given every two seconds, and whenever the network was judged."""

    step: int
    progress: float
    """The part that is done, 0..1."""
    seconds: float
    """Trained so far, over all resumes."""
    pictures_per_second: float
    loss: float
    """Mean since the tick before; NaN where there was no step."""
    validation: float | None
    """Accuracy, 0..1, where the network was judged at this tick."""


def training_budget(minutes: float, each: float, answering: int) -> float:
    """Seconds after which training must end, so that what comes after it fits into ``minutes`` as well.

    Afterwards the network is written and answers for ``answering`` pictures by OpenVINO, which takes less for each than
    the ``each`` seconds of judging one, and some seconds besides.

    :returns: seconds from the command's start, at least half of the minutes.
    """
    seconds = 60.0 * minutes
    return max(seconds - WRITING_SECONDS - answering * each, 0.5 * seconds)


def _budget(config: RecognizerConfig, data: LabelledPictures, each: float) -> float:
    if config.minutes is None:
        return math.inf
    # On trial, for the test figure, and for what the model knows as known.
    known = round(1.5 * min(len(data.positions("train")), PICTURES))
    return training_budget(config.minutes, each, len(data.positions("val", "test")) + known)


def train_network(
    config: RecognizerConfig,
    schedule: Schedule,
    make: Callable[[], Any],
    data: LabelledPictures,
    run: Run,
    on_tick: Callable[[Tick], None],
    started: float,
) -> keras.Model:
    """Train in ``run``, going on from its newest checkpoint, and return the best network as float32.

    :param make: makes the network with its first weights, under whatever precision Keras is set to.
    :param started: ``time.monotonic()`` when the command began, from which ``minutes`` count.
    :raises Interrupted: after Ctrl-C or SIGTERM, once the state is saved.
    :raises RunError: where numbers stop being finite, or the run folder cannot be used.
    """
    state = NetworkState(config, schedule.average_half_life, make)
    judge = Judge(config, data)
    looked = time.monotonic()
    first = judge(state.averaged)
    judging = time.monotonic() - looked
    positions = data.positions("train", "generated")
    epoch = math.ceil(len(positions) / config.batch)
    every = min(epoch, ROUND_STEPS)
    total = epoch * config.epochs if config.epochs is not None else None
    # What was done before this counts too, over all resumes; the schedule has what is left of the minutes.
    spent = time.monotonic() - started
    budget = _budget(config, data, judging / len(judge.positions))
    checkpoint = run.checkpoints.latest()
    if checkpoint is None:
        clock = Clock(total, max(LEAST_SECONDS, budget - spent))
        state.remember(*first)
    else:
        numbers = dict(checkpoint.numbers)
        state.restore(checkpoint.arrays, numbers)
        spent += numbers["before"]
        left = max(LEAST_SECONDS, budget - spent)
        clock = Clock(total, left, checkpoint.step, numbers["seconds"], numbers["progress"])
    run.cut_log(clock.step)
    train_step = make_step(config, schedule, state, class_weights(data.counts("train", "generated")))
    ticker = _Ticker(config, clock, run, on_tick)
    saved = clock.now()

    def save() -> None:
        nonlocal saved
        run.checkpoints.save(
            clock.step, state.arrays(), {**clock.numbers(), "before": spent, **state.numbers()}
        )
        saved = clock.seconds

    with stop_requests() as stop, _Feed(config, data, positions, clock.step) as feed:
        while clock.progress < 1.0 and state.worse < schedule.patience:
            pictures, labels = feed.next()
            number = tf.constant(clock.step, tf.int64)
            ticker.add(train_step(pictures, labels, number, tf.constant(clock.progress, tf.float32)))
            clock.advance()
            if clock.step % every == 0 or clock.progress >= 1.0:
                accuracy, loss = judge(state.averaged)
                state.remember(accuracy, loss)
                ticker.tick(accuracy)
            elif ticker.due():
                ticker.tick(None)
            if clock.now() - saved >= CHECKPOINT_SECONDS:
                save()
            if stop.is_set() and clock.progress < 1.0:
                save()
                raise Interrupted(
                    f"Stopped after step {clock.step}, with everything saved in {run.folder}. "
                    "The same command goes on from there."
                )
        save()
    return state.best_network(make)


def make_step(
    config: RecognizerConfig, schedule: Schedule, state: NetworkState, weights: NDArray[np.float64]
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """The step as one graph: (pictures, labels, number, progress) to the loss.

    Pictures are uint8 ``[N, H, W, C]``, labels int64 ``[N]``, ``number`` the step's, int64, ``progress`` float32, 0..1.
    """
    network, optimiser = state.network, state.optimiser
    classes = len(weights)
    by_class = tf.constant(weights, tf.float32)

    def rate(progress: tf.Tensor) -> tf.Tensor:
        """Up in a straight line, then down by half a cosine."""
        fall = 0.5 * (1.0 + tf.cos(math.pi * progress))
        return schedule.rate * fall * tf.minimum(1.0, (progress + 1e-3) / schedule.warm_up)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(pictures: tf.Tensor, labels: tf.Tensor, number: tf.Tensor, progress: tf.Tensor) -> tf.Tensor:
        seed = tf.stack([tf.cast(config.seed, tf.int64), number])
        seen = augment(pictures, seed, config.side, config.channels, schedule.smallest_crop)
        wanted = tf.one_hot(labels, classes) * (1.0 - schedule.label_smoothing)
        wanted += schedule.label_smoothing / classes
        optimiser.learning_rate.assign(rate(progress))
        watched = [weight.value for weight in network.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            logits = tf.cast(network(seen, training=True), tf.float32)
            losses = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
            loss = tf.reduce_mean(losses * tf.gather(by_class, labels))
        optimiser.apply(tape.gradient(loss, watched), network.trainable_variables)
        state.average.update(number)
        return loss

    return step  # type: ignore[no-any-return]


class _Feed(Prefetch[tuple[tf.Tensor, tf.Tensor]]):
    """A step's pictures, uint8 ``[N, H, W, C]``, and their labels."""

    def __init__(
        self, config: RecognizerConfig, data: LabelledPictures, positions: NDArray[np.int64], step: int
    ) -> None:
        self.config, self.data, self.positions = config, data, positions
        super().__init__(self._gather, step)

    def _gather(self, step: int) -> tuple[tf.Tensor, tf.Tensor]:
        size = self.config.batch
        some = self.positions[batch_positions(len(self.positions), self.config.seed, step * size, size)]
        return tf.constant(self.data.take(some)), tf.constant(self.data.labels[some])


class _Ticker:
    """Reads the losses now and then, writes the log, and tells who wants to know."""

    def __init__(
        self, config: RecognizerConfig, clock: Clock, run: Run, on_tick: Callable[[Tick], None]
    ) -> None:
        self.config, self.clock, self.run, self.on_tick = config, clock, run, on_tick
        self._losses: list[tf.Tensor] = []
        self._last = clock.now()

    def add(self, loss: tf.Tensor) -> None:
        self._losses.append(loss)

    def due(self) -> bool:
        return self.clock.now() - self._last >= TICK_SECONDS

    def tick(self, validation: float | None) -> None:
        spent = max(1e-6, self.clock.now() - self._last)
        count = len(self._losses)
        loss = float(np.mean(self._losses)) if count else math.nan
        if count and not math.isfinite(loss):
            raise RunError(
                f"{self.run.folder}: training diverged: by step {self.clock.step} numbers were no longer finite. "
                "Start a new run with another --seed or --batch."
            )
        rate = count * self.config.batch / spent
        tick = Tick(self.clock.step, self.clock.progress, self.clock.seconds, rate, loss, validation)
        line = {"step": tick.step, "progress": tick.progress, "seconds": round(tick.seconds, 3)}
        line |= {"pictures_per_second": round(rate, 1), "loss": loss}
        self.run.log(line | ({} if validation is None else {"validation_accuracy": validation}))
        self.on_tick(tick)
        self._losses.clear()
        self._last = self.clock.now()

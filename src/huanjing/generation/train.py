"""The training of a generator: one loop, whatever the recipe.

A step is a function of the state (networks, optimisers, average, augmentation) and of its number: which pictures it
sees follows from seed and number, and so does its noise. With ``steps`` given, progress is number / steps, so that a
run that was stopped and resumed equals the one that was not, bit for bit. With ``minutes`` given, progress is the time
trained so far, over all resumes: it is kept in checkpoint and log, and a resumed run goes on from it, but two runs on
a clock never are the same.

With several workers each runs this loop on its rows of every batch. Between two steps they hear from the chief how the
training stands: its clock counts, and it alone looks, tells, scores and saves.

Every so many steps the training doctor looks. Where numbers are no longer finite, or the generator has collapsed,
training goes back to the newest state that was good, with half the rate, at most three times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.generation.alarms import REASONS, Return
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.feed import Feed
from huanjing.generation.follower import Follower, Word, checksum
from huanjing.generation.outlook import Outlook, look_ahead
from huanjing.generation.private import Key, PoissonFeed, PrivateStep
from huanjing.generation.scoring import Score, Scores
from huanjing.generation.share import check_shares, refuse_private
from huanjing.generation.state import TrainingState
from huanjing.generation.step import Step, make_step
from huanjing.generation.ticker import Tick, Ticker
from huanjing.generation.watch import Doctor, Findings
from huanjing.training import Interrupted, Run
from huanjing.training.clock import Clock
from huanjing.training.distribution import Distribution
from huanjing.training.run import stop_requests

__all__ = ["Tick", "TrainedGenerator", "train_generator"]

CHECKPOINT_SECONDS = 60.0
RETURNS = 3
"""How often training goes back to an earlier state."""
CALMER = 0.5
"""What the rate is multiplied by each time."""
SCORED = 500
"""Generated pictures that a score is taken on."""

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class TrainedGenerator:
    """What training leaves: with ``until`` "good" or a score the best state, else the last.

    A worker that is not the chief always has the last.
    """

    config: GeneratorConfig
    state: TrainingState
    step: int
    seconds: float
    best_score: float = math.inf
    """The lowest of all scores; infinite where none was taken."""


def train_generator(
    config: GeneratorConfig,
    pictures: Pictures,
    run: Run,
    on_tick: Callable[[Tick], None] | None = None,
    labels: NDArray[np.int32] | None = None,
    score: Score | None = None,
    distribution: Distribution | None = None,
) -> TrainedGenerator:
    """Train in ``run`` until the steps or minutes of ``config`` are done, going on from its newest checkpoint.

    :param pictures: NHWC uint8, 0..255, of the shape that ``config`` says; may be a memory map.
    :param labels: each picture's class, ``[N]``, as a position in ``config.classes``; not needed where that is empty.
    :param score: judges generated pictures now and then, for the log; needed where ``config.until`` is not "end".
    :param distribution: what to train on; this process alone unless told. A worker that is not the chief needs no
        ``on_tick`` and ``score``, and reads ``run`` without having started it.
    :raises Interrupted: after Ctrl-C or SIGTERM to any worker, once the state is saved.
    :raises RunError: where numbers stop being finite again and again, or the run folder cannot be used.
    :raises WorkerLostError: where another worker is gone.
    :raises UsageError: where the batch cannot be shared out among the replicas.
    """
    distribution = distribution or Distribution()
    check_shares(config.recipe, distribution.replicas)
    if config.private is not None:
        refuse_private(distribution.replicas)
    training: _Training | Follower
    if distribution.chief:
        training = _Training(config, pictures, labels, run, on_tick, score, distribution)
    else:
        training = Follower(config, run, distribution)
    clock, known = training.clock, checksum(run)
    with (
        distribution.others_may_fail(),
        stop_requests() as stop,
        training.feed(pictures, labels) as feed,
    ):
        training.start()
        while True:
            word = Word(clock.step, clock.progress, training.done, known)
            word, stopping = word.pass_on(distribution, stop=stop.is_set())
            training.heed(word)
            if word.done:
                break
            if stopping:
                training.save_unless_saved()
                raise Interrupted(
                    f"Stopped after step {clock.step}, with everything saved in {run.folder}. "
                    "The same command goes on from there."
                )
            if feed.step != clock.step:
                feed.go_to(clock.step)
            number, progress = tf.constant(clock.step, tf.int64), tf.constant(clock.progress, tf.float32)
            losses = training.step(*feed.next(), number, progress)
            clock.advance()
            training.took(losses)
    if isinstance(training, Follower):
        return TrainedGenerator(config, training.state, clock.step, clock.seconds)
    return training.result()


class _Training:
    """A run and everything around its step: the log, the doctor, the score, the checkpoints."""

    def __init__(
        self,
        config: GeneratorConfig,
        pictures: Pictures,
        labels: NDArray[np.int32] | None,
        run: Run,
        on_tick: Callable[[Tick], None] | None,
        score: Score | None,
        distribution: Distribution,
    ) -> None:
        self.config, self.run, self.score = config, run, score
        self.state = TrainingState(config, distribution)
        self.clock = Clock(config.steps, 60.0 * config.minutes if config.minutes else math.inf)
        self.doctor = Doctor(config, pictures, labels)
        self.scores = Scores(config.until)
        self.returns = 0
        checkpoint = run.checkpoints.latest()
        if checkpoint is not None:
            numbers = checkpoint.numbers
            self.state.restore(checkpoint.arrays)
            self.doctor.restore(numbers)
            self.scores.restore(numbers)
            self.returns = int(numbers.get("returns", 0))
            self.clock = Clock(
                self.clock.steps, self.clock.budget, checkpoint.step, numbers["seconds"], numbers["progress"]
            )
        run.cut_log(self.clock.step)
        self.key: Key | None = None
        self.step: Step = make_step(config, self.state)
        if config.private is not None:
            self.step = PrivateStep(config, self.state)
            if not self.clock.done:
                with run.writing():
                    self.key = Key(run.folder, begun=checkpoint is not None)
        self.ticker = Ticker(config, self.state, self.clock, run, on_tick)
        self._saved, self._saved_step = self.clock.now(), self.clock.step if checkpoint is not None else -1
        self._trouble = ""

    def feed(self, pictures: Pictures, labels: NDArray[np.int32] | None) -> Feed:
        """Batches from the step on that is next."""
        if self.key is not None:
            return PoissonFeed(self.config, pictures, self.key, self.clock.step)
        return Feed(self.config, pictures, labels, self.clock.step)

    @property
    def done(self) -> bool:
        """Whether the steps or minutes are over, or the score is enough."""
        return self.clock.done or self.scores.satisfied

    def start(self) -> None:
        """Tell of a training that begins, and save it."""
        if self.clock.step == 0:
            self.ticker.tick()
            self.save(Findings())

    def took(self, losses: tuple[tf.Tensor, tf.Tensor]) -> None:
        """A step is done: see how it went, and go back where it went badly."""
        self.ticker.add(losses)
        if not self.tell_and_save():
            self.go_back()

    def heed(self, word: Word) -> None:
        """It is our own."""

    def tell_and_save(self) -> bool:
        """Look, score, tell and save where it is time to; False where training has come to grief."""
        findings = (
            self.doctor.look(self.state) if self.doctor.due(self.clock.step) or self.clock.done else None
        )
        if findings is not None and (not findings.finite or (findings.collapsed and self.returns < RETURNS)):
            self._trouble = "collapse" if findings.finite else "not-finite"
            return False
        outlook = self._score() if findings is not None and findings.good else None
        if findings is not None or self.ticker.due():
            line: dict[str, Any] = {}
            if findings is not None and self.config.private is None:
                line = {"diversity": round(findings.diversity, 4), "alarms": findings.alarms}
            if not self.ticker.tick(line, outlook, alarms=findings.new if findings else ()):
                self._trouble = "not-finite"
                return False
        every = self.config.checkpoint_every
        due = self.clock.step % every == 0 if every else self.clock.now() - self._saved >= CHECKPOINT_SECONDS
        return (
            self.save(findings, outlook.score if outlook else None) if due or findings is not None else True
        )

    def save_unless_saved(self) -> None:
        """Write a checkpoint, but not in the place of one that the doctor found good."""
        if self._saved_step != self.clock.step:
            self.save(None)

    def save(self, findings: Findings | None, score: float | None = None) -> bool:
        """Write a checkpoint; False, and nothing is written, where numbers are not finite."""
        arrays = self.state.arrays()
        if not all(np.isfinite(array).all() for array in arrays.values()):
            self._trouble = "not-finite"
            return False
        numbers = self.clock.numbers() | self.doctor.numbers() | self.scores.numbers()
        numbers |= {"returns": float(self.returns)}
        good = findings is not None and findings.good
        self.run.checkpoints.save(self.clock.step, arrays, numbers, score, good=good)
        self._saved, self._saved_step = self.clock.seconds, self.clock.step
        return True

    def go_back(self) -> None:
        """Go on from the newest good state with a lower rate.

        :raises RunError: where that was done often enough, or training is private: no step is taken twice then.
        """
        step, trouble = self.clock.step, self._trouble
        if self.config.private is not None:
            raise RunError(
                f"{self.run.folder}: by step {step} {REASONS[trouble].en}, and private training never goes back. Start "
                "a new run with --run and a larger --batch; what both runs spend adds up."
            )
        good = self.run.checkpoints.latest_good()
        if good is None or self.returns >= RETURNS:
            raise RunError(_diverged(self.run, step, trouble, self.returns))
        self.returns += 1
        self.state.restore(good.arrays)
        self.state.rate_scale.assign(CALMER**self.returns)
        self.doctor.restore(good.numbers)
        self.scores.restore(good.numbers)
        self.clock.go_to(good.step)
        self.run.cut_log(good.step)
        self.save(Findings(), good.score)
        self.run.checkpoints.drop_after(good.step)
        self.ticker.back(Return(trouble, step, good.step, CALMER**self.returns))

    def result(self) -> TrainedGenerator:
        """The last state, or the best."""
        step = self.clock.step
        if self.key is not None:
            self.key.destroy()
        if self.config.until != "end" and (best := self.run.checkpoints.best()) is not None:
            self.state.restore(best.arrays)
            step = best.step
        lowest = min(self.scores.curve.values(), default=math.inf)
        return TrainedGenerator(self.config, self.state, step, self.clock.seconds, lowest)

    def _score(self) -> Outlook | None:
        last = self.scores.target is not None and self.clock.done
        if self.score is None or not (last or self.scores.due(self.clock.step)):
            return None
        if self.scores.floor is None:
            self.scores.floor = self.score(self.doctor.real_pictures(SCORED))
        value = self.score(self.doctor.pictures(self.state.averaged, SCORED))
        self.scores.take(self.clock.step, value)
        self.clock.now()
        return look_ahead(self.scores, self.clock, value)


def _diverged(run: Run, step: int, trouble: str, returns: int) -> str:
    steps = run.checkpoints.steps()
    good = f"The last good checkpoint is that of step {steps[-1]}" if steps else "There is no checkpoint"
    return (
        f"{run.folder}: training diverged: by step {step} {REASONS[trouble].en}, after going back {returns} times. "
        f"{good}. Start a new run with another --seed or a smaller --batch; "
        "the pictures may also be too few or too alike."
    )

"""The part of a worker that is not the chief: it takes the same steps, and goes where the chief goes."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from zlib import crc32

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.feed import Feed
from huanjing.generation.state import TrainingState
from huanjing.generation.step import make_step
from huanjing.training import Run
from huanjing.training.clock import Clock
from huanjing.training.distribution import Distribution


@dataclass(frozen=True)
class Word:
    """What the chief says between two steps, and all do."""

    step: int
    """Steps done; the chief's newest checkpoint is of that step where it is not one more than before."""
    progress: float
    done: bool
    run: int
    """:func:`checksum` of the run."""

    def pass_on(self, distribution: Distribution, *, stop: bool) -> tuple[Word, bool]:
        """The chief's word, and whether any worker wants to stop."""
        (step, progress, done, run), stop = distribution.agree(astuple(self), stop=stop)
        return Word(int(step), progress, bool(done), int(run)), stop


def checksum(run: Run) -> int:
    """Of the run's ``config.json``, by which workers see that they look at the same."""
    return crc32(run.config_file.read_bytes()) if run.config_file.is_file() else 0


class Follower:
    """Takes the steps of a run and writes nothing; of the run folder it reads the checkpoints."""

    def __init__(self, config: GeneratorConfig, run: Run, distribution: Distribution) -> None:
        self.config, self.run, self.distribution = config, run, distribution
        self.state = TrainingState(config, distribution)
        self.clock = Clock(config.steps, step=-1)
        self.step = make_step(config, self.state)
        self.done = False
        self._checksum = checksum(run)

    def feed(self, pictures: NDArray[np.uint8], labels: NDArray[np.int32] | None) -> Feed:
        """Batches, until the chief says from which step on."""
        return Feed(self.config, pictures, labels, 0)

    def start(self) -> None:
        """The chief does it."""

    def took(self, losses: tuple[tf.Tensor, tf.Tensor]) -> None:
        """A step is done; its losses are the chief's to tell."""

    def heed(self, word: Word) -> None:
        """Go where the chief goes.

        :raises RunError: where the run folder here is not the one that the chief writes.
        """
        if word.run != self._checksum:
            raise RunError(self._blind("config.json is not the one that the chief has"))
        if word.step != self.clock.step:
            checkpoint = self.run.checkpoints.latest()
            if checkpoint is None or checkpoint.step != word.step:
                found = "there is none" if checkpoint is None else f"the newest is of step {checkpoint.step}"
                raise RunError(
                    self._blind(f"the chief goes on from the checkpoint of step {word.step}; here {found}")
                )
            self.state.restore(checkpoint.arrays)
        self.clock.step, self.clock.progress, self.done = word.step, word.progress, word.done

    def save_unless_saved(self) -> None:
        """The chief does it."""

    def _blind(self, what: str) -> str:
        worker = self.distribution.cluster.number if self.distribution.cluster else 0
        return (
            f"{self.run.folder}: worker {worker} does not see the run folder as the chief does: {what}. "
            "Name with --run a folder that all machines share."
        )

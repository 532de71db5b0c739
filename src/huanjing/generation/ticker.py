"""What is told of a training while it runs: ticks, the lines of its log, and the sheets of sample pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.generation.alarms import Return
from huanjing.generation.budget import epsilon_so_far
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.outlook import Outlook
from huanjing.generation.samples import SampleSheets
from huanjing.generation.state import TrainingState
from huanjing.training import Run
from huanjing.training.clock import Clock

TICK_SECONDS = 2.0


@dataclass(frozen=True)
class Tick:
    """How training stands; given to ``on_tick`` every two seconds, and whenever something was looked at."""

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
    pictures: NDArray[np.uint8] | None
    """The pictures on it: NHWC uint8, 0..255, always of the same latents."""
    generator: keras.Model
    """The network that made them, averaged where the recipe says so. It goes on changing after the tick."""
    augmentation: float = 0.0
    """The probability of each transformation of what the discriminator sees."""
    score: float | None = None
    """The score taken at this tick; lower is better."""
    outlook: Outlook | None = None
    """Where that is heading."""
    alarms: tuple[str, ...] = ()
    """Names in :data:`~huanjing.generation.alarms.ALARMS` of what has begun to go wrong."""
    epsilon: float | None = None
    """What private training has spent; None where it is not private."""
    went_back: Return | None = None
    """Where training went back to an earlier step."""


class Ticker:
    """Reads the losses now and then, writes the log, draws sheets, and tells who wants to know."""

    def __init__(
        self,
        config: GeneratorConfig,
        state: TrainingState,
        clock: Clock,
        run: Run,
        on_tick: Callable[[Tick], None] | None,
    ) -> None:
        self.config, self.state, self.clock, self.run, self.on_tick = config, state, clock, run, on_tick
        self.sheets = SampleSheets(config, state.averaged, run.samples)
        self._losses: list[tuple[tf.Tensor, tf.Tensor]] = []
        self._last = clock.now()
        self._back: Return | None = None
        self._drawn = clock.progress if clock.step else -1.0

    def add(self, losses: tuple[tf.Tensor, tf.Tensor]) -> None:
        """Take a step's losses."""
        self._losses.append(losses)

    def due(self) -> bool:
        """Whether it is time to tell."""
        return self.clock.now() - self._last >= TICK_SECONDS or self._sheet_due()

    def back(self, why: Return) -> None:
        """Tell, with the next line of the log, that training went back."""
        self._losses.clear()
        self._back = why
        self._drawn = min(self._drawn, self.clock.progress)

    def tick(
        self,
        line: Mapping[str, Any] | None = None,
        outlook: Outlook | None = None,
        alarms: tuple[str, ...] = (),
    ) -> bool:
        """Tell; False, and nothing is told, where the losses are not finite.

        :param line: what else goes into the log's line; empty values are left out.
        """
        clock, state = self.clock, self.state
        spent = clock.now() - self._last
        count = len(self._losses)
        losses = np.array(self._losses, np.float64).mean(axis=0) if count else np.full(2, np.nan)
        self._losses.clear()
        self._last = clock.now()
        if count and not np.isfinite(losses).all():
            return False
        sheet, drawn = self._draw() if self._sheet_due() else (None, None)
        tick = Tick(
            step=clock.step,
            progress=clock.progress,
            seconds=clock.now(),
            pictures_per_second=count * self.config.recipe.batch / spent if spent > 0 else 0.0,
            discriminator_loss=float(losses[0]),
            generator_loss=float(losses[1]),
            sheet=sheet,
            pictures=drawn,
            generator=state.averaged,
            augmentation=float(state.strength.probability.numpy()),
            score=None if outlook is None else outlook.score,
            outlook=outlook,
            alarms=alarms,
            epsilon=epsilon_so_far(self.config, clock.step),
            went_back=self._back,
        )
        if count:
            self._log(tick, line or {})
            self._back = None
        if self.on_tick is not None:
            self.on_tick(tick)
        return True

    def _log(self, tick: Tick, more: Mapping[str, Any]) -> None:
        scale, recipe = float(self.state.rate_scale.numpy()), self.config.recipe
        extra = {
            "augmentation": round(tick.augmentation, 4) if self.config.augment != 0 else None,
            "certainty": None
            if tick.epsilon is not None
            else round(float(self.state.strength.certainty.numpy()), 4),
            "over_fitting": self.state.strength.over_fitting,
            "epsilon": None if tick.epsilon is None else round(tick.epsilon, 4),
            "rate_scale": scale if scale < 1 else None,
            "penalty": float(self.state.penalty_scale.numpy()) * recipe.penalty
            if recipe.wanted_loss is not None
            else None,
            "went_back": asdict(tick.went_back) if tick.went_back else None,
            "frechet": tick.score,
            "forecast": (tick.outlook.to_dict() or None) if tick.outlook else None,
            **more,
        }
        self.run.log(
            {
                "step": tick.step,
                "progress": tick.progress,
                "seconds": round(tick.seconds, 3),
                "pictures_per_second": round(tick.pictures_per_second, 1),
                "discriminator_loss": tick.discriminator_loss,
                "generator_loss": tick.generator_loss,
            }
            | {name: value for name, value in extra.items() if value is not None and value != ()}
        )

    def _draw(self) -> tuple[Path, NDArray[np.uint8]]:
        with self.run.writing():
            drawn = self.sheets.draw(self.clock.step)
        self._drawn = self.clock.progress
        return drawn

    def _sheet_due(self) -> bool:
        return self.sheets.due(self._drawn, self.clock.progress)

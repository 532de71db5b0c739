"""How far a training is: by its steps, by the time spent on it over all resumes, or by what comes first."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass
class Clock:
    """Steps and time. Where ``budget`` is infinite, progress is a function of the step alone."""

    steps: int | None
    """Steps in all."""
    budget: float = math.inf
    """Seconds in all."""
    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    """Trained so far, when last looked."""
    progress: float = 0.0
    """The part that is done, 0..1."""

    def __post_init__(self) -> None:
        self._since = time.monotonic() - self.seconds

    def now(self) -> float:
        """Look: seconds trained so far."""
        self.seconds = time.monotonic() - self._since
        return self.seconds

    def advance(self) -> None:
        """One step more is done."""
        self.go_to(self.step + 1)

    def go_to(self, step: int) -> None:
        """So many steps are done; time is never taken back."""
        self.step = step
        by_steps = step / self.steps if self.steps is not None else 0.0
        by_time = self.now() / self.budget if self.budget < math.inf else 0.0
        self.progress = min(1.0, max(by_steps, by_time))

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.progress >= 1.0

    def numbers(self) -> dict[str, float]:
        """What a checkpoint holds beside the step."""
        return {"seconds": self.now(), "progress": self.progress}

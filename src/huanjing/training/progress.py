"""Live progress of a training: a bar on a terminal, a plain line every so often elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

LINE_SECONDS = (2.0, 5.0, 10.0, 30.0)
"""Seconds between plain lines: the first after 2, then 5, 10, and 30 from there on."""


class Progress:
    """Shows how far training is, how fast, and the values that matter.

    >>> with Progress("Training") as progress:                            # doctest: +SKIP
    ...     progress.update(0.5, step=10, rate=100.0, values={"loss": 0.7}, seconds_left=3.0)

    :param unit: what ``rate`` counts.
    :param console: where to write; stderr unless told.
    :param counted: what ``step`` counts.
    """

    def __init__(
        self, title: str, unit: str = "pictures", console: Console | None = None, counted: str = "step"
    ) -> None:
        self.title = title
        self.unit = unit
        self.counted = counted
        self.console = console or Console(stderr=True, highlight=False)
        self._bar: Bar | None = None
        self._lines = 0
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:>3.0f} %"),
                _Status(),
                console=self.console,
                refresh_per_second=4,
            )
            self._bar.start()
            self._bar.add_task(self.title, total=1.0, status="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def update(
        self,
        fraction: float,
        *,
        step: int,
        rate: float,
        values: Mapping[str, float],
        seconds_left: float | None,
        last: bool = False,
    ) -> None:
        """Show the state now. Cheap enough to be called at every step.

        :param fraction: the part of the training that is done, 0..1.
        :param rate: pictures (or what ``unit`` says) a second, lately.
        :param values: what to show by name, such as losses.
        :param last: training ends here: a line is written however soon after the one before.
        """
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0],
                completed=fraction,
                status=self._status(step, rate, values, seconds_left),
            )
            return
        now = time.monotonic()
        pause = LINE_SECONDS[min(self._lines, len(LINE_SECONDS) - 1)]
        if last or now - self._last_line >= pause:
            self._lines += 1
            self._last_line = now
            status = self._status(step, rate, values, seconds_left)
            self.console.print(f"{self.title}: {fraction:.0%}, {status}", soft_wrap=True)

    def say(self, message: str) -> None:
        """Write a line of talk above the bar."""
        self.console.print(message, soft_wrap=True)

    def _status(self, step: int, rate: float, values: Mapping[str, float], seconds_left: float | None) -> str:
        parts = [f"{self.counted} {step:,}"]
        if rate > 0:
            parts.append(f"{rate:,.0f} {self.unit}/s")
        parts += [f"{name} {value:.3f}" for name, value in values.items()]
        if seconds_left is not None:
            parts.append(f"{duration(seconds_left)} left")
        return ", ".join(parts)


class _Status(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(str(task.fields["status"]))


def duration(seconds: float) -> str:
    """Seconds as ``0:42``, ``12:05`` or ``3:07:30``."""
    minutes, second = divmod(round(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"

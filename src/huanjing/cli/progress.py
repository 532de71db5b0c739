"""A bar on stderr with the rate and the time left, where that is a terminal; elsewhere nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Answer = TypeVar("Answer")

Report = Callable[[int, int | None], None]
"""Called with what is done and what there is in all, None where that is not known."""


@contextmanager
def progress_bar() -> Iterator[Report]:
    """A function that shows how far pictures are; leaving the context takes the bar away."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} pictures/s"),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, rate=0.0)

        def report(done: int, total: int | None) -> None:
            rate = done / (time.perf_counter() - started)
            progress.update(task, completed=done, total=total, rate=rate)

        yield report


def with_progress(answers: Iterator[Answer], total: int | None) -> Iterator[Answer]:
    """The same answers, with a bar while they come; for a single one there is none."""
    if total == 1:
        yield from answers
        return
    with progress_bar() as report:
        for done, answer in enumerate(answers, start=1):
            report(done, total)
            yield answer

"""Batches made ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

Batch = TypeVar("Batch")


class Prefetch(Generic[Batch]):
    """What ``gather`` makes of one step number after another, by a thread, while the step before is computed."""

    def __init__(self, gather: Callable[[int], Batch], step: int) -> None:
        self.step = step
        """The number of the step that ``next`` gives."""
        self._gather_step = gather
        self._pool = ThreadPoolExecutor(1)
        self._following: Future[Batch] = self._pool.submit(gather, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def next(self) -> Batch:
        """The step's batch."""
        batch = self._following.result()
        self.go_to(self.step + 1)
        return batch

    def go_to(self, step: int) -> None:
        """Let ``next`` give the batch of ``step``."""
        self.step = step
        self._following = self._pool.submit(self._gather_step, step)

"""Reading many files side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from huanjing.runtime.engine import processors

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 16
"""For each thread, how many items may be done before they are asked for."""


def in_parallel(function: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
    """What ``function`` answers for each item, in order; a thread for each processor, and memory for a few items.

    What ``function`` raises is raised where its answer would come.
    """
    workers = processors()
    remaining = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="read") as pool:
        queue = deque(pool.submit(function, item) for item in islice(remaining, AHEAD * workers))
        try:
            while queue:
                future = queue.popleft()
                queue.extend(pool.submit(function, item) for item in islice(remaining, 1))
                yield future.result()
        finally:
            for future in queue:
                future.cancel()

"""Reading a folder for training: live progress, and the files that had to be set aside by name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray, PictureFolder
    from huanjing.datasets.pictures import Channels

SHOWN_BROKEN = 20


@contextmanager
def counting(task: str) -> Iterator[Callable[[int, int], None]]:
    """Live progress of a task that goes through pictures: call what it gives with how many are done, of how many."""
    from huanjing.training import Progress

    started = time.monotonic()
    with Progress(task, counted="picture") as progress:

        def show(done: int, total: int) -> None:
            if done % 100 == 0 or done == total:
                rate = done / max(1e-3, time.monotonic() - started)
                left = (total - done) / rate
                progress.update(done / total, step=done, rate=rate, values={}, seconds_left=left)

        yield show


def read_pictures(
    index: PictureFolder, resolution: tuple[int, int], channels: Channels = "auto"
) -> PictureArray:
    """Decode the pictures with live progress, and say what was set aside."""
    from huanjing.datasets import prepare_pictures

    with counting("Reading pictures") as show:
        pictures = prepare_pictures(index, resolution, channels, on_progress=show)
    for broken in pictures.broken[:SHOWN_BROKEN]:
        print(f"set aside: {broken.name}: {broken.reason}", file=sys.stderr)
    if pictures.broken:
        count = len(pictures.broken)
        print(
            f"{len(pictures):,} pictures are used; {count:,} cannot be and were set aside.", file=sys.stderr
        )
    return pictures

"""Reading a folder for training: live progress, and the files that had to be set aside by name."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray, PictureFolder
    from huanjing.datasets.pictures import Channels

SHOWN_BROKEN = 20


def read_pictures(
    index: PictureFolder, resolution: tuple[int, int], channels: Channels = "auto"
) -> PictureArray:
    """Decode the pictures with live progress, and say what was set aside."""
    from huanjing.datasets import prepare_pictures
    from huanjing.training import Progress

    started = time.monotonic()
    with Progress("Reading pictures", counted="picture") as progress:

        def show(done: int, total: int) -> None:
            if done % 100 == 0 or done == total:
                rate = done / max(1e-3, time.monotonic() - started)
                left = (total - done) / rate
                progress.update(done / total, step=done, rate=rate, values={}, seconds_left=left)

        pictures = prepare_pictures(index, resolution, channels, on_progress=show)
    for broken in pictures.broken[:SHOWN_BROKEN]:
        print(f"set aside: {broken.name}: {broken.reason}", file=sys.stderr)
    if pictures.broken:
        count = len(pictures.broken)
        print(
            f"{len(pictures):,} pictures are used; {count:,} cannot be and were set aside.", file=sys.stderr
        )
    return pictures

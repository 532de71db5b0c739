"""How wide a recipe's networks are, and how fast they learn, by the size of the pictures: tables of frozen rows.

Widths are written from the picture down, as channels of one grid after another, each half as fine; the last one
repeats. So a row fits pictures of every size, and the finest grids, which cost most, are as wide in all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Literal

from huanjing.errors import UsageError
from huanjing.generation.shape import Shape

SizeName = Literal["small", "medium", "large"]


@dataclass(frozen=True)
class Size:
    """The widths of both networks."""

    name: SizeName | Literal[""]
    largest_base: int
    """The generator's first grid is the largest that has at most so many cells on its longer side."""
    generator: tuple[int, ...]
    discriminator: tuple[int, ...]


@dataclass(frozen=True)
class Pace:
    """Adam's rates and the batch, for pictures of at most ``side`` on the longer side and at most ``minutes``."""

    side: int
    minutes: float
    rate: float
    last_rate: float
    hold: float
    """The part of the training that keeps the first rate."""
    basis: str
    """What the numbers rest on."""
    batch: int | None = None
    """Pictures in a step; None: the recipe's own."""


@dataclass(frozen=True)
class Automatic:
    """The size for pictures whose longer side is at most ``side``, trained for at most ``minutes``."""

    side: int
    minutes: float
    size: SizeName


# fmt: off
SIZES: dict[str, tuple[Size, ...]] = {
    "dcgan": (
        Size("",       16, (64, 128, 256, 512), (64, 128, 256, 512)),
    ),
    "dcgan-dense": (
        Size("",        8, (8192, 4096, 2048, 1024, 512, 256, 128), (64, 128)),
    ),
    "residual": (
        Size("small",   8, (8, 16, 32, 64),     (16, 32, 64)),
        Size("medium",  8, (16, 32, 64, 128),   (32, 64, 128)),
        Size("large",   8, (32, 64, 128, 256),  (64, 128, 256)),
    ),
    "slim": (
        Size("small",   4, (32, 48, 64, 128),   (24, 48, 64, 96)),
        Size("medium",  4, (64, 96, 128, 256),  (48, 96, 128, 192)),
        Size("large",   4, (96, 144, 192, 384), (72, 144, 192, 288)),
    ),
    "modulated": (
        Size("small",   4, (8, 32, 48, 64, 128),   (8, 24, 48, 64, 96)),
        Size("medium",  4, (16, 64, 96, 128, 256), (16, 48, 96, 128, 192)),
        Size("large",   4, (24, 96, 144, 192, 384), (24, 72, 144, 192, 288)),
    ),
}

LONG = math.inf

PACES: dict[str, tuple[Pace, ...]] = {
    "dcgan":       (Pace(256, LONG, 2.0e-4, 2.0e-4, 0.0, "published, for 64×64"),),
    "dcgan-dense": (Pace(32,  LONG, 2.0e-4, 2.0e-4, 0.0, "the article's"),),
    "residual": (
        Pace(32,  LONG, 1.0e-3, 1.0e-4, 0.0, "measured on grey 28×28"),
        Pace(64,  LONG, 2.5e-4, 2.5e-5, 0.0, "colour 64×64 turned white at 8e-4, and trained at 3e-4"),
        Pace(256, LONG, 1.0e-4, 1.0e-5, 0.0, "not measured; only lower than at 64"),
    ),
    "slim": (
        Pace(64,  LONG, 6.0e-4, 5.0e-5, 0.0, "measured on colour 64×64, not below it"),
        Pace(256, LONG, 3.0e-4, 2.5e-5, 0.0, "not measured; only lower than at 64"),
    ),
    "modulated": (
        Pace(64,  3,    1.0e-3, 1.0e-3, 0.0, "as below; batches of 8 were ahead up to 2.5 minutes, behind from 5", 8),
        Pace(64,  5,    1.0e-3, 1.0e-3, 0.0, "measured on colour 64×64, 2 minutes: falling did harm"),
        Pace(64,  20,   1.0e-3, 1.0e-4, 0.6, "measured on colour 64×64, 10 minutes"),
        Pace(64,  LONG, 1.0e-3, 1.0e-4, 0.0, "measured on colour 64×64, 20 and 36 minutes"),
        Pace(256, LONG, 5.0e-4, 5.0e-5, 0.0, "not measured; only lower than at 64"),
    ),
}

AUTOMATIC = (
    Automatic(32,  25,   "medium"),
    Automatic(32,  LONG, "large"),
    Automatic(64,  LONG, "medium"),
    Automatic(256, 120,  "small"),
    Automatic(256, LONG, "medium"),
)
# fmt: on
"""The first row that fits counts. Measured: at 28, where ``residual`` in large overtook medium within half an hour, and
at 64 in colour, where slim's medium was ahead of its small from the first minute on; above, the bounds are a choice."""


def size_for(recipe: str, shape: Shape, asked: str | None = None, minutes: float | None = None) -> Size:
    """The row of :data:`SIZES` for pictures of ``shape``.

    :param asked: ``small``, ``medium`` or ``large``; None, or ``auto``, goes by :data:`AUTOMATIC`.
    :param minutes: how long training will take; where that is not known, None, the size is medium.
    :raises UsageError: where the recipe has no such size.
    """
    rows = {row.name: row for row in SIZES[recipe]}
    if asked in (None, "auto"):
        if "" in rows:
            return rows[""]
        if minutes is None:
            return rows["medium"]
        side = max(shape.height, shape.width)
        fitting = (row for row in AUTOMATIC if side <= row.side and minutes <= row.minutes)
        return rows[next(fitting, AUTOMATIC[-1]).size]
    for name, row in rows.items():
        if name == asked:
            return row
    sizes = ", ".join(name for name in rows if name) or "one only, so leave --size out"
    raise UsageError(f"--size is {asked!r}; the sizes of {recipe} are: {sizes}.")


def pace_for(recipe: str, shape: Shape, minutes: float | None = None) -> Pace:
    """The first row of :data:`PACES` that fits; the last for still larger pictures.

    :param minutes: how long training will take; None is long.
    """
    rows = PACES[recipe]
    side, long = max(shape.height, shape.width), LONG if minutes is None else minutes
    return next((row for row in rows if side <= row.side and long <= row.minutes), rows[-1])


def widths(row: tuple[int, ...], grids: int) -> tuple[int, ...]:
    """The widths of so many grids, from the picture down."""
    return tuple(islice(chain(row, repeat(row[-1])), grids))


def halvings(shape: Shape, last: int) -> int:
    """How often to halve pictures until the longer side is at most ``last``."""
    return max(1, math.ceil(math.log2(max(shape.height, shape.width) / last)))

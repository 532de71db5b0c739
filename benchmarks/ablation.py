"""What each change to a recipe buys: curves of recipes, whole and with parts changed, on the same pictures.

``$HUANJING_CLOTHING`` names a folder with the whole of Fashion-MNIST (``tools/build_clothing.py --unpack-all``),
``$HUANJING_FACES`` one with drawn faces (``tools/faces``), ``$HUANJING_PHOTOGRAPHS`` one with real photographs
(``tools/photographs``); ``$HUANJING_CLOTHING_200`` and ``$HUANJING_FACES_500`` are the first two with fewer training
pictures, the first 20 of each class in one folder, and the first 500; ``$HUANJING_FACES_128`` is
6,000 faces, drawn larger: 5,000 to learn from, 1,000 to score by.
``$HUANJING_CLOTHING_RECOGNIZER`` is a recogniser of clothing to score by as well (``huanjing train recognizer
CLOTHING/train --from scratch --epochs 6``). A curve that is in ``results/curves`` is not made again, so that the hours
that all take can be spent a part at a time; remove it to measure anew. ``benchmarks/curves.py`` makes one, and
``benchmarks/tables.py`` brings their figures into the pages' tables.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from benchmarks.report import Row
from benchmarks.tables import CURVES, EMBEDDED, OWN_SCORE, nearest, scores

FOLDERS = {
    "clothing": "HUANJING_CLOTHING",
    "faces": "HUANJING_FACES",
    "faces128": "HUANJING_FACES_128",
    "photographs": "HUANJING_PHOTOGRAPHS",
    "clothing200": "HUANJING_CLOTHING_200",
    "faces500": "HUANJING_FACES_500",
}
OWN = {"clothing": "HUANJING_CLOTHING_RECOGNIZER"}


@dataclass(frozen=True)
class Plan:
    """A curve to be made, once for each seed."""

    pictures: str
    name: str
    core_minutes: int
    recipe: str
    changes: tuple[str, ...] = ()
    """``FIELD=VALUE`` of the recipe."""
    seeds: tuple[int, ...] = (0,)
    size: str = "medium"
    """Of the networks; ``dcgan`` has one size."""
    scored: int = 2000
    """Pictures that scores are taken on."""
    conditional: bool = False
    """Whether both networks are told the class."""
    augment: str = "0"
    until: int | None = None
    """Core-minutes after which it stops, its rate falling as if it went on."""

    @property
    def curve(self) -> str:
        """What the curve is called, but for its seed."""
        return f"{self.pictures}-{self.name.replace(' ', '-')}-{self.core_minutes}"

    def file(self, seed: int) -> Path:
        """Where the curve is kept."""
        return CURVES / f"{self.curve}-{seed}.json"


FIRST = ("batch=64", "penalty=1.0", "rate=4e-4", "last_rate=4e-4", "average_half_life=200")
"""``slim`` as it was first: a pilot's settings, in steps of 64 pictures."""

FIXED = ("wanted_loss=None",)
"""``modulated`` without turning its γ."""

STEADY = ("last_rate=1e-3", "hold=0.0", *FIXED)
"""``residual`` and ``modulated`` without a falling rate."""

FALLING = ("last_rate=1e-4", "hold=0.0", *FIXED)
"""``modulated`` with one that falls from the start."""

HELD = ("hold=0.6",)
"""``modulated`` as it is for 6 to 20 minutes."""

SHORT = ("last_rate=1e-3", "hold=0.0")
"""``modulated`` as it is up to five minutes, but for its batch, which is 8 up to three."""

PLANS = (
    Plan("clothing", "dcgan", 8, "dcgan"),
    Plan("clothing", "residual", 8, "residual"),
    Plan("clothing", "dcgan", 16, "dcgan", seeds=(1, 2), scored=10_000),
    Plan("clothing", "dcgan", 46, "dcgan", seeds=(0, 1, 2), scored=10_000),
    Plan("clothing", "residual", 46, "residual", scored=10_000),
    Plan("clothing", "residual", 16, "residual", scored=10_000),
    Plan("clothing", "residual steady", 8, "residual", STEADY, scored=10_000),
    Plan("clothing", "residual steady g0.2", 4, "residual", (*STEADY, "penalty=0.2"), scored=10_000),
    Plan("clothing", "residual steady wide g0.1", 8, "residual",
         (*STEADY, "penalty=0.1", "discriminator_widths=(64,128,256)"), scored=10_000),
    Plan("clothing", "residual steady classes", 4, "residual", STEADY, scored=10_000, conditional=True),
    Plan("clothing", "residual classes", 16, "residual", seeds=(0, 1, 2), scored=10_000, conditional=True),
    Plan("clothing", "residual classes", 46, "residual", seeds=(0, 1), scored=10_000, conditional=True),
    Plan("clothing", "residual classes", 32, "residual", scored=10_000, conditional=True),
    Plan("clothing", "residual large classes", 46, "residual", seeds=(0, 2), size="large", scored=10_000,
         conditional=True),
    Plan("clothing", "dcgan classes", 46, "dcgan", scored=10_000, conditional=True),
    Plan("clothing", "modulated steady", 4, "modulated", STEADY, scored=10_000),
    Plan("clothing", "modulated steady classes", 2, "modulated", STEADY, scored=10_000, conditional=True),
    Plan("clothing", "modulated falling", 46, "modulated", FALLING, scored=10_000),
    Plan("faces", "dcgan", 100, "dcgan"),
    Plan("faces", "dcgan", 8, "dcgan", seeds=(1, 2)),
    Plan("faces", "slim", 16, "slim"),
    Plan("faces", "slim first", 12, "slim", FIRST),
    Plan("faces", "slim first g10", 8, "slim", (*FIRST, "penalty=10.0")),
    Plan("faces", "slim first fall", 8, "slim",
         (*FIRST, "rate=6e-4", "last_rate=3e-5", "average_half_life=1000")),
    Plan("faces", "slim first b16", 8, "slim", (*FIRST, "batch=16")),
    Plan("faces", "slim first b16 small", 4, "slim", (*FIRST, "batch=16"), size="small"),
    Plan("faces", "slim", 8, "slim"),
    Plan("faces", "slim g5", 8, "slim", ("penalty=5.0",)),
    Plan("faces", "slim classic loss", 4, "slim", ('objective="non-saturating"',)),
    Plan("faces", "slim no penalty", 4, "slim", ("penalty=0.0",)),
    Plan("faces", "modulated steady", 4, "modulated", STEADY),
    Plan("faces", "modulated steady", 16, "modulated", STEADY),
    Plan("faces", "modulated falling", 4, "modulated", FALLING),
    Plan("faces", "modulated falling", 16, "modulated", FALLING),
    Plan("faces", "modulated falling", 60, "modulated", FALLING),
    Plan("faces", "modulated fixed penalty", 4, "modulated", (*FIXED, *HELD)),
    Plan("faces", "modulated fixed penalty", 16, "modulated", (*FIXED, *HELD)),
    Plan("faces", "modulated short", 4, "modulated", SHORT),
    Plan("faces", "modulated short xeon", 4, "modulated", SHORT, seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3", 8, "modulated", SHORT, seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 held", 8, "modulated", ("rate=1e-3", "last_rate=1e-4", *HELD), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 classic loss", 8, "modulated",
         (*SHORT, 'objective="non-saturating"', *FIXED), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 no penalty", 8, "modulated", (*SHORT, "penalty=0.0", *FIXED), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 no average", 8, "modulated", (*SHORT, "average_half_life=0"), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 rate 2e-3", 8, "modulated", ("rate=2e-3", "last_rate=2e-3", "hold=0.0"),
         seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 whole penalty", 8, "modulated", (*SHORT, "penalty_share=1.0"), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 b64", 8, "modulated", (*SHORT, "batch=64"), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 b8", 8, "modulated", (*SHORT, "batch=8"), seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 b4", 8, "modulated", (*SHORT, "batch=4")),
    Plan("faces", "dcgan zen3", 60, "dcgan", seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3", 60, "modulated", seeds=(0, 1, 2)),
    Plan("faces", "modulated zen3 b8", 60, "modulated", ("batch=8", "penalty_share=0.25")),
    Plan("faces", "modulated zen3 b64", 60, "modulated", ("batch=64",), seeds=(0, 1, 2), until=32),
    Plan("faces", "modulated zen3 classic loss", 60, "modulated", ('objective="non-saturating"', *FIXED),
         seeds=(0, 1, 2), until=32),
    Plan("faces128", "modulated falling", 16, "modulated", ("rate=1e-3", "last_rate=1e-4", "hold=0.0"),
         seeds=(0, 1), size="small", scored=1000),
    Plan("faces128", "modulated steady", 8, "modulated", ("rate=1e-3", *SHORT), size="small", scored=1000),
    Plan("photographs", "modulated steady", 8, "modulated", STEADY),
    Plan("photographs", "modulated steady g0.1", 8, "modulated", (*STEADY, "penalty=0.1")),
    Plan("photographs", "modulated held", 16, "modulated", HELD),
    Plan("photographs", "modulated held", 100, "modulated", HELD),
    Plan("photographs", "modulated", 32, "modulated"),
    Plan("photographs", "modulated zen3", 8, "modulated", SHORT),
    Plan("photographs", "modulated zen3 b8", 8, "modulated", (*SHORT, "batch=8", "penalty_share=0.25")),
    Plan("clothing200", "residual none", 4, "residual"),
    Plan("clothing200", "residual adaptive", 4, "residual", augment="adaptive"),
    Plan("faces500", "modulated none", 16, "modulated", HELD),
    Plan("faces500", "modulated adaptive", 16, "modulated", HELD, augment="adaptive"),
)  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """What one curve may have of another's distance."""

    pictures: str
    ours: tuple[str, int]
    """A curve's name and its core-minutes."""
    theirs: tuple[str, int]
    most: float
    asked: str
    score: str = EMBEDDED
    seed: int = 0


TEN_MINUTES = "at most a fifth after 10 minutes on two cores"
HALF_AN_HOUR = "at most a tenth after 30 minutes on two cores"
HOUR = "at most half after 60 minutes on two cores"

BOUNDS = (
    Bound("clothing", ("residual", 16), ("dcgan", 46), 0.2, TEN_MINUTES),
    Bound("clothing", ("residual classes", 16), ("dcgan", 46), 0.2, TEN_MINUTES),
    Bound("clothing", ("residual", 16), ("dcgan", 46), 0.2, TEN_MINUTES, OWN_SCORE),
    Bound("clothing", ("residual classes", 16), ("dcgan", 46), 0.2, TEN_MINUTES, OWN_SCORE),
    Bound("clothing", ("residual classes", 16), ("dcgan", 16), 0.2, TEN_MINUTES, EMBEDDED, 1),
    Bound("clothing", ("residual classes", 16), ("dcgan", 16), 0.2, TEN_MINUTES, EMBEDDED, 2),
    Bound("clothing", ("residual classes", 16), ("dcgan", 16), 0.2, TEN_MINUTES, OWN_SCORE, 1),
    Bound("clothing", ("residual classes", 16), ("dcgan", 16), 0.2, TEN_MINUTES, OWN_SCORE, 2),
    Bound("clothing", ("residual", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR),
    Bound("clothing", ("residual classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR),
    Bound("clothing", ("residual classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR, OWN_SCORE),
    Bound("clothing", ("residual classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR, EMBEDDED, 1),
    Bound("clothing", ("residual classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR, OWN_SCORE, 1),
    Bound("clothing", ("residual large classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR),
    Bound("clothing", ("residual large classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR, OWN_SCORE),
    Bound("clothing", ("residual large classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR, EMBEDDED, 2),
    Bound("clothing", ("residual large classes", 46), ("dcgan", 46), 0.1, HALF_AN_HOUR, OWN_SCORE, 2),
    Bound("faces", ("modulated falling", 60), ("dcgan", 100), 0.5, HOUR),
    Bound("faces", ("modulated zen3", 60), ("dcgan zen3", 60), 0.5, HOUR),
    Bound("faces", ("modulated zen3", 60), ("dcgan zen3", 60), 0.5, HOUR, EMBEDDED, 1),
    Bound("faces", ("modulated zen3", 60), ("dcgan zen3", 60), 0.5, HOUR, EMBEDDED, 2),
)


def run() -> list[Row]:
    """Make what is missing, each curve on a core of its own, then a row for each of :data:`BOUNDS`."""
    missing = [(plan, seed) for plan in PLANS for seed in plan.seeds if not plan.file(seed).is_file()]
    cores: Queue[int] = Queue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    with ThreadPoolExecutor(cores.qsize()) as pool:
        list(pool.map(lambda one: _make(*one, cores), missing))
    return [_row(bound) for bound in BOUNDS]


def _make(plan: Plan, seed: int, cores: Queue[int]) -> None:
    if FOLDERS[plan.pictures] not in os.environ:
        return
    core = cores.get()
    changes = [part for change in plan.changes for part in ("--set", change)]
    changes += [] if plan.recipe == "dcgan" else ["--size", plan.size]
    changes += ["--conditional"] if plan.conditional else []
    changes += ["--augment", plan.augment]
    changes += ["--until", str(plan.until)] if plan.until else []
    changes += ["--own", own] if (own := os.environ.get(OWN.get(plan.pictures, ""))) else []
    try:
        subprocess.run(
            ["taskset", "-c", str(core), sys.executable, "-m", "benchmarks.curves",
             os.environ[FOLDERS[plan.pictures]], plan.file(seed), plan.recipe, *changes, "--seed", str(seed),
             "--core-minutes", str(plan.core_minutes), "--scored", str(plan.scored)],
            check=True,
        )  # fmt: skip
    finally:
        cores.put(core)


def _row(bound: Bound) -> Row:
    """Each point of our curve against theirs at the same time, or the next later one of theirs."""
    pictures, ours, theirs = bound.pictures, bound.ours[0], bound.theirs[0]
    curves = [
        _points(Plan(pictures, name, time, ""), bound.score, bound.seed)
        for name, time in (bound.ours, bound.theirs)
    ]
    pairs = [
        (at, min(later)) for at in sorted(curves[0]) if (later := {each for each in curves[1] if each >= at})
    ]
    listed = "; ".join(
        f"{at} core-minutes: {curves[0][at]:.3g} against {curves[1][then]:.3g}"
        + ("" if then == at else f" at {then}")
        + f", {curves[0][at] / curves[1][then]:.2f}"
        for at, then in pairs
    )
    features = "" if bound.score == EMBEDDED else f", by a recogniser of {pictures}"
    seed = f", seed {bound.seed}" if bound.seed else ""
    return Row(
        f"Fréchet distance of {ours} against {theirs}, {pictures}, one core{features}{seed}",
        bound.asked,
        listed or f"not run: ${FOLDERS[pictures]} is not set",
        bool(pairs) and curves[0][pairs[-1][0]] / curves[1][pairs[-1][1]] <= bound.most,
        {"ours": curves[0], "theirs": curves[1]},
    )


def _points(plan: Plan, score: str, seed: int) -> dict[int, float]:
    """The distances of a curve by core-minutes, where these are nearly whole."""
    known = scores(f"{plan.curve}@{seed}", score)
    return {round(at): known[at] for at in sorted(known) if nearest(known, round(at)) == known[at]}

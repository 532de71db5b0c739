"""``huanjing train``: teach a network with a folder of pictures."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from huanjing.cli.train_recognizer import recognizer
from huanjing.errors import RunError, UsageError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray, PictureFolder
    from huanjing.generation.config import GeneratorConfig
    from huanjing.generation.train import Tick, TrainedGenerator
    from huanjing.training import Run

DEFAULT_MINUTES = 10.0
DEFAULT_SEED = 0
SHOWN_BROKEN = 20


@dataclass(frozen=True)
class Asked:
    """The options of a generator's training as given; None is left open."""

    recipe: str | None = None
    minutes: float | None = None
    steps: int | None = None
    resolution: tuple[int, int] | None = None
    seed: int | None = None
    batch: int | None = None
    checkpoint_every: int | None = None


@click.group()
def train() -> None:
    """Train a network on a folder of pictures; the same command again goes on where it stopped."""


train.add_command(recognizer)


@train.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--recipe", metavar="NAME", help="How to train: residual (default) or dcgan.")
@click.option("--minutes", metavar="M", type=float, help="How long to train; 10 unless told.")
@click.option("--steps", metavar="N", type=click.IntRange(min=1), help="How many steps, instead of minutes.")
@click.option(
    "--resolution",
    metavar="R",
    help="Side of the pictures, or HEIGHTxWIDTH; chosen from the pictures unless told.",
)
@click.option(
    "--run", type=click.Path(path_type=Path), help="The run folder; runs/FOLDER-RECIPE unless told."
)
@click.option("--seed", type=click.IntRange(min=0), help="What all randomness comes from; 0 unless told.")
@click.option("--batch", type=click.IntRange(min=1), help="Pictures in a step; the recipe's unless told.")
@click.option(
    "--checkpoint-every",
    metavar="STEPS",
    type=click.IntRange(min=1),
    help="Steps between checkpoints; once a minute unless told.",
)
def generator(
    folder: Path,
    recipe: str | None,
    minutes: float | None,
    steps: int | None,
    resolution: str | None,
    run: Path | None,
    seed: int | None,
    batch: int | None,
    checkpoint_every: int | None,
) -> int:
    """Train a generator that makes pictures like those in FOLDER.

    Ctrl-C saves and stops; the same command again goes on. The run folder holds the log, sample pictures and, at
    the end, the model, for `huanjing generate RUN`.

    Example: huanjing train generator holiday-photographs --minutes 30
    """
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UsageError(f"--minutes is {minutes}; it must be above 0.")
    if minutes is not None and steps is not None:
        raise UsageError("--minutes and --steps are two ways to say how long; give one of them.")
    asked = Asked(
        recipe,
        minutes,
        steps,
        parse_resolution(resolution) if resolution else None,
        seed,
        batch,
        checkpoint_every,
    )
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()

    from huanjing.generation.recipes import DEFAULT_RECIPE
    from huanjing.training import Interrupted, Run

    run = run or Path("runs") / f"{folder.resolve().name}-{recipe or DEFAULT_RECIPE}"
    config, pictures = configure(run, folder, asked)
    try:
        with Run.start(run, config) as opened:
            train_and_export(config, pictures, opened)
            model = opened.model
    except Interrupted as stopped:
        print(f"huanjing: {stopped}", file=sys.stderr)
        return 130
    print(f"To make pictures with it: huanjing generate {shlex.quote(str(run))}", file=sys.stderr)
    print(model)
    return 0


def train_and_export(
    config: GeneratorConfig, pictures: PictureArray, run: Run, on_tick: Callable[[Tick], None] | None = None
) -> TrainedGenerator:
    """Train with live progress, then write the bundle to the run's ``model/``."""
    from huanjing.generation.export import export_generator
    from huanjing.generation.train import train_generator
    from huanjing.training import Progress

    with Progress("Training") as progress:

        def show(tick: Tick) -> None:
            progress.update(
                tick.progress,
                step=tick.step,
                rate=tick.pictures_per_second,
                values={"loss D": tick.discriminator_loss, "G": tick.generator_loss} if tick.step else {},
                seconds_left=tick.seconds / tick.progress - tick.seconds if tick.progress > 0 else None,
                last=tick.progress >= 1,
            )
            if on_tick is not None:
                on_tick(tick)

        trained = train_generator(config, pictures.array, run, show)
    name = re.sub("[^A-Za-z0-9]+", "-", run.folder.resolve().name).strip("-") or "generator"
    export_generator(run.model, config, trained.state.averaged, name=name[:100])
    print(f"Trained {trained.step:,} steps. Samples: {run.samples}", file=sys.stderr)
    return trained


def parse_resolution(text: str) -> tuple[int, int]:
    """``64``, or ``48x64`` as height × width, to (height, width)."""
    parts = text.lower().replace("×", "x").split("x")
    if not 1 <= len(parts) <= 2 or not all(re.fullmatch("[1-9][0-9]{0,4}", part) for part in parts):
        raise UsageError(f"--resolution is {text!r}; it is a side such as 64, or HEIGHTxWIDTH such as 48x64.")
    return int(parts[0]), int(parts[-1])


def choose_resolution(index: PictureFolder) -> tuple[int, int]:
    """28×28 or 32×32 for small pictures, else 64×64."""
    from huanjing.datasets.pictures import probe_size

    size = probe_size(index)
    smaller = min(size) if size else 64
    side = 28 if smaller <= 28 else 32 if smaller < 48 else 64
    print(f"Training on pictures of {side} by {side}; --resolution would change that.", file=sys.stderr)
    return side, side


def configure(run: Path, folder: Path, asked: Asked) -> tuple[GeneratorConfig, PictureArray]:
    """The configuration of the run that is there, where ``asked`` agrees with it, or a new one."""
    from huanjing.generation.config import GeneratorConfig
    from huanjing.training import read_config, reconcile

    there = read_config(run, GeneratorConfig)
    if there is None:
        return _new(run, folder, asked)
    started = {
        "--recipe": there.recipe.name,
        "--minutes": there.minutes,
        "--steps": there.steps,
        "--resolution": (there.height, there.width),
        "--seed": there.seed,
        "--batch": there.recipe.batch,
        "--checkpoint-every": there.checkpoint_every,
    }
    reconcile(run, started, dict(zip(started, vars(asked).values(), strict=True)))
    pictures = _prepare(folder, (there.height, there.width), there.channels)
    if pictures.digest != there.data.digest:
        raise RunError(
            f"{folder}: the pictures are not those that {run} was started on: {len(pictures)} now, "
            f"{there.data.pictures} then. Bring them back, or name another run with --run."
        )
    return there, pictures


def _new(run: Path, folder: Path, asked: Asked) -> tuple[GeneratorConfig, PictureArray]:
    from huanjing.datasets import index_folder
    from huanjing.datasets.pictures import probe_channels
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.precision import best_precision
    from huanjing.generation.recipes import DEFAULT_RECIPE, recipe_for
    from huanjing.generation.shape import Shape

    index = index_folder(folder)
    height, width = asked.resolution or choose_resolution(index)
    channels = probe_channels(index)
    recipe = recipe_for(asked.recipe or DEFAULT_RECIPE, Shape(height, width, channels), asked.batch)
    pictures = _prepare(index, (height, width), channels)
    seed = DEFAULT_SEED if asked.seed is None else asked.seed
    minutes = asked.minutes if asked.minutes or asked.steps else DEFAULT_MINUTES
    length = f"--steps {asked.steps}" if asked.steps else f"--minutes {minutes:g}"
    command = (
        f"huanjing train generator {shlex.quote(folder.name)} --recipe {recipe.name} {length} "
        f"--resolution {height}x{width} --batch {recipe.batch} --seed {seed} --run {shlex.quote(run.name)}"
    )
    return (
        GeneratorConfig(
            recipe=recipe,
            height=height,
            width=width,
            channels=channels,
            seed=seed,
            steps=asked.steps,
            minutes=minutes,
            checkpoint_every=asked.checkpoint_every,
            precision=best_precision(),
            data=DataSummary(folder.resolve().name, len(pictures), pictures.digest),
            command=command,
        ),
        pictures,
    )


def _prepare(
    folder: Path | PictureFolder, resolution: tuple[int, int], channels: Literal[1, 3]
) -> PictureArray:
    import time

    from huanjing.datasets import prepare_pictures
    from huanjing.training import Progress

    started = time.monotonic()
    with Progress("Reading pictures", counted="picture") as progress:

        def show(done: int, total: int) -> None:
            if done % 100 == 0 or done == total:
                rate = done / max(1e-3, time.monotonic() - started)
                left = (total - done) / rate
                progress.update(done / total, step=done, rate=rate, values={}, seconds_left=left)

        pictures = prepare_pictures(folder, resolution, channels, on_progress=show)
    for broken in pictures.broken[:SHOWN_BROKEN]:
        print(f"set aside: {broken.name}: {broken.reason}", file=sys.stderr)
    if pictures.broken:
        count = len(pictures.broken)
        print(
            f"{len(pictures):,} pictures are used; {count:,} cannot be and were set aside.", file=sys.stderr
        )
    return pictures

"""A generator's training from the options asked for: its configuration, the training with live progress, the bundle."""

from __future__ import annotations

import math
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from huanjing.cli.generator_care import (
    Flip,
    Strength,
    choose_mirror,
    choose_strength,
    count_held_out,
    tell,
    values_of,
)
from huanjing.cli.generator_data import (
    Conditional,
    choose_classes,
    choose_resolution,
    find_pictures,
    number_classes,
)
from huanjing.cli.generator_privacy import limits, promise, without_looking
from huanjing.cli.language import Lang
from huanjing.cli.reading import read_pictures
from huanjing.errors import RunError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray
    from huanjing.generation.config import GeneratorConfig
    from huanjing.generation.scoring import Score, Until
    from huanjing.generation.train import Tick, TrainedGenerator
    from huanjing.training import Run
    from huanjing.training.distribution import Distribution

DEFAULT_MINUTES = 10.0
DEFAULT_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of a generator's training as given; None is left open."""

    recipe: str | None = None
    size: str | None = None
    minutes: float | None = None
    steps: int | None = None
    resolution: tuple[int, int] | None = None
    channels: Literal[1, 3, 4] | None = None
    conditional: Conditional | None = None
    augment: Strength | None = None
    flip: Flip | None = None
    until: Until | None = None
    private: float | None = None
    exclude: Path | None = None
    seed: int | None = None
    batch: int | None = None
    checkpoint_every: int | None = None


def configure(run: Path, folder: Path, asked: Asked) -> tuple[GeneratorConfig, PictureArray]:
    """The configuration of the run that is there, where ``asked`` agrees with it, or a new one."""
    from huanjing.generation.config import GeneratorConfig
    from huanjing.training import read_config, reconcile

    there = read_config(run, GeneratorConfig)
    if there is None:
        return _new(run, folder, asked)
    started = {
        "--recipe": there.recipe.name,
        "--size": there.recipe.size,
        "--minutes": there.minutes,
        "--steps": there.steps,
        "--resolution": (there.height, there.width),
        "--channels": there.channels,
        "--conditional": "yes" if there.classes else "no",
        "--augment": "auto" if there.augment == "adaptive" else there.augment,
        "--flip": "yes" if there.mirror else "no",
        "--until": there.until,
        "--private": there.private.epsilon if there.private else None,
        "--seed": there.seed,
        "--batch": there.recipe.batch,
        "--checkpoint-every": there.checkpoint_every,
    }
    given = {f"--{name.replace('_', '-')}": value for name, value in vars(asked).items() if value != "auto"}
    reconcile(run, started, {option: given.get(option) for option in started})
    index = find_pictures(folder, asked.exclude)
    pictures = read_pictures(index, (there.height, there.width), there.channels)
    if pictures.digest != there.data.digest:
        raise RunError(
            f"{folder}: the pictures are not those that {run} was started on: {len(pictures)} now, "
            f"{there.data.pictures} then. Bring them back, or name another run with --run."
        )
    return there, pictures


def _new(run: Path, folder: Path, asked: Asked) -> tuple[GeneratorConfig, PictureArray]:
    from huanjing.datasets.folder import as_text
    from huanjing.datasets.pictures import probe_channels
    from huanjing.generation.budget import plan
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.precision import best_precision, measured_minutes
    from huanjing.generation.private import private_recipe
    from huanjing.generation.recipes import RECIPES, default_recipe, recipe_for
    from huanjing.generation.shape import Shape

    if asked.private is not None:
        asked = without_looking(asked)
    index = find_pictures(folder, asked.exclude)
    only = RECIPES[asked.recipe].only if asked.recipe and asked.recipe in RECIPES else None
    height, width = asked.resolution or (only[:2] if only else choose_resolution(index))
    channels = asked.channels or (only[2] if only else probe_channels(index, transparency=True))
    minutes = asked.minutes
    if asked.minutes is None and asked.steps is None:
        minutes = DEFAULT_MINUTES
        most = "" if asked.until in (None, "end") else "at most "
        print(f"Training for {most}{minutes:g} minutes; --minutes would change that.", file=sys.stderr)
    shape = Shape(height, width, channels)
    reach = None if minutes is None else measured_minutes(minutes)
    recipe = recipe_for(asked.recipe or default_recipe(shape), shape, asked.batch, asked.size, reach)
    if asked.private is not None:
        recipe = private_recipe(recipe)
    pictures = read_pictures(index, (height, width), channels)
    private = None
    if asked.private is not None and asked.steps:
        private = plan(asked.private, recipe, len(pictures), asked.steps)
    classes = choose_classes(pictures, asked.conditional or "auto", recipe)
    augment = choose_strength("auto" if asked.augment is None else asked.augment, len(pictures))
    mirror = choose_mirror(asked.flip or "auto", pictures.array, augmented=augment != 0)
    until = asked.until or "end"
    seed = DEFAULT_SEED if asked.seed is None else asked.seed
    length = f"--steps {asked.steps}" if asked.steps else f"--minutes {minutes:g}"
    size = f" --size {recipe.size}" if recipe.size else ""
    exclude = f" --exclude {shlex.quote(asked.exclude.name)}" if asked.exclude else ""
    noise = "" if asked.private is None else f" --private {asked.private:g}"
    command = (
        f"huanjing train generator {shlex.quote(folder.name)} --recipe {recipe.name}{size} {length} "
        f"--resolution {height}x{width} --channels {channels} --conditional {'yes' if classes else 'no'}{exclude} "
        f"--augment {'auto' if augment == 'adaptive' else augment} --flip {'yes' if mirror else 'no'} --until {until} "
        f"--batch {recipe.batch}{noise} --seed {seed} --run {shlex.quote(f'runs/{run.name}')}"
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
            precision=best_precision() if private is None else "float32",
            data=DataSummary(as_text(folder.resolve().name), len(pictures), pictures.digest),
            classes=classes,
            augment=augment,
            mirror=mirror,
            held_out=count_held_out(len(pictures)) if private is None else 0,
            until=until,
            private=private,
            command=as_text(command),
        ),
        pictures,
    )


def train_and_export(
    config: GeneratorConfig,
    pictures: PictureArray,
    run: Run,
    on_tick: Callable[[Tick], None] | None = None,
    *,
    language: Lang = "en",
    score: Score | None = None,
    distribution: Distribution | None = None,
) -> TrainedGenerator:
    """Train with live progress, then write the bundle to the run's ``model/``.

    :param language: of what the training doctor says.
    :param score: judges generated pictures now and then.
    :param distribution: what to train on; this process alone unless told.
    """
    from huanjing.generation.budget import privacy_spent
    from huanjing.generation.export import export_generator
    from huanjing.generation.outlook import result_text
    from huanjing.generation.train import train_generator
    from huanjing.training import Progress

    labels = number_classes(pictures, config.classes)
    reached = math.inf
    whole = None if config.steps is None else privacy_spent(config, config.steps)
    if whole is not None:
        print("\n".join(promise(whole, language)), file=sys.stderr)
    with Progress("Training") as progress:

        def show(tick: Tick) -> None:
            nonlocal reached
            if tick.outlook is not None and tick.outlook.seconds_to_target is not None:
                reached = tick.seconds + tick.outlook.seconds_to_target.middle
            left = tick.seconds / tick.progress - tick.seconds if tick.progress > 0 else None
            progress.update(
                tick.progress,
                step=tick.step,
                rate=tick.pictures_per_second,
                values=values_of(tick),
                seconds_left=None if left is None else max(0.0, min(left, reached - tick.seconds)),
                last=tick.progress >= 1,
            )
            tell(progress, tick, language)
            if on_tick is not None:
                on_tick(tick)

        trained = train_generator(config, pictures.array, run, show, labels, score, distribution)
    if (told := result_text(config.until, trained.best_score)) is not None:
        print(getattr(told, language), file=sys.stderr)
    name = re.sub("[^A-Za-z0-9]+", "-", run.folder.resolve().name).strip("-") or "generator"
    export_generator(run.model, config, trained.state.averaged, name=name[:100])
    print(f"Trained {trained.step:,} steps. Samples: {run.samples}", file=sys.stderr)
    if whole is not None:
        print("\n".join([*promise(whole, language), *limits(language)]), file=sys.stderr)
    return trained

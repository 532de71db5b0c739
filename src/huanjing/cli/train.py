"""``huanjing train``: teach a network with a folder of pictures."""

from __future__ import annotations

import re
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Literal

import click

from huanjing.cli.generator_care import Flip, care_options, make_score, parse_strength, parse_until
from huanjing.cli.generator_data import Conditional
from huanjing.cli.generator_run import Asked, configure, train_and_export
from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.cli.train_recognizer import recognizer
from huanjing.cli.workers import follow, lost, start_workers
from huanjing.errors import UsageError


@click.group()
def train() -> None:
    """Train a network on a folder of pictures; the same command again goes on where it stopped."""


train.add_command(recognizer)


@train.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--recipe", metavar="NAME", help="How to train; by the pictures' size unless told. See --list-recipes."
)
@click.option(
    "--size",
    type=click.Choice(["small", "medium", "large", "auto"]),
    help="How wide the networks are; auto, the default, goes by pictures and minutes, small with --private.",
)
@click.option("--minutes", metavar="M", type=float, help="How long to train; 10 unless told.")
@click.option("--steps", metavar="N", type=click.IntRange(min=1), help="How many steps, instead of minutes.")
@click.option(
    "--resolution",
    metavar="R",
    help="Side of the pictures, or HEIGHTxWIDTH; chosen from the pictures unless told.",
)
@click.option(
    "--channels",
    type=click.Choice(["1", "3", "4"]),
    help="1 grey, 3 colour, 4 colour and transparency; as the pictures are unless told.",
)
@click.option(
    "--conditional",
    type=click.Choice(["auto", "yes", "no"]),
    help="Whether to learn the subfolders as classes; auto, the default, does where each has 200 pictures.",
)
@care_options
@click.option(
    "--exclude", metavar="FILE", type=click.Path(path_type=Path), help="A list of pictures to leave out."
)
@click.option(
    "--run", type=click.Path(path_type=Path), help="The run folder; runs/FOLDER-RECIPE unless told."
)
@click.option("--seed", type=click.IntRange(min=0), help="What all randomness comes from; 0 unless told.")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    help="Pictures in a step; the recipe's unless told, 128 with --private.",
)
@click.option(
    "--checkpoint-every",
    metavar="STEPS",
    type=click.IntRange(min=1),
    help="Steps between checkpoints; once a minute unless told.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="Train in N processes of this machine; for several machines see TF_CONFIG in the documentation.",
)
@click.option("--list-recipes", is_flag=True, help="Show the recipes with their costs, and stop.")
@lang_option
def generator(
    folder: Path | None,
    recipe: str | None,
    size: str | None,
    minutes: float | None,
    steps: int | None,
    resolution: str | None,
    channels: str | None,
    conditional: Conditional | None,
    augment: str | None,
    flip: Flip | None,
    until: str | None,
    private: float | None,
    exclude: Path | None,
    run: Path | None,
    seed: int | None,
    batch: int | None,
    checkpoint_every: int | None,
    workers: int | None,
    list_recipes: bool,
    lang: Lang | None,
) -> int:
    """Train a generator that makes pictures like those in FOLDER.

    Ctrl-C saves and stops; the same command again goes on. The run folder holds the log, sample pictures and, at
    the end, the model, for `huanjing generate RUN`.

    Example: huanjing train generator holiday-photographs --minutes 30
    """
    if list_recipes:
        from huanjing.cli.recipe_list import print_recipes

        print_recipes(lang)
        return 0
    if folder is None:
        raise UsageError("Name the FOLDER that holds the pictures: huanjing train generator FOLDER")
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UsageError(f"--minutes is {minutes}; it must be above 0.")
    if minutes is not None and steps is not None:
        raise UsageError("--minutes and --steps are two ways to say how long; give one of them.")
    asked = Asked(
        recipe=recipe,
        size=size,
        minutes=minutes,
        steps=steps,
        resolution=parse_resolution(resolution) if resolution else None,
        channels=None if channels is None else _CHANNELS[channels],
        conditional=conditional,
        augment=None if augment is None else parse_strength(augment),
        flip=flip,
        until=None if until is None else parse_until(until),
        private=private,
        exclude=exclude,
        seed=seed,
        batch=batch,
        checkpoint_every=checkpoint_every,
    )
    cluster = start_workers(workers, private=private is not None)
    if isinstance(cluster, int):
        return cluster
    from huanjing.training.engine import require_tensorflow

    require_tensorflow(compute=cluster is None)

    from huanjing.cli.evaluate_generator import report_run
    from huanjing.training import Interrupted, Run
    from huanjing.training.distribution import WorkerLostError, start_distribution

    run = (
        run
        or Path("runs")
        / f"{folder.resolve().name}-{recipe or 'generator'}{'' if private is None else '-private'}"
    )
    if cluster is not None and not cluster.chief:
        return follow(cluster, run, partial(configure, run, folder, asked))
    config, pictures = configure(run, folder, asked)
    language = resolve_language(lang, human=True)
    if cluster is not None:
        print(f"Waiting for the other workers; there are {cluster.workers} in all.", file=sys.stderr)
    try:
        with Run.start(run, config) as opened:
            train_and_export(
                config,
                pictures,
                opened,
                language=language,
                score=make_score(pictures.array) if config.private is None else None,
                distribution=start_distribution(cluster),
            )
            model = opened.model
        report_run(run, pictures, language)
    except Interrupted as stopped:
        print(f"huanjing: {stopped}", file=sys.stderr)
        return 130
    except WorkerLostError as error:
        return lost(error)
    print(f"To make pictures with it: huanjing generate {shlex.quote(str(run))}", file=sys.stderr)
    print(model)
    return 0


_CHANNELS: dict[str, Literal[1, 3, 4]] = {"1": 1, "3": 3, "4": 4}


def parse_resolution(text: str) -> tuple[int, int]:
    """``64``, or ``48x64`` as height × width, to (height, width)."""
    parts = text.lower().replace("×", "x").split("x")
    if not 1 <= len(parts) <= 2 or not all(re.fullmatch("[1-9][0-9]{0,4}", part) for part in parts):
        raise UsageError(f"--resolution is {text!r}; it is a side such as 64, or HEIGHTxWIDTH such as 48x64.")
    return int(parts[0]), int(parts[-1])

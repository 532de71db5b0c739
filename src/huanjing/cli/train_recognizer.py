"""``huanjing train recognizer``: teach a network the classes of a folder."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from huanjing.errors import RunError, UsageError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray
    from huanjing.recognition.config import RecognizerConfig
    from huanjing.recognition.dataset import LabelledFolder, LabelledPictures
    from huanjing.recognition.finetune import Tick
    from huanjing.recognition.train import TrainedRecognizer, Watch
    from huanjing.training import Progress, Run

DEFAULT_START = "efficientnet-lite0"
DEFAULT_MINUTES = 10.0
SMALL = 1000
"""With fewer pictures to learn from, the head alone is fitted unless more is asked for: that takes seconds."""
SCRATCH_SIDE = 64
"""Of what a network that starts from nothing sees, unless the pictures are small themselves."""
SHOWN_BROKEN = 20


@dataclass(frozen=True)
class Asked:
    """The options of a recogniser's training as given; None is left open."""

    start: str | None = None
    minutes: float | None = None
    epochs: int | None = None
    seed: int | None = None
    batch: int | None = None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--labels", metavar="FILE", type=click.Path(path_type=Path), help="A CSV file with path and label."
)
@click.option(
    "--exclude", metavar="FILE", type=click.Path(path_type=Path), help="A list of pictures to leave out."
)
@click.option(
    "--from",
    "start",
    metavar="NAME",
    help="The model to begin with: efficientnet-lite0 (default), a path, or scratch.",
)
@click.option("--minutes", metavar="M", type=float, help="How long to train at most, everything included.")
@click.option(
    "--epochs",
    metavar="N",
    type=click.IntRange(min=0),
    help="Passes over the pictures at most; 0 fits the head alone.",
)
@click.option(
    "--run", type=click.Path(path_type=Path), help="The run folder; runs/FOLDER-recognizer unless told."
)
@click.option("--seed", type=click.IntRange(min=0), help="What all randomness comes from; 0 unless told.")
@click.option(
    "--batch", type=click.IntRange(min=1), help="Pictures in a step of fine-tuning; 32 unless told."
)
def recognizer(
    folder: Path,
    labels: Path | None,
    exclude: Path | None,
    start: str | None,
    minutes: float | None,
    epochs: int | None,
    run: Path | None,
    seed: int | None,
    batch: int | None,
) -> int:
    """Train a recogniser on FOLDER, which has a folder of pictures for each class.

    Where FOLDER has train/, val/ and test/, they are used as such; else a fifth of every class is kept to judge by.
    A new last layer is fitted on the network's features in seconds. With 1,000 pictures and more, or where --minutes
    or --epochs asks for it, the whole network is then fine-tuned, and the better of the two is kept. Ctrl-C saves and
    stops; the same command again goes on.

    Example: huanjing train recognizer holiday-photographs --minutes 5
    """
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UsageError(f"--minutes is {minutes}; it must be above 0.")
    from huanjing.recognition.dataset import label_folder
    from huanjing.training import Interrupted, Run

    run = run or Path("runs") / f"{folder.resolve().name}-recognizer"
    found = label_folder(folder, labels=labels, exclude=exclude)
    asked = Asked(start, minutes, epochs, seed, batch)
    config, data = configure(run, found, asked, {"--labels": labels, "--exclude": exclude})
    try:
        with Run.start(run, config) as opened:
            trained = train_and_tell(config, data, opened)
    except Interrupted as stopped:
        print(f"huanjing: {stopped}", file=sys.stderr)
        return 130
    _conclude(trained, run)
    print(trained.bundle.folder)
    return 0


def train_and_tell(config: RecognizerConfig, data: LabelledPictures, run: Run) -> TrainedRecognizer:
    """Train with live progress and write the bundle to the run's ``model/``."""
    from huanjing.recognition.train import train_recognizer
    from huanjing.training import Progress

    name = re.sub("[^A-Za-z0-9]+", "-", run.folder.resolve().name).strip("-") or "recognizer"
    with Progress("Training") as progress:
        return train_recognizer(config, data, run, name=name[:100], watch=_watch(progress))


def _watch(progress: Progress) -> Watch:
    from huanjing.recognition.train import Watch

    began = time.monotonic()
    what = ""

    def features(kind: str, done: int, total: int) -> None:
        nonlocal began, what
        if kind != what or done == 1:
            what, began = kind, time.monotonic()
        if done % 50 == 0 or done == total:
            rate = done / max(1e-3, time.monotonic() - began)
            progress.update(done / total, step=done, rate=rate, values={}, seconds_left=(total - done) / rate)

    def tick(tick: Tick) -> None:
        values = {"loss": tick.loss} if tick.loss == tick.loss else {}
        if tick.validation is not None:
            values["validation accuracy"] = tick.validation
        left = tick.seconds / tick.progress - tick.seconds if tick.progress > 0 else None
        progress.update(
            tick.progress,
            step=tick.step,
            rate=tick.pictures_per_second,
            values=values,
            seconds_left=left,
            last=tick.progress >= 1,
        )

    return Watch(progress.say, features, tick)


def _conclude(trained: TrainedRecognizer, run: Path) -> None:
    what = {
        "head": "the head on the frozen network",
        "fine-tuned": "the fine-tuned network",
        "scratch": "the network",
    }
    test = f", {trained.test:.1%} of the test pictures" if trained.test is not None else ""
    print(
        f"In {trained.seconds:.0f} s: {what[trained.method]} is right on {trained.validation:.1%} of the validation "
        f"pictures{test}.\nTo use it: huanjing recognize --model {shlex.quote(str(run))} PICTURE",
        file=sys.stderr,
    )


def configure(
    run: Path, folder: LabelledFolder, asked: Asked, lists: Mapping[str, Path | None]
) -> tuple[RecognizerConfig, LabelledPictures]:
    """The configuration of the run that is there, where ``asked`` agrees with it, or a new one; and the pictures.

    :param lists: options that name files, for the record of the command.
    """
    from huanjing.recognition.config import RecognizerConfig
    from huanjing.recognition.dataset import arrange
    from huanjing.training import read_config, reconcile

    there = read_config(run, RecognizerConfig)
    start = asked.start or (there.start if there else DEFAULT_START)
    pictures = _prepare(folder, start)
    if there is None:
        seed = asked.seed or 0
        data = arrange(folder, pictures, seed)
        return _new(run, folder, data, start, asked, lists), data
    started = {
        "--from": there.start,
        "--minutes": there.minutes,
        "--epochs": there.epochs,
        "--seed": there.seed,
        "--batch": there.batch,
    }
    reconcile(run, started, dict(zip(started, vars(asked).values(), strict=True)))
    data = arrange(folder, pictures, there.seed)
    if _digest(data) != there.data.digest:
        raise RunError(
            f"{folder.index.root}: the pictures are not those that {run} was started on: {len(pictures)} now, "
            f"{there.data.pictures} then. Bring them back, or name another run with --run."
        )
    return there, data


def _new(
    run: Path,
    folder: LabelledFolder,
    data: LabelledPictures,
    start: str,
    asked: Asked,
    lists: Mapping[str, Path | None],
) -> RecognizerConfig:
    from huanjing.recognition.config import SCRATCH, LabelledSummary, RecognizerConfig
    from huanjing.recognition.train import start_model
    from huanjing.runtime.engine import resolve_precision

    scratch = start == SCRATCH
    digest, side, channels = "", data.pictures.array.shape[1], data.pictures.array.shape[3]
    if not scratch:
        bundle, _ = start_model(start)
        digest, side, channels = bundle.digest, bundle.picture_input.height, 3
    minutes, epochs = asked.minutes, asked.epochs
    if minutes is None and epochs is None:
        if scratch or len(data.positions("train")) >= SMALL:
            minutes = DEFAULT_MINUTES
        else:
            epochs = 0
    if scratch and epochs == 0:
        raise UsageError("--epochs 0 fits the head alone, and --from scratch has no network to put it on.")
    seed = asked.seed or 0
    batch = asked.batch or (64 if scratch else 32)
    length = f"--minutes {minutes:g} " if minutes is not None else ""
    length += f"--epochs {epochs} " if epochs is not None else ""
    length += "".join(f"{option} {shlex.quote(path.name)} " for option, path in lists.items() if path)
    name = folder.index.root.resolve().name
    command = (
        f"huanjing train recognizer {shlex.quote(name)} --from {shlex.quote(start)} {length}"
        f"--batch {batch} --seed {seed} --run {shlex.quote(run.name)}"
    )
    return RecognizerConfig(
        start=start,
        start_digest=digest,
        side=side,
        channels=1 if channels == 1 else 3,
        seed=seed,
        batch=batch,
        epochs=epochs,
        minutes=minutes,
        precision="mixed_bfloat16" if resolve_precision("auto") == "bf16" else "float32",
        data=LabelledSummary(name, len(data.labels), list(data.classes), _digest(data)),
        command=command,
    )


def _digest(data: LabelledPictures) -> str:
    """SHA-256 over the pictures, their classes, and what each is for."""
    digest = hashlib.sha256(data.pictures.digest.encode())
    digest.update(repr((data.classes, data.labels.tolist(), data.parts)).encode())
    return digest.hexdigest()


def _prepare(folder: LabelledFolder, start: str) -> PictureArray:
    """Decode the pictures at the size that training needs, and say what was set aside."""
    from huanjing.datasets import prepare_pictures
    from huanjing.recognition.config import SCRATCH
    from huanjing.recognition.dataset import stored_side
    from huanjing.recognition.train import start_model

    largest = SCRATCH_SIDE if start == SCRATCH else start_model(start)[0].picture_input.height
    side = stored_side(folder.index, largest)
    pictures = prepare_pictures(folder.index, (side, side))
    for broken in pictures.broken[:SHOWN_BROKEN]:
        print(f"set aside: {broken.name}: {broken.reason}", file=sys.stderr)
    if pictures.broken:
        count = len(pictures.broken)
        print(
            f"{len(pictures):,} pictures are used; {count:,} cannot be and were set aside.", file=sys.stderr
        )
    if folder.unlabelled:
        print(f"{folder.unlabelled:,} pictures have no class and are passed over.", file=sys.stderr)
    return pictures

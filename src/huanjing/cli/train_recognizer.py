"""``huanjing train recognizer``: teach a network the classes of a folder."""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from huanjing.cli.generated_pictures import DEFAULT_SHARE
from huanjing.cli.options import Between
from huanjing.cli.recognizer_run import Asked, configure
from huanjing.cli.workers import refuse_workers
from huanjing.errors import UsageError

if TYPE_CHECKING:
    from huanjing.recognition.config import RecognizerConfig
    from huanjing.recognition.dataset import LabelledPictures
    from huanjing.recognition.finetune import Tick
    from huanjing.recognition.train import TrainedRecognizer, Watch
    from huanjing.training import Progress, Run


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
    help="The model to begin with: efficientnet-lite0 (default), vgg16 or another classic network, a path, or scratch.",
)
@click.option(
    "--weights",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The Keras weight file of the classic network that --from names.",
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
    "--batch",
    type=click.IntRange(min=1),
    help="Pictures in a step; 32, from a classic network 8, from scratch 64 unless told.",
)
@click.option(
    "--add-generated",
    metavar="GENERATOR",
    help="Learn also from pictures of this generator, which must have been taught FOLDER's classes.",
)
@click.option(
    "--share",
    metavar="P",
    type=Between(0, 1, min_open=True, max_open=True),
    help=f"With --add-generated: the generated part of what is learned of each class; {DEFAULT_SHARE:g} unless told.",
)
def recognizer(
    folder: Path,
    labels: Path | None,
    exclude: Path | None,
    start: str | None,
    weights: Path | None,
    minutes: float | None,
    epochs: int | None,
    run: Path | None,
    seed: int | None,
    batch: int | None,
    add_generated: str | None,
    share: float | None,
) -> int:
    """Train a recogniser on FOLDER, which has a folder of pictures for each class.

    Where FOLDER has train/, val/ and test/, they are used as such; else a fifth of every class is kept to judge by.
    A new last layer is fitted on the network's features in seconds. With 1,000 pictures and more, or where --minutes
    or --epochs asks for it, the whole network is then fine-tuned, and the better of the two is kept. Ctrl-C saves and
    stops; the same command again goes on. Pictures of --add-generated are learned from and judge nothing.

    Example: huanjing train recognizer holiday-photographs --minutes 5
    """
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UsageError(f"--minutes is {minutes}; it must be above 0.")
    started = time.monotonic()
    refuse_workers()
    from huanjing.recognition.dataset import label_folder
    from huanjing.training import Interrupted, Run

    run = run or Path("runs") / f"{folder.resolve().name}-recognizer"
    found = label_folder(folder, labels=labels, exclude=exclude)
    asked = Asked(start, weights, minutes, epochs, seed, batch, add_generated, share)
    config, data = configure(run, found, asked, {"--labels": labels, "--exclude": exclude})
    try:
        with Run.start(run, config) as opened:
            trained = train_and_tell(config, data, opened, started)
    except Interrupted as stopped:
        print(f"huanjing: {stopped}", file=sys.stderr)
        return 130
    _conclude(trained, run)
    print(trained.bundle.folder)
    return 0


def train_and_tell(
    config: RecognizerConfig, data: LabelledPictures, run: Run, started: float
) -> TrainedRecognizer:
    """Train with live progress and write the bundle to the run's ``model/``.

    :param started: ``time.monotonic()`` when the command began.
    """
    from huanjing.recognition.train import train_recognizer
    from huanjing.training import Progress

    name = re.sub("[^A-Za-z0-9]+", "-", run.folder.resolve().name).strip("-") or "recognizer"
    with Progress("Training") as progress:
        return train_recognizer(config, data, run, name=name[:100], watch=_watch(progress), started=started)


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

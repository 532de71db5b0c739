"""``huanjing recognize``: what is in these pictures?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.cli.progress import with_progress
from huanjing.cli.startup import import_openvino_lightly
from huanjing.errors import ModelNotFoundError, PictureError

if TYPE_CHECKING:
    from huanjing.cli.sources import Sources
    from huanjing.runtime import Prediction, Recognizer


def _threshold(_context: click.Context, _option: click.Parameter, value: str) -> float | str:
    """A probability, or ``auto``."""
    if value == "auto":
        return value
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise click.BadParameter(f"{value!r} is neither auto nor a number from 0 to 1.")
    return number


@click.command()
@click.argument("sources", metavar="PICTURE|FOLDER|GLOB|-...", nargs=-1, required=True)
@click.option(
    "--top", "-k", type=click.IntRange(min=1), default=3, show_default=True, help="Labels per picture."
)
@click.option("--model", metavar="NAME_OR_PATH", help="The model to use; the embedded one unless told.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "jsonl", "csv"]),
    default="table",
    show_default=True,
    help="How to write the answers.",
)
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file instead."
)
@lang_option
@click.option(
    "--threshold",
    metavar="P|auto",
    callback=_threshold,
    default="0",
    help="Leave out labels less probable than P, 0 to 1. auto answers unknown where a picture is unlike all that the "
    "model was taught.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "f32", "bf16"]),
    default="auto",
    show_default=True,
    help="auto computes in bf16 where the processor can, and decodes JPEGs faster; f32 is exact.",
)
def recognize(
    sources: tuple[str, ...],
    top: int,
    model: str | None,
    format_: str,
    output: Path | None,
    lang: Lang | None,
    threshold: float | str,
    precision: Literal["auto", "f32", "bf16"],
) -> int:
    """Say what is in pictures: the most probable labels of each.

    Folders are searched for pictures at any depth; - reads paths from standard input, one a line. Exit status 1
    means that some pictures could not be read; each is named.

    Example: huanjing recognize holiday/ --top 1 --format csv -o labels.csv
    """
    import_openvino_lightly()
    from huanjing.cli.answers import open_output, writer
    from huanjing.cli.sources import expand
    from huanjing.runtime import Recognizer
    from huanjing.runtime.novelty import load_novelty

    language = resolve_language(lang, human=format_ == "table")
    found = expand(list(sources))
    try:
        recognizer = Recognizer(model, precision=precision)
    except ModelNotFoundError as error:
        from huanjing.recognition.presets import how_to_fetch

        raise ModelNotFoundError(how_to_fetch(model) or str(error)) from None
    automatic = threshold == "auto"
    if automatic:
        load_novelty(recognizer.bundle)  # or the error, before anything is written
    failed = done = 0
    started = time.perf_counter()
    with open_output(output) as stream, writer(format_, stream, language, automatic) as write:
        for answer in with_progress(_answers(recognizer, found, top, language, automatic), found.total):
            done += 1
            if answer.error is not None:
                failed += 1
                print(f"huanjing: {answer.path}: {answer.error}", file=sys.stderr)
            write(answer.or_unknown() if isinstance(threshold, str) else answer.above(threshold))
    if done > 1:
        seconds = time.perf_counter() - started
        failures = f"; {failed} failed" if failed else ""
        print(
            f"{done} pictures in {seconds:.1f} s, {done / seconds:.0f} pictures/s{failures}", file=sys.stderr
        )
    return 1 if failed else 0


def _answers(
    recognizer: Recognizer, sources: Sources, top: int, language: Lang, novelty: bool
) -> Iterator[Prediction]:
    """One picture takes the short way, without waiting for a batch to fill."""
    from huanjing.runtime import Prediction

    if sources.total != 1:
        yield from recognizer.recognize_all(sources.paths, top=top, language=language, novelty=novelty)
        return
    for path in sources.paths:
        try:
            yield recognizer.recognize(path, top=top, language=language, novelty=novelty)
        except PictureError as error:
            yield Prediction(path, (), error.reason)

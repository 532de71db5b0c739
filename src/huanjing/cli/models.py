"""``huanjing models``: what is here, what can be had, and fetching the classic networks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.cli.options import format_option
from huanjing.errors import MissingExtraError, ModelNotFoundError, UsageError

if TYPE_CHECKING:
    from huanjing.bundle import ClassName


@click.group()
def models() -> None:
    """Say which models are here and which can be had; fetch the classic networks."""


@models.command("list")
@format_option
@lang_option
def list_(format_: Literal["table", "json"], lang: Lang | None) -> int:
    """List the models that are here, and the networks that `huanjing models fetch` can bring.

    Example: huanjing models list
    """
    from huanjing.cli.model_facts import installed, to_be_had, word_in

    language = resolve_language(lang, human=format_ == "table")
    rows = [*installed(), *to_be_had()]
    if format_ == "json":
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "kind", "size", "top-1", "MB", "where"):
        table.add_column(
            word_in(title, language), justify="right" if title in {"size", "top-1", "MB"} else "left"
        )
    for row in rows:
        top1 = f"{row['top1']:.1f}" if row["top1"] is not None else ""
        megabytes = f"{row['bytes'] / 1e6:,.0f}"
        kind, where = word_in(row["kind"], language), word_in(row["where"], language)
        table.add_row(row["name"], kind, row["size"], top1, megabytes, where)
    Console(width=None if sys.stdout.isatty() else 80, highlight=False).print(table)
    return 0


@models.command()
@click.argument("name")
@format_option
@lang_option
def show(name: str, format_: Literal["table", "json"], lang: Lang | None) -> int:
    """Show what is known of a model: its input, figures, licence, origin and files.

    NAME is a model that is here, the path of one, or a network that can be fetched.

    Example: huanjing models show vgg16
    """
    from huanjing.cli.model_facts import bundle_facts, find, preset_facts, word_in
    from huanjing.recognition.presets import PRESETS

    language = resolve_language(lang, human=format_ == "table")

    bundle = find(name)
    if bundle is not None:
        facts = bundle_facts(bundle)
    elif name in PRESETS:
        facts = preset_facts(PRESETS[name])
    else:
        raise ModelNotFoundError(
            f"No model {name!r} is here or can be fetched. huanjing models list names them all."
        )
    if format_ == "json":
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return 0
    from rich.cells import cell_len, set_cell_size

    words = {fact: word_in(fact, language) for fact in facts}
    width = max(map(cell_len, words.values()))
    for fact, value in facts.items():
        margin = set_cell_size(words[fact], width)
        for line in value if isinstance(value, list) else [value]:  # long lines stay whole, to be copied
            print(f"{margin}  {word_in(line, language)}")
            margin = " " * width
    return 0


@models.command()
@click.argument("name")
@click.option(
    "--weights",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Take the weights from this file: the official one, or your own .h5, .weights.h5 or .keras.",
)
@click.option(
    "--classes",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="For your own weights: the classes in order, one name a line; ImageNet's unless told.",
)
@click.option("--as", "as_", metavar="NAME", help="What to call the model here; its own name unless told.")
def fetch(name: str, weights: Path | None, classes: Path | None, as_: str | None) -> int:
    """Fetch a classic network's official weights, check them, and make them a model that `--model NAME` uses.

    What is fetched is kept in the folder weights of $HUANJING_HOME; a file that was put there by hand is taken up.

    Example: huanjing models fetch vgg16
    """
    from huanjing.bundle import user_models
    from huanjing.bundle.manifest import NAME
    from huanjing.recognition.presets import PRESETS

    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise ModelNotFoundError(f"No network {name!r} can be fetched. Those that can be: {known}.")
    if classes is not None and weights is None:
        raise UsageError("--classes goes with --weights: the official weights have ImageNet's classes.")
    if as_ is not None and re.fullmatch(NAME, as_) is None:
        raise UsageError(
            f"--as is {as_!r}; it must be at most 100 letters a to z, digits, dots, - or _, a letter or digit first."
        )
    preset = PRESETS[name]
    names = _read_classes(classes) if classes is not None else None
    # Before the download: without these nothing could be made of the file. They are imported after it.
    if find_spec("keras") is None or find_spec("tensorflow") is None:
        raise MissingExtraError("Converting Keras weights", "train")
    if weights is None:
        from huanjing.bundle.download import fetch_file, weights_folder

        if preset.hash is None:
            _say(
                f"Keras publishes no hash for {preset.file}. A download is checked against the MD5 that the server "
                "states, if it states one; a file put there by hand is taken as it is."
            )
        with _progress(preset.file) as progress:
            weights = fetch_file(
                preset.url,
                weights_folder() / preset.file,
                expected=preset.hash,
                about_bytes=preset.bytes,
                progress=progress,
            )
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    from huanjing.recognition.classic import convert

    folder = user_models() / (as_ or name)
    bundle = convert(preset, weights, folder, name=as_, classes=names, say=_say)
    _say(f"To use it: huanjing recognize PICTURE --model {bundle.folder.name}")
    print(bundle.folder)
    return 0


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _read_classes(path: Path) -> list[ClassName]:
    from huanjing.bundle import ClassName

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--classes {path}: cannot be read as UTF-8 text: {error}") from None
    names = [line.strip() for line in lines if line.strip()]
    if len(names) < 2 or len(set(names)) != len(names):
        raise UsageError(f"--classes {path}: needs at least two names, one a line, none of them twice")
    return [ClassName(id=name, en=name) for name in names]


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on a terminal (amount, rate, time left), else a line every tenth of the file; on stderr."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    if sys.stderr.isatty():
        columns = (
            TextColumn(title),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda here, total: bar.update(task, completed=here, total=total)
        return
    shown = -1

    def line(here: int, total: int | None) -> None:
        nonlocal shown
        tenth = 10 * here // total if total else here // 10**8
        if tenth != shown:
            shown = tenth
            of = f" of {total / 1e6:,.0f}" if total else ""
            _say(f"{title}: {here / 1e6:,.0f}{of} MB")

    yield line

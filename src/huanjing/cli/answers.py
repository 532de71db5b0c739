"""Writing predictions as they come: for people (table) and for programs (json, jsonl, csv)."""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from huanjing.cli.language import Lang
from huanjing.errors import UsageError
from huanjing.runtime.results import Prediction

Write = Callable[[Prediction], None]

NAME_WIDTH = 26
"""Terminal cells for a picture's name; a longer one has a line of its own."""
BAR = " ▏▎▍▌▋▊▉█"
BAR_WIDTH = 10
NOTHING = {"en": "nothing above the threshold", "zh": "没有高于阈值的类别"}
UNKNOWN = {"en": "unknown", "zh": "未知"}
HOW_NOVEL = {"en": " (novelty {:.1f})", "zh": "（新异度 {:.1f}）"}
FAILED = {"en": "cannot be read", "zh": "无法读取"}


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    r"""Standard output, or a file that appears under its name only when all of it is written.

    What of a file's name is no text is written as ``\udcff``, which is also how JSON escapes it.

    :raises UsageError: where the file cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    if path.is_dir():
        raise UsageError(f"--output {path}: is a folder; name a file in it")
    try:
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent, text=True)
    except OSError as error:
        raise UsageError(f"--output {path}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        Path(aside).chmod(0o666 & ~_umask())
        Path(aside).replace(path)
    except OSError as error:
        raise UsageError(f"--output {path}: cannot be written: {error.strerror}") from None
    finally:
        Path(aside).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@contextmanager
def writer(format_: str, stream: TextIO, language: Lang, novelty: bool = False) -> Iterator[Write]:
    """A function that writes one prediction to ``stream``; leaving the context closes what the format opens.

    :param novelty: predictions come with their novelty, which a table in CSV then has columns for.
    """
    if format_ == "json":
        separator = "[\n"

        def write_json(prediction: Prediction) -> None:
            nonlocal separator
            stream.write(separator + json.dumps(prediction.to_dict(), ensure_ascii=False))
            separator = ",\n"

        yield write_json
        stream.write("[]\n" if separator == "[\n" else "\n]\n")
    elif format_ == "jsonl":
        yield lambda prediction: print(json.dumps(prediction.to_dict(), ensure_ascii=False), file=stream)
    elif format_ == "csv":
        rows = csv.writer(stream, lineterminator="\n")
        columns = ["path", "rank", "index", "name", "id", "probability", "error"]
        rows.writerow(columns + ["novelty", "unknown"] * novelty)
        yield lambda prediction: rows.writerows(_csv_rows(prediction, language, novelty))
    else:
        yield lambda prediction: print("\n".join(_table_lines(prediction, language)), file=stream)


def _csv_rows(prediction: Prediction, language: Lang, novelty: bool) -> Iterator[list[str | int | float]]:
    more: list[str | int | float] = ["", ""] if novelty else []
    if prediction.novelty is not None:
        more = [round(prediction.novelty, 4), json.dumps(prediction.unknown)]
    if not prediction.labels:
        name = UNKNOWN[language] if prediction.unknown else ""
        yield [prediction.path, "", "", name, "", "", prediction.error or "", *more]
    for rank, label in enumerate(prediction.labels, start=1):
        probability = round(label.probability, 6)
        yield [prediction.path, rank, label.index, label.name, label.id, probability, "", *more]


def _table_lines(prediction: Prediction, language: Lang) -> Iterator[str]:
    name = prediction.path
    if cell_len(name) > NAME_WIDTH:
        yield name
        name = ""
    margin = set_cell_size(name, NAME_WIDTH)
    if prediction.unknown:
        yield f"{margin}  {UNKNOWN[language]}{HOW_NOVEL[language].format(prediction.novelty)}"
    elif not prediction.labels:
        yield f"{margin}  {(FAILED if prediction.error else NOTHING)[language]}"
    for label in prediction.labels:
        percent = f"{100 * label.probability:5.1f} %"
        yield f"{margin}  {percent} {_bar(label.probability)} {label.name}"
        margin = " " * NAME_WIDTH


def _bar(share: float) -> str:
    """``share`` (0..1) as a bar of BAR_WIDTH cells, in eighths of a cell."""
    eighths = round(share * BAR_WIDTH * 8)
    return ("█" * (eighths // 8) + BAR[eighths % 8]).ljust(BAR_WIDTH)[:BAR_WIDTH]

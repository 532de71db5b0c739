"""``huanjing evaluate`` with a generator: its pictures beside real ones, as a summary, a JSON file and a page."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from huanjing.bundle import Bundle
from huanjing.cli.language import Lang
from huanjing.cli.lesson import make_lesson
from huanjing.cli.progress import progress_bar
from huanjing.errors import DatasetError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray
    from huanjing.generation.evaluate import GeneratorEvaluation, Row
    from huanjing.generation.teaching import Taught
    from huanjing.runtime import Generator

REPORT: dict[Lang, str] = {"en": "The report with pictures: ", "zh": "附图报告："}
WIDTH = 80
NAME_WIDTH = 24


def evaluate_generator(
    bundle: Bundle,
    folder: Path,
    *,
    count: int | None,
    seed: int,
    features: str | None,
    inception: Path | None,
    output: Path | None,
    language: Lang,
) -> int:
    """Score the generator in ``bundle`` on ``folder``, print a summary, write ``report.html`` and ``report.json``."""
    _require_scipy()
    if features is not None and inception is not None:
        raise UsageError("--features and --inception are two ways to say what compares; give one of them.")
    from huanjing.generation.evaluate import DEFAULT_PICTURES, evaluate_generator
    from huanjing.generation.features import inception_space, recognizer_space
    from huanjing.generation.remarks import not_its_pictures, not_taught, pictures_unsaid
    from huanjing.generation.report import write_report
    from huanjing.images import write_atomically
    from huanjing.runtime import Generator

    space = recognizer_space(features) if inception is None else inception_space(inception)
    generator = Generator(bundle)
    train, test = real_pictures(folder, generator)
    pictures = count or DEFAULT_PICTURES
    lesson = make_lesson(generator, train, test, first_seed=seed + pictures, seed=seed)
    with progress_bar() as report:
        evaluation, compared = evaluate_generator(
            bundle.manifest.name,
            lambda wanted: generator.generate(range(seed, seed + wanted)),
            train.array,
            None if test is None else test.array,
            space,
            count=pictures,
            seed=seed,
            lesson=lesson,
            on_progress=report,
        )
    digest = bundle.manifest.training.digest
    if digest != train.digest:
        unsure = not_its_pictures() if digest else pictures_unsaid()
        evaluation = replace(evaluation, remarks=(*evaluation.remarks, unsure))
    known, there = 0 if lesson is None else len(lesson.classes), len(set(train.labels))
    if generator.classes and known < there:
        evaluation = replace(evaluation, remarks=(*evaluation.remarks, not_taught(known, there)))
    output = output or Path("evaluation") / evaluation.model
    content = json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1) + "\n"
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / "report.json", content.encode(errors="backslashreplace"))
        write_report(
            output / "report.html",
            evaluation,
            compared,
            generator,
            folder=folder.resolve().name,
            run=_run_of(bundle),
            names=train.names,
        )
    except OSError as error:
        raise UsageError(f"{error.filename or output}: cannot be written: {error.strerror}") from None
    for line in summary_lines(evaluation, language):
        print(line)
    broken = [*train.broken, *([] if test is None else test.broken)]
    for one in broken:
        print(f"huanjing: {one.name}: {one.reason}", file=sys.stderr)
    print(f"{REPORT[language]}{output / 'report.html'}", file=sys.stderr)
    return 1 if broken else 0


def report_run(run: Path, pictures: PictureArray, language: Lang) -> None:
    """Write ``report.html`` into the folder of a generator's run that is done, and say what a reader must know.

    Where the pictures are too few to compare with, it says so and leaves the run as it is.
    """
    from huanjing.generation.report import write_run_report

    print("Comparing its pictures with those that it learned from.", file=sys.stderr)
    try:
        with progress_bar() as report:
            evaluation = write_run_report(run, pictures.array, names=pictures.names, on_progress=report)
    except DatasetError as error:
        print(f"No report is written. {error}", file=sys.stderr)
        return
    except OSError as error:
        where = error.filename or run
        print(f"No report is written. {where}: cannot be written: {error.strerror}", file=sys.stderr)
        return
    for line in summary_lines(evaluation, language):
        print(line, file=sys.stderr)
    print(f"{REPORT[language]}{run / 'report.html'}", file=sys.stderr)


def real_pictures(folder: Path, generator: Generator) -> tuple[PictureArray, PictureArray | None]:
    """The training pictures of a folder and those held out: its ``train/`` and ``test/`` (or ``val/``) where it has
    both; else all are training pictures and none is held out.

    :raises DatasetError: where there are none that can be used.
    """
    from huanjing.datasets import index_folder, prepare_pictures
    from huanjing.datasets.folder import PARTS, one_part

    size = (generator.latent.height, generator.latent.width)
    channels = generator.latent.channels
    index = index_folder(folder)
    train, held_out = one_part(index, "train"), one_part(index, "test") or one_part(index, "val")
    lonely = [label for label in index.labels if PARTS.get(label.lower()) in {"test", "val"}]
    if train is None and lonely:
        raise DatasetError(
            f"{folder}: has {lonely[0]}/ and no train/. Name a folder with both, or one folder of the pictures "
            "that the generator was trained on."
        )
    if train is None or held_out is None:
        return prepare_pictures(train or index, size, channels), None
    return prepare_pictures(train, size, channels), prepare_pictures(held_out, size, channels)


def summary_lines(evaluation: GeneratorEvaluation, language: Lang) -> list[str]:
    """The evaluation for a terminal of 80 columns."""
    from huanjing.generation.remarks import percent

    zh = language == "zh"
    features, pixels = evaluation.copying_features.near.value, evaluation.copying_pixels.near.value
    expected = max(evaluation.copying_features.expected, evaluation.copying_pixels.expected)
    count = f"{evaluation.pictures:,}"
    if zh:
        part = "留出的" if evaluation.real == "test" else "训练用的"
        title = f"{evaluation.model}：{count} 张生成图片与 {count} 张{part}真实图片"
        heads = ("生成的", "（95 %）", "其他真实", "噪声")
        copies = f"与某张训练图片极近：按特征 {percent(features)}，按像素 {percent(pixels)}；正常为 {percent(expected)}"
    else:
        part = "held-out" if evaluation.real == "test" else "training"
        title = f"{evaluation.model}: {count} generated pictures beside {count} {part} ones"
        heads = ("generated", "(95 %)", "other real", "noise")
        copies = (
            f"very near to a training picture: {percent(features)} by features, {percent(pixels)} by pixels; "
            f"{percent(expected)} is usual"
        )
    lines = [title, _columns("", *heads)]
    lines += [_row_line(row, language) for row in evaluation.rows]
    lines += wrapped(copies, "  ")
    if evaluation.taught is not None:
        lines += _taught_lines(evaluation.taught, evaluation.real, language)
    for remark in evaluation.remarks:
        lines += wrapped(remark.zh if zh else remark.en, "! ")
    return lines


def _row_line(row: Row, language: Lang) -> str:
    from huanjing.generation.report import METRICS, score_texts

    english, chinese, *_ = METRICS[row.metric]
    value, interval, real, noise = score_texts(row)
    arrow = "↑" if row.higher_is_better else "↓"
    return _columns(f"{chinese if language == 'zh' else english} {arrow}", value, interval, real, noise)


def _taught_lines(taught: Taught, real: str, language: Lang) -> list[str]:
    from rich.cells import set_cell_size

    from huanjing.generation.remarks import percent

    count, tested, classes = f"{taught.learned:,}", f"{taught.tested:,}", f"{len(taught.classes):,}"
    if language == "zh":
        part = "留出的" if real == "test" else "训练用的"
        title = f"只用下列图片学习 {classes} 个类别，在另外 {tested} 张{part}真实图片上的正确率："
        names = (f"{count} 张生成的", f"{count} 张真实的", "只猜最常见的类别")
        interval = "（95 %：{} – {}）"
    else:
        part = "held-out" if real == "test" else "other training"
        title = f"told right of {tested} {part} pictures, of {classes} classes, having learned from"
        names = (f"{count} generated ones", f"{count} real ones", "none: the commonest class")
        interval = "(95 %: {} – {})"
    shares = [
        f"{percent(score.value):>8}  " + interval.format(f"{100 * score.low:.1f}", f"{100 * score.high:.1f}")
        for score in (taught.generated, taught.real)
    ]
    shares.append(f"{percent(taught.chance):>8}")
    rows = [f"    {set_cell_size(name, 28)}{text}" for name, text in zip(names, shares, strict=True)]
    return [*wrapped(title, "  "), *rows]


def _columns(name: str, value: str, interval: str, real: str, noise: str) -> str:
    from rich.cells import cell_len, set_cell_size

    def right(text: str, width: int) -> str:
        return " " * max(0, width - cell_len(text)) + text

    cells = (right(value, 10), right(interval, 19), right(real, 12), right(noise, 10))
    return f"  {set_cell_size(name, NAME_WIDTH)}{''.join(cells)}".rstrip()


def wrapped(text: str, mark: str) -> list[str]:
    """A text in lines of at most 80 columns; the first begins with ``mark``."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    console = Console(file=StringIO(), width=WIDTH)
    lines = Text(text).wrap(console, WIDTH - len(mark))
    return [
        (mark if number == 0 else " " * len(mark)) + line.plain.rstrip() for number, line in enumerate(lines)
    ]


def _run_of(bundle: Bundle) -> Path | None:
    """The run folder that a bundle lies in, if any."""
    run = bundle.folder.resolve().parent
    return run if bundle.folder.resolve().name == "model" and (run / "log.jsonl").is_file() else None


def _require_scipy() -> None:
    from importlib.util import find_spec

    if find_spec("scipy") is None or find_spec("jinja2") is None:
        raise MissingExtraError("Evaluating a generator", "train")

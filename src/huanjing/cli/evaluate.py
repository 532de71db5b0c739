"""``huanjing evaluate``: how good a model is on labelled pictures, as a summary, a JSON file and a page."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from huanjing.cli.progress import progress_bar
from huanjing.errors import PictureError

if TYPE_CHECKING:
    from huanjing.recognition.dataset import LabelledFolder
    from huanjing.recognition.evaluate import ClassFigures, Doubt, Evaluation, Share

WORST = 10
"""Classes that the summary on the terminal names."""
CONFUSED = 20
"""Classes up to which the page shows the whole confusion matrix; of more, the pairs most often confused."""
PAIRS = 30


@click.command()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--labels", metavar="FILE", type=click.Path(path_type=Path), help="A CSV file with path and label."
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where report.html and report.json go; evaluation/MODEL unless told.",
)
def evaluate(model: str, folder: Path, labels: Path | None, output: Path | None) -> int:
    """Measure MODEL, a name or a run folder, on the pictures of FOLDER, which has a folder for each class.

    Where FOLDER has train/, val/ and test/, only test/ counts.

    Example: huanjing evaluate runs/holiday-recognizer holiday-photographs
    """
    from huanjing.recognition.dataset import label_folder
    from huanjing.recognition.evaluate import evaluate as measure
    from huanjing.runtime import Recognizer

    found = _to_judge(label_folder(folder, labels=labels))
    recognizer = Recognizer(model)
    with progress_bar() as report:
        evaluation = measure(recognizer, found, report)
    output = output or Path("evaluation") / evaluation.model
    output.mkdir(parents=True, exist_ok=True)
    content = json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1) + "\n"
    (output / "report.json").write_text(content, encoding="utf-8")
    write_page(output / "report.html", evaluation, found)
    for line in summary_lines(evaluation):
        print(line)
    for path, reason in evaluation.broken:
        print(f"huanjing: {path}: {reason}", file=sys.stderr)
    print(f"The report with pictures: {output / 'report.html'}", file=sys.stderr)
    return 1 if evaluation.broken else 0


def _to_judge(folder: LabelledFolder) -> LabelledFolder:
    """The test pictures of a folder that is split, else all."""
    kept = [position for position, part in enumerate(folder.parts) if part == "test"]
    if not kept:
        return folder
    return replace(
        folder,
        index=replace(folder.index, files=tuple(folder.index.files[position] for position in kept)),
        labels=tuple(folder.labels[position] for position in kept),
        parts=tuple(folder.parts[position] for position in kept),
    )


def summary_lines(evaluation: Evaluation) -> list[str]:
    """The evaluation for a terminal of 80 columns."""
    lines = [f"{evaluation.model} on {evaluation.pictures:,} pictures"]
    lines.append(f"  top-1 accuracy     {_percent(evaluation.top1)}")
    if evaluation.top5 is not None:
        lines.append(f"  top-5 accuracy     {_percent(evaluation.top5)}")
    lines.append(f"  calibration error  {100 * evaluation.calibration_error:5.1f} %")
    lines.append(f"  suspected labels   {len(evaluation.suspects):5}")
    weakest = sorted(evaluation.per_class, key=lambda one: one.f1.value)
    title = "class, weakest first" if len(weakest) > WORST else "class"
    lines.append(f"{title:<26} {'pictures':>8}  precision   recall       F1 (95 %)")
    lines += [_class_line(one) for one in weakest[:WORST]]
    if len(weakest) > WORST:
        lines.append(f"  … and {len(weakest) - WORST} more in the report")
    return lines


def _class_line(one: ClassFigures) -> str:
    from rich.cells import set_cell_size

    interval = f"({100 * one.f1.low:.0f} to {100 * one.f1.high:.0f})"
    return (
        f"{set_cell_size(one.name, 26)} {one.pictures:8,}    {100 * one.precision.value:5.1f} %  "
        f"{100 * one.recall.value:5.1f} %  {100 * one.f1.value:5.1f} % {interval}"
    )


def _percent(share: Share) -> str:
    return f"{100 * share.value:5.1f} %  (95 %: {100 * share.low:.1f} to {100 * share.high:.1f})"


def write_page(path: Path, evaluation: Evaluation, folder: LabelledFolder) -> None:
    """The evaluation as a self-contained page with pictures."""
    from importlib.metadata import version

    from huanjing.reports import Series, line_chart, render_page

    filled = [one for one in evaluation.bins if one.count]
    chart = line_chart(
        [
            Series("this model", "此模型", [(one.confidence, one.accuracy) for one in filled]),
            Series("perfect", "理想", [(0.0, 0.0), (1.0, 1.0)]),
        ],
        x_en="probability given to the first answer",
        x_zh="首选答案的概率",
        dots=True,
    )
    render_page(
        path,
        "evaluate.html",
        version=version("huanjing"),
        evaluation=evaluation,
        folder=folder.index.root.resolve().name,
        reliability=chart,
        matrix=_matrix(evaluation),
        pairs=_pairs(evaluation),
        mistakes=[_shown(doubt, folder) for doubt in evaluation.mistakes],
        suspects=[_shown(doubt, folder) for doubt in evaluation.suspects],
    )


def _shown(doubt: Doubt, folder: LabelledFolder) -> dict[str, Any]:
    from huanjing.images import decode_file
    from huanjing.reports import picture_uri

    try:
        pixels = decode_file(folder.index.root / doubt.path, minimum_size=(240, 320))
        step = max(1, min(pixels.shape[0] // 240, pixels.shape[1] // 240))
        small = min(pixels.shape[:2]) < 100
        uri = picture_uri(pixels[::step, ::step, :3], photograph=not small)
    except PictureError:  # gone since it was recognised
        small, uri = False, ""
    return {"doubt": doubt, "picture": uri, "small": small}


def _matrix(evaluation: Evaluation) -> list[dict[str, Any]] | None:
    """Rows of the confusion matrix with shares for shading; None where there are too many classes."""
    if len(evaluation.classes) > CONFUSED:
        return None
    rows = []
    for name, row in zip(evaluation.classes, evaluation.confusion, strict=True):
        total = max(1, sum(row))
        rows.append({"name": name, "cells": [(count, round(100 * count / total)) for count in row]})
    return rows


def _pairs(evaluation: Evaluation) -> list[tuple[str, str, int]]:
    """The pairs most often confused: by label, by the model, how often."""
    pairs = [
        (evaluation.classes[i], evaluation.classes[j], count)
        for i, row in enumerate(evaluation.confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:PAIRS]

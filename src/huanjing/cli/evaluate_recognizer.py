"""``huanjing evaluate`` with a recogniser: how right it is on labelled pictures."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huanjing.cli.evaluate_generator import REPORT, wrapped
from huanjing.cli.language import Lang
from huanjing.cli.progress import progress_bar
from huanjing.errors import PictureError, UsageError

if TYPE_CHECKING:
    from huanjing.recognition.dataset import LabelledFolder
    from huanjing.recognition.evaluate import Caution, ClassFigures, Doubt, Evaluation
    from huanjing.recognition.novelty import Detection
    from huanjing.recognition.shares import Share
    from huanjing.runtime import Recognizer

CAUTIONS: dict[Caution, dict[Lang, str]] = {
    "learned": {
        "en": "Pictures that it learned from may be among these, which flatters it. A folder with train/ and test/ "
        "tells more.",
        "zh": "其中可能有它学习过的图片，结果会偏高。分成 train/ 和 test/ 的文件夹更能说明问题。",
    },
    "validation": {
        "en": "These are the folder's validation pictures. Training chooses by such, which flatters it a little; test/ "
        "would tell more.",
        "zh": "这些是文件夹里的验证图片。训练时会据此做选择，结果会略微偏高；有 test/ 更能说明问题。",
    },
}
WORST = 10
"""Classes that the summary on the terminal names."""
CONFUSED = 20
"""Classes up to which the page shows the whole confusion matrix; of more, the pairs most often confused."""
PAIRS = 30

WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "title": "{model} on {pictures} pictures",
        "top1": "top-1 accuracy", "top5": "top-5 accuracy", "calibration": "calibration error",
        "suspects": "suspected labels", "weakest": "class, weakest first", "class": "class",
        "pictures": "pictures", "precision": "precision", "recall": "recall",
        "more": "  … and {count} more in the report",
        "unlike": "told from {pictures} pictures of other things",
        "auroc": "AUROC", "fpr95": "FPR at 95 % TPR", "unknown": "called unknown",
        "refused": "{others:5.1f} %  of the others, {known:.1f} % of the known",
        "interval": "({low} to {high})", "interval95": "(95 %: {low} to {high})",
    },
    "zh": {
        "title": "{model}，{pictures} 张图片",
        "top1": "首选正确率", "top5": "前五正确率", "calibration": "校准误差",
        "suspects": "可疑标签", "weakest": "类别（由弱到强）", "class": "类别",
        "pictures": "图片数", "precision": "精确率", "recall": "召回率",
        "more": "  ……其余 {count} 类见报告",
        "unlike": "能否与 {pictures} 张其他内容的图片区分开",
        "auroc": "AUROC", "fpr95": "95 % TPR 时的 FPR", "unknown": "判为未知",
        "refused": "其他内容 {others:.1f} %，已知内容 {known:.1f} %",
        "interval": "({low}–{high})", "interval95": "（95 %：{low}–{high}）",
    },
}  # fmt: skip
"""What the summary says."""


def evaluate_recognizer(
    model: str, folder: Path, labels: Path | None, output: Path | None, unlike: Path | None, language: Lang
) -> int:
    """Measure a recogniser on labelled pictures, print a summary, write ``report.html`` and ``report.json``."""
    from huanjing.images import write_atomically
    from huanjing.recognition.dataset import label_folder
    from huanjing.recognition.evaluate import evaluate as measure
    from huanjing.runtime import Recognizer

    found = _to_judge(label_folder(folder, labels=labels))
    recognizer = Recognizer(model)
    with progress_bar() as report:
        evaluation = measure(recognizer, found, report, _pictures_in(unlike, recognizer))
    if recognizer.bundle.manifest.training.command and set(found.parts) != {"test"}:
        caution: Caution = "validation" if set(found.parts) == {"val"} else "learned"
        evaluation = replace(evaluation, caution=caution)
    output = output or Path("evaluation") / evaluation.model
    content = json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1) + "\n"
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / "report.json", content.encode(errors="backslashreplace"))
        write_page(output / "report.html", evaluation, found)
    except OSError as error:
        raise UsageError(f"{error.filename or output}: cannot be written: {error.strerror}") from None
    for line in summary_lines(evaluation, language):
        print(line)
    for path, reason in evaluation.broken:
        print(f"huanjing: {path}: {reason}", file=sys.stderr)
    print(f"{REPORT[language]}{output / 'report.html'}", file=sys.stderr)
    return 1 if evaluation.broken else 0


def _pictures_in(unlike: Path | None, recognizer: Recognizer) -> list[Path]:
    """The pictures of the folder of other things. :raises UsageError: where the model cannot tell them."""
    if unlike is None:
        return []
    from huanjing.datasets import index_folder
    from huanjing.runtime.novelty import load_novelty

    load_novelty(recognizer.bundle)
    folder = index_folder(unlike)
    return [folder.path(file) for file in folder.files]


def _to_judge(folder: LabelledFolder) -> LabelledFolder:
    """The test pictures of a folder that is split; where it has none, those to validate on; else all."""
    part = next((part for part in ("test", "val") if part in folder.parts), None)
    if part is None:
        return folder
    kept = [position for position, each in enumerate(folder.parts) if each == part]
    return replace(
        folder,
        index=replace(folder.index, files=tuple(folder.index.files[position] for position in kept)),
        labels=tuple(folder.labels[position] for position in kept),
        parts=tuple(folder.parts[position] for position in kept),
    )


def summary_lines(evaluation: Evaluation, language: Lang) -> list[str]:
    """The evaluation for a terminal of 80 columns."""
    words = WORDS[language]
    pictures = f"{evaluation.pictures:,}"
    figures = [("top1", _percent(evaluation.top1, words))]
    if evaluation.top5 is not None:
        figures.append(("top5", _percent(evaluation.top5, words)))
    figures.append(("calibration", f"{100 * evaluation.calibration_error:5.1f} %"))
    figures.append(("suspects", f"{len(evaluation.suspects):5}"))
    lines = [words["title"].format(model=evaluation.model, pictures=pictures), *_named(figures, words)]
    if evaluation.detection is not None:
        lines += _detection_lines(evaluation.detection, words)
    weakest = sorted(evaluation.per_class, key=lambda one: one.f1.value)
    title = words["weakest"] if len(weakest) > WORST else words["class"]
    heads = (words["pictures"], words["precision"], words["recall"], "F1")
    lines.append(f"{_columns(title, *heads)} (95 %)")
    chinese = evaluation.chinese if language == "zh" else {}
    lines += [_class_line(chinese.get(one.name, one.name), one, words) for one in weakest[:WORST]]
    if len(weakest) > WORST:
        lines.append(words["more"].format(count=len(weakest) - WORST))
    if evaluation.caution is not None:
        lines += wrapped(CAUTIONS[evaluation.caution][language], "! ")
    return lines


def _detection_lines(found: Detection, words: Mapping[str, str]) -> list[str]:
    refused = words["refused"].format(
        others=100 * found.unlike_refused.value, known=100 * found.known_refused.value
    )
    figures = [
        ("auroc", _percent(found.auroc, words)),
        ("fpr95", _percent(found.fpr95, words)),
        ("unknown", refused),
    ]
    return [words["unlike"].format(pictures=f"{found.unlike:,}"), *_named(figures, words)]


def _named(figures: Sequence[tuple[str, str]], words: Mapping[str, str]) -> list[str]:
    from rich.cells import set_cell_size

    return [f"  {set_cell_size(words[key], 19)}{text}" for key, text in figures]


def _class_line(name: str, one: ClassFigures, words: Mapping[str, str]) -> str:
    interval = words["interval"].format(low=f"{100 * one.f1.low:.0f}", high=f"{100 * one.f1.high:.0f}")
    shares = [f"{100 * share.value:.1f} %" for share in (one.precision, one.recall, one.f1)]
    return f"{_columns(name, f'{one.pictures:,}', *shares)} {interval}"


def _columns(name: str, pictures: str, precision: str, recall: str, f1: str) -> str:
    from rich.cells import cell_len, set_cell_size

    cells = ((pictures, 9), (precision, 11), (recall, 11), (f1, 10))
    return set_cell_size(name, 26) + "".join(
        " " * max(0, width - cell_len(text)) + text for text, width in cells
    )


def _percent(share: Share, words: Mapping[str, str]) -> str:
    return f"{100 * share.value:5.1f} %  " + words["interval95"].format(
        low=f"{100 * share.low:.1f}", high=f"{100 * share.high:.1f}"
    )


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
        caution=CAUTIONS[evaluation.caution] if evaluation.caution else None,
        folder=folder.index.root.resolve().name,
        reliability=chart,
        matrix=_matrix(evaluation),
        pairs=_pairs(evaluation),
        mistakes=[_shown(doubt, folder) for doubt in evaluation.mistakes],
        suspects=[_shown(doubt, folder) for doubt in evaluation.suspects],
    )


def _shown(doubt: Doubt, folder: LabelledFolder) -> dict[str, Any]:
    from huanjing.images import decode_file
    from huanjing.images.metadata import carried_xmp
    from huanjing.reports import picture_uri

    try:
        path = folder.index.root / doubt.path
        pixels = decode_file(path, minimum_size=(240, 320))
        step = max(1, min(pixels.shape[0] // 240, pixels.shape[1] // 240))
        small = min(pixels.shape[:2]) < 100
        uri = picture_uri(pixels[::step, ::step, :3], photograph=not small, xmp=carried_xmp(path))
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

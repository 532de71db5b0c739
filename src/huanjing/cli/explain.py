"""``huanjing explain``: where in a picture does the network see what it says?"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.cli.progress import Report, progress_bar
from huanjing.cli.startup import import_openvino_lightly
from huanjing.errors import ModelNotFoundError, PictureError, UsageError

if TYPE_CHECKING:
    from huanjing.recognition.explain import Explainer, Explanation

RECORD = "explain.json"
SHOWN_BOXES = 3
WORDS = {
    "en": {
        "cam": "class-activation map", "occlusion": "occlusion", "box": "{width}×{height} at ({x}, {y})",
        "share": "{percent:.0f} % of the heat", "nothing": "nothing in the picture speaks for it",
        "failed": "cannot be read",
    },
    "zh": {
        "cam": "类激活图", "occlusion": "遮挡法", "box": "({x}, {y}) 处 {width}×{height}",
        "share": "占热度的 {percent:.0f} %", "nothing": "图中没有支持该类别的区域", "failed": "无法读取",
    },
}  # fmt: skip


@click.command()
@click.argument("sources", metavar="PICTURE|FOLDER|GLOB|-...", nargs=-1, required=True)
@click.option(
    "--class",
    "classes",
    metavar="NAME_OR_INDEX",
    multiple=True,
    help="The class to look for: its name in English or Chinese, its id, or its number. May be given several times; "
    "the most probable class unless told.",
)
@click.option(
    "--top", "-k", type=click.IntRange(min=1), help="Explain the K most probable classes; 1 unless told."
)
@click.option("--model", metavar="NAME_OR_PATH", help="The model to use; the embedded one unless told.")
@click.option(
    "--method",
    type=click.Choice(["auto", "cam", "occlusion"]),
    default="auto",
    show_default=True,
    help="cam takes the network's own map, occlusion hides parts of the picture in turn; auto takes cam where it can.",
)
@click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="A new or empty folder for the pictures; explain, or explain-2, … unless told.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "jsonl"]),
    default="table",
    show_default=True,
    help="How to write the answers.",
)
@lang_option
def explain(
    sources: tuple[str, ...],
    classes: tuple[str, ...],
    top: int | None,
    model: str | None,
    method: Literal["auto", "cam", "occlusion"],
    output: Path | None,
    format_: str,
    lang: Lang | None,
) -> int:
    """Show where in pictures the network sees what it says.

    For each picture, FOLDER gets a PNG with the heat on the picture and boxes around the hot regions; explain.json
    holds their places in pixels. Exit status 1 means that some pictures could not be read; each is named.

    Example: huanjing explain cat-and-dog.jpg --class "tabby cat"
    """
    if classes and top is not None:
        raise UsageError(
            "--class and --top cannot stand together: the first names classes, the second counts them."
        )
    import_openvino_lightly()
    from huanjing.cli.sources import expand
    from huanjing.recognition.explain import Explainer, find_class

    language = resolve_language(lang, human=format_ == "table")
    found = expand(list(sources))
    try:
        explainer = Explainer(model, method=method)
    except ModelNotFoundError as error:
        from huanjing.recognition.presets import how_to_fetch

        raise ModelNotFoundError(how_to_fetch(model) or str(error)) from None
    wanted = [find_class(name, explainer.classes) for name in classes]
    folder = _new_folder(output)
    records: list[dict[str, Any]] = []
    failed = 0
    try:
        for path, answer in _explain_all(explainer, found.paths, found.total, wanted, top or 1, language):
            if isinstance(answer, PictureError):
                failed += 1
                print(f"huanjing: {path}: {answer.reason}", file=sys.stderr)
                some = [{"path": path, "error": answer.reason}]
            else:
                some = [_record(one, folder) for one in answer]
            records += some
            _tell(path, some, format_, language)
    finally:
        _write_record(folder, records)
    if format_ == "json":
        print(json.dumps(records, ensure_ascii=False, indent=1))
    print(f"{folder}/", file=sys.stderr)
    return 1 if failed else 0


def _explain_all(
    explainer: Explainer, paths: Any, total: int | None, wanted: list[int], top: int, language: Lang
) -> Iterator[tuple[str, list[Explanation] | PictureError]]:
    """Each path with its explanations, or with the error it met, under a bar."""
    with progress_bar() as report:
        for number, path in enumerate(paths):
            try:
                tell = _part_of(report, number, total)
                yield path, explainer.explain(path, wanted, top=top, language=language, on_progress=tell)
            except PictureError as error:
                yield path, error


def _part_of(report: Report, number: int, total: int | None) -> Report:
    """Progress in one picture as progress in all of them, counted in inferences."""

    def tell(done: int, of: int | None) -> None:
        of = of or 1
        report(number * of + done, None if total is None else total * of)

    return tell


def _new_folder(output: Path | None) -> Path:
    """The folder to write into: new, or empty, so that nothing of anybody's is written over.

    :raises UsageError: where ``output`` is not, or cannot be made.
    """
    number = 1
    folder = output or Path("explain")
    while output is None and folder.exists():
        number += 1
        folder = Path(f"explain-{number}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(
                f"--output {folder}: is not empty. Name a new folder, so that nothing is written over."
            )
    except OSError as error:
        raise UsageError(f"--output {folder}: cannot be used: {error.strerror}") from None
    return folder


def _record(explanation: Explanation, folder: Path) -> dict[str, Any]:
    """Draw one explanation into ``folder``; what is said of it."""
    from huanjing.images import encode_png, write_atomically
    from huanjing.recognition.explain_overlay import overlay

    path = _free(folder, f"{Path(explanation.path).stem}.{_plain(explanation.label.name)}")
    write_atomically(path, encode_png(overlay(explanation)))
    return explanation.to_dict() | {"overlay": str(path), "error": None}


def _free(folder: Path, stem: str) -> Path:
    """A name that no picture in ``folder`` bears yet: pictures of different folders may be called the same."""
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.png"
    return path


def _plain(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-") or "class"


def _write_record(folder: Path, records: list[dict[str, Any]]) -> None:
    from huanjing.images import write_atomically

    content = json.dumps(records, ensure_ascii=False, indent=1) + "\n"
    write_atomically(folder / RECORD, content.encode(errors="backslashreplace"))


def _tell(path: str, records: list[dict[str, Any]], format_: str, language: Lang) -> None:
    if format_ == "jsonl":
        for record in records:
            print(json.dumps(record, ensure_ascii=False))
    elif format_ == "table":
        print(path)
        for record in records:
            print("\n".join(_lines(record, WORDS[language])))


def _lines(record: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    if record["error"] is not None:
        yield f"  {words['failed']}"
        return
    label = record["label"]
    yield f"  {100 * label['probability']:5.1f} %  {label['name']} ({words[record['method']]})"
    if not record["boxes"]:
        yield f"           {words['nothing']}"
    for box in record["boxes"][:SHOWN_BOXES]:
        share = words["share"].format(percent=100 * box["share"])
        yield f"           {words['box'].format(**box)}, {share}"
    yield f"           {record['overlay']}"

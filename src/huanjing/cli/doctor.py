"""``huanjing doctor``: what is wrong with this folder of pictures?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.cli.progress import progress_bar
from huanjing.errors import UsageError

if TYPE_CHECKING:
    from huanjing.datasets.findings import Finding, Report

EXAMPLES = 3
"""Files that the summary names of each kind of finding; the JSON has all."""
CLASSES = 12
"""Classes whose numbers it shows."""
WIDTH = 80
WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        ":": ": ",
        ",": ", ",
        "pictures": "{:,} pictures",
        "passed": ", other files passed over: {:,}",
        "classes": "{:,} classes",
        "more": " and {:,} more",
        "error": "error",
        "warning": "warning",
        "note": "note",
        "file": "file",
        "clean": "Nothing is wrong with it.",
        "exclude": "{} that training is better off without: see --exclude-list.",
    },
    "zh": {
        ":": "：",
        ",": "，",
        "pictures": "{:,} 张图片",
        "passed": "，另跳过 {:,} 个其他文件",
        "classes": "{:,} 个类别",
        "more": " 等，另有 {:,} 个",
        "error": "错误",
        "warning": "警告",
        "note": "提示",
        "file": "文件",
        "clean": "没有发现问题。",
        "exclude": "建议训练时排除 {}：见 --exclude-list。",
    },
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True,
    help="A summary to read, or all findings with all their files.",
)  # fmt: skip
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file instead."
)
@click.option(
    "--exclude-list",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write the files that training is better off without, one a line, relative to FOLDER.",
)
@lang_option
def doctor(
    folder: Path, format_: str, output: Path | None, exclude_list: Path | None, lang: Lang | None
) -> int:
    """Look for what is wrong with a folder of pictures, before hours are spent on it.

    Finds pictures that cannot be read, that are there twice, in two classes, or in training and test data at once;
    tiny, blank and oddly shaped ones; classes that are too small. Class folders and train/ val/ test/ are known by
    their names. Nothing is ever changed. Exit status 1 means that there are errors.

    Example: huanjing doctor holiday/ --exclude-list exclude.txt
    """
    from huanjing.cli.answers import open_output
    from huanjing.datasets.doctor import examine
    from huanjing.images import write_atomically

    with progress_bar() as report_progress:
        report = examine(folder, on_progress=report_progress)
    with open_output(output) as stream:
        if format_ == "json":
            print(json.dumps(report.to_dict(), ensure_ascii=False, indent=1), file=stream)
        else:
            print("\n".join(_summary(report, resolve_language(lang, human=True))), file=stream)
    if exclude_list is not None:
        # A line that begins with # is a remark to who reads the list, and spaces at its ends do not count.
        lines = "".join(f"./{name}\n" if name[0] in "# " else f"{name}\n" for name in report.exclude)
        try:
            write_atomically(exclude_list, lines.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise UsageError(f"--exclude-list {exclude_list}: cannot be written: {error.strerror}") from None
    return 1 if report.count("error") else 0


def _summary(report: Report, language: Lang) -> Iterator[str]:
    words = WORDS[language]
    passed = words["passed"].format(report.others) if report.others else ""
    yield f"{report.folder}{words[':']}{words['pictures'].format(report.pictures)}{passed}"
    if report.splits:
        yield "  " + words[","].join(f"{name} {count:,}" for name, count in report.splits.items())
    if report.classes:
        counts = words[","].join(
            f"{name} {count:,}" for name, count in list(report.classes.items())[:CLASSES]
        )
        hidden = len(report.classes) - CLASSES
        more = words["more"].format(hidden) if hidden > 0 else ""
        yield from _wrapped(f"{words['classes'].format(len(report.classes))}{words[':']}{counts}{more}", "  ")
    for code, findings in groupby(report.findings, key=lambda finding: finding.code):
        yield ""
        yield from _of_one_kind(code, list(findings), language)
    yield ""
    counted = [(report.count(severity), words[severity]) for severity in ("error", "warning", "note")]
    said = words[","].join(_counted(count, name, language) for count, name in counted if count)
    yield said or words["clean"]
    if report.exclude:
        yield words["exclude"].format(_counted(len(report.exclude), words["file"], language))


def _of_one_kind(code: str, findings: list[Finding], language: Lang) -> Iterator[str]:
    words, kind = WORDS[language], findings[0].kind
    title, advice = (kind.title_zh, kind.advice_zh) if language == "zh" else (kind.title, kind.advice)
    count = f" ({len(findings):,})" if len(findings) > 1 else ""
    yield from _wrapped(f"{words[kind.severity]}{words[':']}{title}{count} [{code}]", "")
    for finding in findings[:EXAMPLES]:
        names = finding.files[:EXAMPLES]
        hidden = len(finding.files) - len(names)
        where = ", ".join(names) + (words["more"].format(hidden) if hidden else "")
        yield from _wrapped(words[":"].join(part for part in (where, finding.detail) if part), "    ")
    if len(findings) > EXAMPLES:
        yield "    " + words["more"].format(len(findings) - EXAMPLES).strip()
    yield from _wrapped(f"→ {advice}", "  ")


def _counted(count: int, name: str, language: Lang) -> str:
    if language == "zh":
        return f"{count:,} 个{name}"
    return f"{count:,} {name}{'s' if count != 1 else ''}"


def _wrapped(text: str, margin: str) -> list[str]:
    """Lines of at most WIDTH terminal cells, of which a Chinese character takes two."""
    from rich.console import Console
    from rich.text import Text

    printable = "".join(character if character.isprintable() else "?" for character in text)
    lines = Text(printable).wrap(Console(), WIDTH - len(margin) - 2)
    return [f"{margin}{'  ' if k else ''}{line.plain.rstrip()}" for k, line in enumerate(lines)]

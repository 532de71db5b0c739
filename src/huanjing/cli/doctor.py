"""``huanjing doctor``: what is wrong with this folder of pictures?"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from huanjing.cli.progress import progress_bar
from huanjing.errors import UsageError

if TYPE_CHECKING:
    from huanjing.datasets.findings import Finding, Report

EXAMPLES = 3
"""Files that the summary names of each kind of finding; the JSON has all."""
WIDTH = 80


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
def doctor(folder: Path, format_: str, output: Path | None, exclude_list: Path | None) -> int:
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
            print("\n".join(_summary(report)), file=stream)
    if exclude_list is not None:
        lines = "".join(f"{name}\n" for name in report.exclude)
        try:
            write_atomically(exclude_list, lines.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise UsageError(f"--exclude-list {exclude_list}: cannot be written: {error.strerror}") from None
    return 1 if report.count("error") else 0


def _summary(report: Report) -> Iterator[str]:
    yield f"{report.folder}: {report.pictures:,} pictures" + (
        f", {report.others:,} other files passed over" if report.others else ""
    )
    if report.splits:
        yield "  " + ", ".join(f"{name} {count:,}" for name, count in report.splits.items())
    if report.classes:
        counts = ", ".join(f"{name} {count:,}" for name, count in list(report.classes.items())[:12])
        more = f" and {len(report.classes) - 12:,} more" if len(report.classes) > 12 else ""
        yield from _wrapped(f"{len(report.classes):,} classes: {counts}{more}", "  ")
    for code, findings in groupby(report.findings, key=lambda finding: finding.code):
        yield ""
        yield from _of_one_kind(code, list(findings))
    yield ""
    counted = [
        (report.count("error"), "error"),
        (report.count("warning"), "warning"),
        (report.count("note"), "note"),
    ]
    said = ", ".join(f"{count:,} {name}{'s' if count != 1 else ''}" for count, name in counted if count)
    yield said or "Nothing is wrong with it."
    if report.exclude:
        files = "1 file" if len(report.exclude) == 1 else f"{len(report.exclude):,} files"
        yield f"{files} that training is better off without: see --exclude-list."


def _of_one_kind(code: str, findings: list[Finding]) -> Iterator[str]:
    kind = findings[0].kind
    count = f" ({len(findings):,})" if len(findings) > 1 else ""
    yield from _wrapped(f"{kind.severity}: {kind.title}{count} [{code}]", "")
    for finding in findings[:EXAMPLES]:
        names = finding.files[:EXAMPLES]
        more = len(finding.files) - len(names)
        where = ", ".join(names) + (f" and {more:,} more" if more else "")
        yield from _wrapped(": ".join(part for part in (where, finding.detail) if part), "    ")
    if len(findings) > EXAMPLES:
        yield f"    and {len(findings) - EXAMPLES:,} more"
    yield from _wrapped(f"→ {kind.advice}", "  ")


def _wrapped(text: str, margin: str) -> list[str]:
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return textwrap.wrap(
        printable, WIDTH, initial_indent=margin, subsequent_indent=margin + "  ", break_on_hyphens=False
    )

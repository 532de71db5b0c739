"""``huanjing inspect``: what picture files declare about where they came from."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from huanjing.cli.language import lang_option, resolve_language
from huanjing.errors import PictureError

if TYPE_CHECKING:
    from huanjing.cli.language import Lang
    from huanjing.runtime.declared import Declared

_ANSWERS = {
    "yes": {"en": "says it was generated", "zh": "声明由模型生成"},
    "partly": {"en": "says a part of it was generated", "zh": "声明部分由模型生成"},
    "possibly": {"en": "says it may have been generated", "zh": "声明可能由模型生成"},
    "edited": {"en": "says a model enhanced it", "zh": "声明经算法增强"},
    "no": {"en": "says it was not generated", "zh": "声明并非模型生成"},
    "unsaid": {"en": "does not say (which proves nothing)", "zh": "没有声明（不能说明任何问题）"},
}
_FIELDS = {
    "model": {"en": "model", "zh": "模型"},
    "digest": {"en": "its SHA-256", "zh": "模型 SHA-256"},
    "seeds": {"en": "seeds", "zh": "种子"},
    "details": {"en": "details", "zh": "其他参数"},
    "tool": {"en": "program", "zh": "程序"},
    "source": {"en": "IPTC source", "zh": "IPTC 来源类型"},
    "label": {"en": "AIGC label", "zh": "AIGC 隐式标识"},
    "c2pa": {"en": "C2PA", "zh": "C2PA"},
    "parameters": {"en": "parameters", "zh": "生成参数"},
    "unreadable": {"en": "cannot be read", "zh": "无法读取"},
    "present": {"en": "Content Credentials are there, unchecked", "zh": "含内容凭证，未验证"},
}
_SHOWN = 300
"""Characters of another program's parameters that the table shows; JSON has all."""


@click.command()
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
@lang_option
def inspect(pictures: tuple[str, ...], format_: str, lang: Lang | None) -> int:
    """Read back what pictures and MP4 films say about where they came from.

    Huanjing's marks and other programs': IPTC's DigitalSourceType, the AIGC label of GB 45438-2025, the parameters
    that Stable Diffusion programs keep, and whether there are Content Credentials (C2PA). Files, folders or patterns.

    Example: huanjing inspect generated/seed-00000007.png downloads/*.jpg
    """
    from rich.console import Console

    from huanjing.cli.sources import expand
    from huanjing.images import PICTURE_SUFFIXES
    from huanjing.images.metadata import FILM_SUFFIXES
    from huanjing.runtime.declared import Declared, read_declared

    console = Console(highlight=False, soft_wrap=True)
    language = resolve_language(lang, human=format_ == "table")
    found: list[Declared] = []
    failed = False
    for path in expand(list(pictures), PICTURE_SUFFIXES | FILM_SUFFIXES).paths:
        try:
            each = read_declared(path)
        except PictureError as error:
            failed = True
            each = Declared(path, error=error.reason)
            print(f"huanjing: {error}", file=sys.stderr)
        if format_ == "json":
            found.append(each)
        elif each.error is None:
            _show(each, language, console.width)
    if format_ == "json":
        print(json.dumps([each.to_dict() for each in found], ensure_ascii=False, indent=1))
    return 1 if failed else 0


def _show(each: Declared, language: Lang, width: int) -> None:
    from rich.cells import cell_len

    print(f"{each.path}  ({each.format}, {each.width} × {each.height})")
    print(f"  {_ANSWERS[each.generated][language]}")
    rows = _rows(each, language)
    indent = max((cell_len(_FIELDS[key][language]) for key, _ in rows), default=0) + 4
    for key, value in rows:
        name = _FIELDS[key][language]
        lines = _wrap(value, max(20, width - indent))
        print(f"  {name}{' ' * (indent - 2 - cell_len(name))}{lines[0]}")
        for line in lines[1:]:
            print(" " * indent + line)


def _rows(each: Declared, language: Lang) -> list[tuple[str, str]]:
    """What there is to show, in order: the field and its value, fit for a terminal."""
    rows = [] if each.record is None else _record_rows(each.record)
    if each.tool:
        rows.append(("tool", each.tool))
    if each.digital_source_type:
        rows.append(("source", each.digital_source_type.rpartition("/")[2]))
    if each.label is not None:
        rows.append(("label", ", ".join(f"{key} {value}" for key, value in _telling(each.label).items())))
    if each.c2pa:
        rows.append(("c2pa", _FIELDS["present"][language]))
    for key, value in each.parameters.items():
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
        rows.append(("parameters", f"{key}: {shown}"))
    return [(key, "".join(c if c.isprintable() else " " for c in value)) for key, value in rows]


def _record_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Huanjing's own record: model and seeds first."""
    rest = {key: value for key, value in record.items() if key not in {"generated", "version"}}
    rows = []
    for key, name in (("model", "model"), ("digest", "model_sha256"), ("seeds", "seeds")):
        if name in rest:
            value = str(rest.pop(name))
            rows.append((key, f"{value[:16]}…" if key == "digest" else value))
    if rest:
        rows.append(("details", ", ".join(f"{key} {_plain(value)}" for key, value in rest.items())))
    return rows


def _telling(label: dict[str, Any]) -> dict[str, Any]:
    """The label without what is empty, or repeats the producer's elements for want of anybody who passed it on."""
    kept = {key: value for key, value in label.items() if value}
    for passed, made in (("ContentPropagator", "ContentProducer"), ("PropagateID", "ProduceID")):
        if kept.get(passed) == kept.get(made):
            kept.pop(passed, None)
    return kept


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` terminal cells, broken at spaces where there are any."""
    from rich.console import Console
    from rich.text import Text

    lines = Text(text).wrap(Console(width=width), width)
    return [line.plain.rstrip() for line in lines] or [""]

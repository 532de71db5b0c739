"""The language in which a command speaks of pictures: English or Chinese."""

from __future__ import annotations

import os
from typing import Literal

import click

Lang = Literal["en", "zh"]

lang_option = click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    help="Language of names. Unless told, a table follows the system, other formats are English.",
)


def resolve_language(chosen: Lang | None, *, human: bool) -> Lang:
    """The language to use: the one chosen; else, for what a person reads, the system's; else English."""
    if chosen is not None:
        return chosen
    if not human:
        return "en"
    system = next((value for key in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(key))), "")
    return "zh" if system.lower().startswith("zh") else "en"

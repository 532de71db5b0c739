"""Options that several commands have alike."""

from __future__ import annotations

import math
from typing import Any

import click


class Between(click.FloatRange):
    """A number within bounds. Click's own range lets ``nan`` pass, which no comparison finds to be outside."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


model_option = click.option(
    "--model", metavar="NAME_OR_PATH", help="The model to use; the embedded one unless told."
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to write the answer.",
)

"""Options that several commands have alike."""

from __future__ import annotations

import click

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

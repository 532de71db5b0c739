"""The command line: one file per command, heavy imports inside the command that needs them."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import click

from huanjing.cli.demo import demo
from huanjing.cli.directions import directions
from huanjing.cli.doctor import doctor
from huanjing.cli.evaluate import evaluate
from huanjing.cli.explain import explain
from huanjing.cli.export import export
from huanjing.cli.generate import generate
from huanjing.cli.inspect import inspect
from huanjing.cli.mix import mix
from huanjing.cli.models import models
from huanjing.cli.project import project
from huanjing.cli.recognize import recognize
from huanjing.cli.search import search
from huanjing.cli.train import train
from huanjing.errors import HuanjingError, UsageError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="huanjing", message="huanjing %(version)s")
def app() -> None:
    """Huanjing (幻境) sees pictures and creates them, offline, on the machine you have."""


for command in (
    recognize,
    generate,
    project,
    mix,
    directions,
    inspect,
    train,
    models,
    demo,
    search,
    doctor,
    explain,
    evaluate,
    export,
):
    app.add_command(command)


def run() -> None:
    """Run the command line and exit: 0 done, 1 some inputs failed, 2 wrong usage, 130 interrupted."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A file's name may have bytes that are no text: that is no reason to lose what was found out about it.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        # Not app(): it would turn a reader that leaves into an error of ours.
        with app.make_context("huanjing", sys.argv[1:]) as context:
            status = app.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except HuanjingError as error:
        print(f"huanjing: {error}", file=sys.stderr)
        status = 2 if isinstance(error, UsageError) else 1
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("huanjing: interrupted", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        # Whoever read our output has left (`huanjing recognize . | head`): that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status or 0)

"""The command line as a whole."""

import subprocess
import sys

import pytest

from .test_recognize import huanjing


def test_help_lists_the_commands() -> None:
    done = huanjing("--help")
    assert done.returncode == 0
    for command in ("recognize", "generate", "train", "evaluate", "models", "search", "doctor", "demo"):
        assert command in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["recognize"],
        ["generate"],
        ["train", "generator"],
        ["train", "recognizer"],
        ["evaluate"],
        ["search"],
        ["doctor"],
        ["demo"],
    ],
)
def test_every_command_explains_itself_with_an_example(command: list[str]) -> None:
    done = huanjing(*command, "--help")
    assert done.returncode == 0
    assert "Example: huanjing " + " ".join(command) in done.stdout


def test_version() -> None:
    assert huanjing("--version").stdout.startswith("huanjing 0.")


def test_an_unknown_command_ends_with_2() -> None:
    done = huanjing("recognise")
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; import huanjing.cli;"
        "print(sorted({'numpy', 'PIL', 'openvino', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"

"""Nothing tells anybody over the network that OpenVINO is used: whatever part of Huanjing imports it first."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import huanjing
from huanjing.runtime import silent

SOURCES = Path(huanjing.__file__).parent

WATCHED = """
import openvino_telemetry.utils.sender as sender
sent = []
sender.TelemetrySender.send = lambda self, *rest: sent.append(rest)
{first}
import sys
assert "openvino" in sys.modules
print(sent)
"""


@pytest.mark.parametrize(
    "first",
    [
        "import huanjing.runtime.silent",
        "import huanjing; huanjing.Recognizer()",
        "import huanjing.recognition.trained_bundle",
        "import huanjing.recognition.search",
        "import huanjing.datasets.doctor",
        "from huanjing.cli.startup import import_openvino_lightly as light; light()",
        "import huanjing.recognition.explain",
    ],
)
def test_importing_is_not_reported(first: str, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.format(first=first)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout == "[]\n"
    assert not (tmp_path / "intel").exists()


def test_a_plain_import_would_be_reported(tmp_path: Path) -> None:
    """What the others rely on: the watch sees a report where there is one."""
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.format(first="import openvino")],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout != "[]\n"


@pytest.mark.training
def test_the_converter_finds_tensorflow_on_every_python() -> None:
    import tensorflow as tf
    from openvino.frontend.tensorflow import utils

    with silent.converting():
        assert utils.get_environment_setup("tf")["tensorflow"] == tf.__version__
    assert "exec" not in vars(utils)


def test_only_one_module_imports_openvino() -> None:
    """Others take it from there; its parts may be imported where it has come in that way before."""
    importing = set()
    for path in SOURCES.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = any(
            isinstance(node, ast.ImportFrom) and node.module == "huanjing.runtime.silent"
            for node in tree.body
        )
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            if any(name == "openvino" or (name.startswith("openvino.") and not silent) for name in names):
                importing.add(path.relative_to(SOURCES).as_posix())
    assert importing == {"runtime/silent.py"}

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from huanjing.cli.export import export
from huanjing.errors import ModelNotFoundError
from tests.export.networks import be_brief, tiny_recognizer


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    be_brief(monkeypatch)


@pytest.mark.parametrize(("language", "word"), [("en", "same first class"), ("zh", "首选类别一致")])
def test_it_says_where_the_file_is_and_how_it_agrees(language: str, word: str, tmp_path: Path) -> None:
    tiny_recognizer(tmp_path / "tiny")
    words = [str(tmp_path / "tiny"), "--to", "onnx", "-o", str(tmp_path / "out"), "--lang", language]
    result = CliRunner().invoke(export, words)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "out" / "tiny.onnx")
    assert f"{word}  " in result.stderr
    assert "100.0 %" in result.stderr
    assert "onnxruntime" in result.stderr
    lines = result.stderr.splitlines()
    assert max(cell_len(line) for line in lines if str(tmp_path) not in line) <= 80
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["precision"] == "fp16"


def test_the_folder_is_named_by_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_recognizer(tmp_path / "tiny")
    result = CliRunner().invoke(export, ["tiny", "--to", "openvino", "--precision", "fp32"])
    assert result.exit_code == 0, result.output
    assert Path("exports/tiny-openvino-fp32/graph.xml").is_file()
    assert Path("exports/tiny-openvino-fp32/model.json").is_file()


def test_a_model_that_is_not_here() -> None:
    with pytest.raises(ModelNotFoundError, match="huanjing models list"):
        CliRunner().invoke(export, ["nowhere", "--to", "onnx"], catch_exceptions=False)

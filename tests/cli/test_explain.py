"""``huanjing explain`` as somebody at a shell meets it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from huanjing.cli.explain import explain
from huanjing.errors import UsageError


def run(*words: object) -> Result:
    return CliRunner().invoke(
        explain, [str(word) for word in words], standalone_mode=False, catch_exceptions=False
    )


@pytest.fixture
def folder(tmp_path: Path, espresso: Path, bison: Path) -> Path:
    """Two pictures of one name at two depths, one that is broken."""
    place = tmp_path / "holiday"
    (place / "day 2").mkdir(parents=True)
    shutil.copy(espresso, place / "img.jpg")
    shutil.copy(bison, place / "day 2" / "img.jpg")
    (place / "img3.jpg").write_bytes(espresso.read_bytes()[:3000])
    return place


def test_each_picture_gets_an_overlay_and_its_boxes(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    before = sorted(folder.rglob("*"))
    result = run(folder, "--output", output, "--lang", "en")
    assert result.return_value == 1
    assert "img3.jpg" in result.stderr
    assert max(len(line) for line in result.stdout.splitlines() if str(tmp_path) not in line) <= 80
    records = json.loads((output / "explain.json").read_text(encoding="utf-8"))
    assert [bool(record.get("error")) for record in records] == [False, False, True]
    bison, espresso = records[:2]
    assert (bison["label"]["name"], espresso["label"]["name"]) == ("bison", "espresso")
    for record in (bison, espresso):
        assert {"path", "width", "height", "label", "method", "seen", "map", "boxes", "overlay"} < set(record)
        assert set(record["boxes"][0]) == {"x", "y", "width", "height", "share", "mean_heat"}
        with Image.open(record["overlay"]) as opened:
            assert opened.size == (record["width"], record["height"])
    assert sorted(folder.rglob("*")) == before


def test_pictures_of_one_name_do_not_write_over_each_other(folder: Path, tmp_path: Path) -> None:
    run(folder / "img.jpg", folder / "day 2" / "img.jpg", "--class", "espresso", "--output", tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["explain.json", "img.espresso-2.png", "img.espresso.png"]


def test_the_default_folder_is_a_new_one(
    espresso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "explain").mkdir()
    (tmp_path / "explain" / "mine.txt").write_text("mine")
    run(espresso)
    assert [path.name for path in (tmp_path / "explain").iterdir()] == ["mine.txt"]
    assert (tmp_path / "explain-2" / "explain.json").is_file()
    with pytest.raises(UsageError, match="not empty"):
        run(espresso, "--output", "explain")


def test_json_and_chinese(espresso: Path, tmp_path: Path) -> None:
    words = [espresso, "--format", "json", "--top", 2, "--lang", "zh", "--output", tmp_path / "out"]
    answers = json.loads(run(*words).stdout)
    assert answers[0]["label"]["name"] == "意式浓缩咖啡"
    assert len(answers) == 2
    table = run(espresso, "--class", "意式浓缩咖啡", "--lang", "zh", "--output", tmp_path / "table").stdout
    assert "类激活图" in table
    assert "占热度的" in table


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--class", "espresso", "--top", "2"], "cannot stand together"),
        (["--class", "expresso"], "espresso"),
        (["--model", "vgg16"], "models fetch vgg16"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_written(
    words: list[str], says: str, espresso: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says):
        run(espresso, *words, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_explaining_never_imports_tensorflow(espresso: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from huanjing.cli.explain import explain;"
        "explain(sys.argv[1:], standalone_mode=False);"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    words = [sys.executable, "-c", program, str(espresso), "--output", str(tmp_path / "out")]
    subprocess.run(words, check=True, capture_output=True)

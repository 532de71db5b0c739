"""``huanjing evaluate`` with a generator."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from rich.cells import cell_len

from huanjing.cli.evaluate import evaluate
from huanjing.datasets import clothing_folder
from huanjing.errors import BundleError, DatasetError, UsageError

COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four boots to learn from and as many others."""
    place = tmp_path_factory.mktemp("clothing") / "boots"
    for part in ("train", "test"):
        (place / part).mkdir(parents=True)
        for file in sorted((clothing_folder() / part / "ankle-boot").iterdir())[:24]:
            (place / part / file.name).write_bytes(file.read_bytes())
    return place


def run(*words: object) -> Result:
    return CliRunner().invoke(evaluate, [str(word) for word in words], standalone_mode=False)


@pytest.mark.parametrize(("language", "title"), [("en", "12 held-out ones"), ("zh", "12 张留出的真实图片")])
def test_it_says_how_good_the_generator_is_and_shows_it(
    folder: Path, tmp_path: Path, language: str, title: str
) -> None:
    words = ("clothing-28", folder, "-n", COUNT, "--seed", 5, "--lang", language, "-o", tmp_path / "out")
    result = run(*words)
    assert result.return_value == 0, result.output
    lines = result.stdout.splitlines()
    assert title in lines[0]
    assert max(map(cell_len, lines)) <= 80
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["model"] == "clothing-28"
    scores = {score["metric"]: score for score in report["scores"]}
    assert scores["frechet"]["name"] == "frechet_lite0_12_test"
    assert scores["frechet"]["real"]["value"] < scores["frechet"]["generated"]["value"]
    assert scores["frechet"]["generated"]["value"] < scores["frechet"]["noise"]["value"]
    assert {warning["code"] for warning in report["warnings"]} >= {"few_pictures", "other_training_pictures"}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "frechet_lite0_12_test" in page
    assert re.search(r"0\.\d\d · \d{5}\.png", page)


def test_one_folder_is_what_it_was_trained_on(folder: Path, tmp_path: Path) -> None:
    result = run("clothing-28", folder / "train", "-n", COUNT, "-o", tmp_path / "out", "--lang", "en")
    assert "12 generated pictures beside 12 training ones" in result.stdout
    assert "No pictures were held out" in result.stdout


def test_a_broken_picture_is_named_and_the_rest_is_measured(folder: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).symlink_to(folder / part)
    (tmp_path / "test").unlink()
    (tmp_path / "test").mkdir()
    for file in (folder / "test").iterdir():
        (tmp_path / "test" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "test" / "broken.png").write_bytes(b"none")
    result = run("clothing-28", tmp_path, "-n", COUNT, "-o", tmp_path / "out")
    assert result.return_value == 1
    assert "broken.png" in result.stderr


def test_what_cannot_be_is_refused(folder: Path, tmp_path: Path) -> None:
    for words, error, message in (
        (("clothing-28", folder, "--labels", "x.csv"), UsageError, "--labels: is for a recogniser"),
        (("efficientnet-lite0", folder, "-n", "50"), UsageError, "--count: is for a generator"),
        (("clothing-28", folder, "--features", "a", "--inception", "b"), UsageError, "give one of them"),
        (("clothing-28", folder, "--inception", tmp_path / "none.pth"), UsageError, "no such file"),
        (("clothing-28", folder, "--features", "clothing-28"), BundleError, "a recognizer is needed"),
        (("clothing-28", tmp_path), DatasetError, "holds no pictures"),
    ):
        result = run(*words)
        assert isinstance(result.exception, error), result.output
        assert message in str(result.exception)
    (tmp_path / "test").mkdir()
    Image.new("L", (28, 28)).save(tmp_path / "test" / "one.png")
    assert "and no train/" in str(run("clothing-28", tmp_path).exception)

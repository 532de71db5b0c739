from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from huanjing.bundle import find_model
from huanjing.cli.evaluate import evaluate
from huanjing.datasets import photographs
from huanjing.errors import ModelNotFoundError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Parts of two photographs, one of them under the wrong name."""
    for name, file in (("espresso", "espresso.jpg"), ("bison", "american-bison.jpg")):
        with Image.open(next(one.path for one in photographs() if one.file == file)) as opened:
            picture = opened.convert("RGB")
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(3):
            margin = 8 * number
            box = (margin, margin, picture.width - margin, picture.height - margin)
            picture.crop(box).save(tmp_path / "set" / name / f"{number}.jpg")
    (tmp_path / "set" / "bison" / "2.jpg").rename(tmp_path / "set" / "espresso" / "really-a-bison.jpg")
    return tmp_path / "set"


def test_it_says_how_good_the_model_is_and_shows_it(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "report"
    result = CliRunner().invoke(evaluate, ["efficientnet-lite0", str(folder), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "top-1 accuracy      83.3 %" in result.stdout
    assert "espresso" in result.stdout, "and no number of a class"
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert report["top1"]["value"] == pytest.approx(5 / 6)
    assert report["mistakes"][0]["path"] == "espresso/really-a-bison.jpg"
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "espresso/really-a-bison.jpg" in page
    assert "data:image/jpeg" in page
    assert "意式浓缩咖啡" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_broken_picture_is_named_and_the_rest_is_measured(folder: Path, tmp_path: Path) -> None:
    (folder / "bison" / "broken.jpg").write_bytes(b"none")
    words = ["efficientnet-lite0", str(folder), "-o", str(tmp_path / "report")]
    result = CliRunner().invoke(evaluate, words, standalone_mode=False)
    assert result.return_value == 1
    assert "bison/broken.jpg" in result.stderr


@pytest.mark.parametrize(
    ("part", "said"), [("", "learned from may be among these"), ("val", "validation pictures"), ("test", "")]
)
def test_pictures_that_it_may_have_learned_from_are_no_proof(
    folder: Path, tmp_path: Path, part: str, said: str
) -> None:
    model = tmp_path / "model"
    shutil.copytree(find_model(None, "recognizer").folder, model)
    manifest = json.loads((model / "model.json").read_text(encoding="utf-8"))
    manifest["training"]["command"] = "huanjing train recognizer set"
    (model / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    if part:
        shutil.copytree(folder, tmp_path / "whole" / "Train")
        folder = folder.rename(tmp_path / "whole" / part).parent
    output = tmp_path / "report"
    result = CliRunner().invoke(evaluate, [str(model), str(folder), "-o", str(output), "--lang", "en"])
    assert "on 6 pictures" in result.stdout, result.output
    cautions = [line for line in result.stdout.splitlines() if line.startswith("! ")]
    page = (output / "report.html").read_text(encoding="utf-8")
    assert bool(cautions) == bool(said) == ('<div class="remarks">' in page)
    if said:
        assert said in cautions[0]
        assert said in page


def test_a_name_that_is_no_models_is_said_before_anything_else(folder: Path) -> None:
    result = CliRunner().invoke(evaluate, ["clothing-82", str(folder), "-n", "12"], standalone_mode=False)
    assert isinstance(result.exception, ModelNotFoundError)


def test_only_the_test_part_counts(folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    folder.rename(whole / "test")
    for name in ("espresso", "bison"):
        (whole / "train" / name).mkdir(parents=True)
        Image.new("RGB", (30, 30)).save(whole / "train" / name / "black.png")
    result = CliRunner().invoke(evaluate, ["efficientnet-lite0", str(whole), "-o", str(tmp_path / "report")])
    assert "on 6 pictures" in result.stdout, result.output

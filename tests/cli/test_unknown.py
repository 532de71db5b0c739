"""A recogniser of one's own that says "I don't know": trained, asked and measured by the commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner, Result
from PIL import Image

from huanjing.bundle import load_bundle
from huanjing.cli.evaluate import evaluate
from huanjing.cli.recognize import recognize
from huanjing.cli.train_recognizer import recognizer
from huanjing.datasets import photographs
from huanjing.errors import UsageError

KNOWN = {"bison": "american-bison.jpg", "castle": "castle.jpg", "coffee": "espresso.jpg"}
OTHERS = ("kingfisher.jpg", "rocket.jpg", "citrus-fruits.jpg")


def run(command: Command, *words: object) -> Result:
    return CliRunner().invoke(
        command, [str(word) for word in words], standalone_mode=False, catch_exceptions=False
    )


def parts_of(file: str, folder: Path, count: int, first: int) -> None:
    """Parts of a photograph, of different sizes and places."""
    folder.mkdir(parents=True)
    with Image.open(next(one.path for one in photographs() if one.file == file)) as opened:
        picture = opened.convert("RGB")
    for number in range(first, first + count):
        side = min(picture.size) // 2 + 5 * (number % 7)
        left, upper = number * 37 % (picture.width - side), number * 53 % (picture.height - side)
        part = picture.crop((left, upper, left + side, upper + side)).resize((96, 96))
        part.save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures to learn from and others of the same things in ``set``, of other things in ``others``, and the run."""
    place = tmp_path_factory.mktemp("unknown")
    for name, file in KNOWN.items():
        parts_of(file, place / "set" / "train" / name, 25, 0)
        parts_of(file, place / "set" / "test" / name, 8, 40)
    for file in OTHERS:
        parts_of(file, place / "others" / Path(file).stem, 6, 0)
    run(recognizer, place / "set", "--run", place / "run", "--epochs", 0)
    return place


def test_training_stores_what_is_known(place: Path) -> None:
    manifest = load_bundle(place / "run" / "model").manifest
    assert manifest.novelty is not None
    assert manifest.novelty.share == 0.95
    assert manifest.novelty.pictures == 15
    assert manifest.files["novelty.npz"].bytes < 2_000_000


def test_auto_answers_unknown_for_other_things_only(place: Path) -> None:
    words = ["--model", place / "run", "--threshold", "auto", "--format", "json"]
    others = json.loads(run(recognize, place / "others", *words).stdout)
    known = json.loads(run(recognize, place / "set" / "test", *words).stdout)
    assert sum(one["unknown"] for one in others) >= 16
    assert sum(one["unknown"] for one in known) <= 6
    for one in others + known:
        assert one["unknown"] == (one["novelty"] > 1) == (not one["labels"])


def test_it_is_said_in_words_and_in_columns(place: Path) -> None:
    picture = place / "others" / "rocket" / "0.png"
    words = [picture, "--model", place / "run", "--threshold", "auto"]
    assert "unknown (novelty " in run(recognize, *words, "--lang", "en").stdout
    assert "未知（新异度 " in run(recognize, *words, "--lang", "zh").stdout
    row = next(csv.DictReader(run(recognize, *words, "--format", "csv").stdout.splitlines()))
    assert (row["name"], row["unknown"], row["probability"]) == ("unknown", "true", "")
    assert float(row["novelty"]) > 1


def test_a_number_goes_on_as_ever(place: Path) -> None:
    picture = place / "others" / "rocket" / "0.png"
    words = [picture, "--model", place / "run", "--format", "json"]
    one = json.loads(run(recognize, *words, "--threshold", "0.0").stdout)[0]
    assert set(one) == {"path", "labels", "error"}
    assert len(one["labels"]) == 3
    with pytest.raises(UsageError, match="cannot tell what it was not taught"):
        run(recognize, picture, "--threshold", "auto")


def test_how_well_it_knows_is_measured(place: Path) -> None:
    words = [place / "run", place / "set", "--unlike", place / "others", "--output", place / "report"]
    result = run(evaluate, *words)
    assert "AUROC" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    found = json.loads((place / "report" / "report.json").read_text(encoding="utf-8"))["detection"]
    assert (found["known"], found["unlike"]) == (24, 18)
    assert found["auroc"]["value"] > 0.95
    assert found["auroc"]["low"] <= found["auroc"]["value"] <= found["auroc"]["high"]
    assert set(found) >= {"fpr95", "known_refused", "unlike_refused"}
    assert "AUROC" in (place / "report" / "report.html").read_text(encoding="utf-8")


def test_without_other_things_nothing_is_said_of_them(place: Path) -> None:
    result = run(evaluate, place / "run", place / "set", "--output", place / "plain")
    assert "AUROC" not in result.stdout
    report = json.loads((place / "plain" / "report.json").read_text(encoding="utf-8"))
    assert report["detection"] is None
    with pytest.raises(UsageError, match="cannot tell"):
        run(evaluate, "efficientnet-lite0", place / "others", "--unlike", place / "others")

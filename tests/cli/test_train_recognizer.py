"""Training a recogniser by the command, from a folder to a model that recognises."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from huanjing.bundle import load_bundle
from huanjing.cli.train_recognizer import recognizer
from huanjing.datasets import photographs
from huanjing.errors import ModelNotFoundError, RunError, UsageError
from huanjing.runtime import Recognizer
from tests.official_weights import random_network, write_official

NAMES = ("bison", "castle", "coffee")


def fill(folder: Path, count: int, first: int = 0) -> Path:
    """A class for each of three photographs: parts of it, of different sizes and places."""
    for photograph, name in zip(photographs(), NAMES, strict=False):
        with Image.open(photograph.path) as opened:
            picture = opened.convert("RGB")
        (folder / name).mkdir(parents=True)
        for number in range(first, first + count):
            side = min(picture.size) // 2 + 5 * (number % 7)
            left = number * 37 % (picture.width - side)
            upper = number * 53 % (picture.height - side)
            part = picture.crop((left, upper, left + side, upper + side)).resize((96, 96))
            part.save(folder / name / f"img{number}.png")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "set" / "train", 12)
    fill(tmp_path / "set" / "test", 6, first=20)
    (tmp_path / "set" / "train" / "bison" / "broken.png").write_bytes(b"none")
    return tmp_path / "set"


def train(*words: object) -> str:
    """The command's talk."""
    result = CliRunner().invoke(recognizer, [str(word) for word in words], catch_exceptions=False)
    return result.stderr


def test_the_head_alone_is_a_model_that_recognises(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    talk = train(folder, "--run", run)
    assert "bison/broken.png" in talk
    assert "Kept" not in talk
    bundle = load_bundle(run / "model")
    manifest = bundle.manifest
    assert [one.id for one in manifest.classes] == list(NAMES)
    assert manifest.temperature > 0
    assert (manifest.training.pictures, manifest.training.classes, manifest.training.seed) == (54, 3, 0)
    figures = {one.name: one.value for one in manifest.figures}
    assert figures["top1_test"] >= 0.9
    trained = Recognizer(bundle)
    assert trained.check() < 0.02
    paths = sorted((folder / "test" / "castle").iterdir())
    answers = [answer.labels[0].id for answer in trained.recognize_all(paths)]
    assert answers.count("castle") >= 5
    before = (run / "model" / "graph.bin").read_bytes()
    train(folder, "--run", run)
    assert (run / "model" / "graph.bin").read_bytes() == before


def test_a_run_goes_on_only_with_what_it_was_started_with(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(folder, "--run", run)
    with pytest.raises(RunError, match="--seed was 0, now 4"):
        train(folder, "--run", run, "--seed", 4)
    (folder / "train" / "castle" / "img3.png").unlink()
    with pytest.raises(RunError, match="53 now, 54 then"):
        train(folder, "--run", run)


@pytest.mark.training
def test_fine_tuning_ends_with_the_better_of_the_two(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    talk = train(folder, "--run", run, "--epochs", 1, "--batch", 16)
    assert "The fine-tuned network:" in talk
    assert "Kept: " in talk
    manifest = json.loads((run / "model" / "model.json").read_text(encoding="utf-8"))
    assert {one["name"]: one["value"] for one in manifest["figures"]}["top1_test"] >= 0.9


@pytest.mark.training
def test_from_scratch_it_learns_and_recognises(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(folder, "--run", run, "--from", "scratch", "--epochs", 15, "--batch", 8)
    bundle = load_bundle(run / "model")
    assert bundle.manifest.architecture == "convolution_pooling_dense"
    assert {one.name: one.value for one in bundle.manifest.figures}["top1_test"] >= 0.6
    assert Recognizer(bundle).check() < 0.02


@pytest.mark.training
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_from_a_classic_networks_file_it_learns_and_recognises(tmp_path: Path) -> None:
    from huanjing.recognition.classic import reference_pictures
    from huanjing.recognition.presets import PRESETS

    preset = PRESETS["mobilenet"]
    official = write_official(random_network(preset, reference_pictures(224, 2)), tmp_path / preset.file)
    folder = fill(tmp_path / "set", 8)
    for path in folder.rglob("*.png"):
        with Image.open(path) as picture:
            picture.resize((24, 24)).save(path)
    run = tmp_path / "run"
    words = [folder, "--run", run, "--from", "mobilenet", "--epochs", 1, "--batch", 8]
    with pytest.raises(ModelNotFoundError, match="models fetch mobilenet"):
        train(*words)
    talk = train(*words, "--weights", official)
    assert "The fine-tuned network:" in talk
    bundle = load_bundle(run / "model")
    assert bundle.manifest.architecture == "mobilenet"
    assert "x / 127.5 - 1" in bundle.picture_input.normalisation
    assert bundle.picture_input.height == 128
    assert Recognizer(bundle).check() < 0.02
    before = (run / "model" / "graph.bin").read_bytes()
    train(folder, "--run", run)
    assert (run / "model" / "graph.bin").read_bytes() == before, "the run knows its weights"
    with pytest.raises(UsageError, match="cannot be fine-tuned"):
        train(folder, "--run", tmp_path / "other", "--from", run, "--epochs", 1)
    assert "Kept" not in train(folder, "--run", tmp_path / "other", "--from", run)
    assert load_bundle(tmp_path / "other" / "model").manifest.architecture == "mobilenet"


def test_the_head_alone_needs_no_tensorflow(folder: Path, tmp_path: Path) -> None:
    import subprocess

    script = (
        "import sys; from huanjing.cli.train_recognizer import recognizer; "
        "recognizer(sys.argv[1:], standalone_mode=False); sys.exit('tensorflow' in sys.modules)"
    )
    words = [sys.executable, "-c", script, str(folder), "--run", str(tmp_path / "run")]
    subprocess.run(words, check=True, capture_output=True)

"""The command as a person uses it: real processes, one of them killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from huanjing.cli import generator_data
from huanjing.cli.generator_data import number_classes
from huanjing.cli.generator_run import Asked, configure
from huanjing.cli.train import parse_resolution
from huanjing.errors import DatasetError, RunError, UsageError
from huanjing.generation.costs import COSTS
from huanjing.generation.recipes import RECIPES
from huanjing.generation.shape import Shape
from huanjing.training import Run

SOURCE = Path(__file__).parents[2] / "src"
SCRIPT = "from huanjing.cli import run; run()"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(SOURCE), "HUANJING_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "squares"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (30, 8, 8), np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def command(folder: Path, *options: str) -> list[str]:
    words = ["train", "generator", str(folder), "--resolution", "8", "--batch", "4", *options]
    return [sys.executable, "-c", SCRIPT, *words]


@pytest.mark.training
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")
def test_killed_at_a_random_moment_it_goes_on_from_the_last_checkpoint(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    words = command(folder, "--steps", "400", "--checkpoint-every", "10", "--run", str(run), "--seed", "5")
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not list(run.glob("checkpoints/*[1-9]*.json")) and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        time.sleep(random.uniform(0, 0.8))
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    newest = max(int(path.stem.removeprefix("step-")) for path in run.glob("checkpoints/*.json"))
    assert 0 < newest < 400
    before = (run / "log.jsonl").read_bytes().splitlines()
    kept = [line for line in before if line.endswith(b"}") and json.loads(line)["step"] <= newest]

    second = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert second.stdout.strip() == str(run / "model")
    assert "broken.png" in second.stderr
    assert "oneDNN" not in second.stderr
    log = [json.loads(line) for line in (run / "log.jsonl").read_bytes().splitlines()]
    assert [json.loads(line) for line in kept] == log[: len(kept)]
    steps = [line["step"] for line in log]
    assert steps == sorted(set(steps))
    assert steps[-1] == 400
    assert (run / "model" / "model.json").is_file()


def test_a_run_goes_on_only_with_what_it_was_started_with(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUANJING_CACHE", str(tmp_path / "cache"))
    run = tmp_path / "run"
    config, pictures = configure(run, folder, Asked(steps=9, resolution=(8, 8)))
    assert (config.minutes, config.seed, config.channels, len(pictures)) == (None, 0, 1, 30)
    assert "broken.png" in capsys.readouterr().err
    with Run.start(run, config):
        pass
    assert configure(run, folder, Asked())[0] == config
    assert configure(run, folder, Asked(steps=9))[0] == config
    with pytest.raises(RunError, match=r"--recipe was 'residual', now 'dcgan'; --seed was 0, now 3"):
        configure(run, folder, Asked(recipe="dcgan", seed=3))
    (folder / "3.png").unlink()
    with pytest.raises(RunError, match="29 now, 30 then"):
        configure(run, folder, Asked())


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Half-transparent red and blue squares, three of each, in a folder for each colour."""
    monkeypatch.setenv("HUANJING_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "kinds"
    for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            picture = Image.new("RGBA", (32, 32), (*colour, 0))
            picture.paste((*colour, 255), (8, 8, 16 + number, 24))
            picture.save(folder / name / f"{number}.png")
    return folder


def test_subfolders_become_classes_where_they_have_enough_pictures(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few, _ = configure(tmp_path / "run", kinds, Asked(steps=9))
    assert few.classes == []
    assert "'blue' has 3 pictures, under 200; --conditional yes would use them" in capsys.readouterr().err
    monkeypatch.setattr(generator_data, "FEWEST_PICTURES", 3)
    config, pictures = configure(tmp_path / "run", kinds, Asked(steps=9))
    assert [(each.name, each.pictures) for each in config.classes] == [("blue", 3), ("red", 3)]
    labels = number_classes(pictures, config.classes)
    assert labels is not None
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert "--conditional yes" in config.command
    with Run.start(tmp_path / "run", config):
        pass
    assert configure(tmp_path / "run", kinds, Asked(conditional="auto", size="auto"))[0] == config
    with pytest.raises(
        RunError, match=r"--size was 'medium', now 'small'; --conditional was 'yes', now 'no'"
    ):
        configure(tmp_path / "run", kinds, Asked(conditional="no", size="small"))
    (kinds / "red").rename(kinds / "scarlet")
    renamed, pictures = configure(tmp_path / "run", kinds, Asked())
    with pytest.raises(RunError, match=r"differ in 'red', 'scarlet'"):
        number_classes(pictures, renamed.classes)


def test_the_classic_recipe_is_told_classes_only_where_asked(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generator_data, "FEWEST_PICTURES", 3)
    assert configure(tmp_path / "run", kinds, Asked(recipe="dcgan", steps=9))[0].classes == []
    assert "dcgan, told classes, tends to make one picture of each" in capsys.readouterr().err
    told, _ = configure(tmp_path / "run", kinds, Asked(recipe="dcgan", steps=9, conditional="yes"))
    assert len(told.classes) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(), "Training for 10 minutes; --minutes would change that."),
        (Asked(until=40.0), "Training for at most 10 minutes; --minutes would change that."),
        (Asked(minutes=3.0), ""),
    ],
)
def test_how_long_training_takes_is_said_where_nobody_said_it(
    kinds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: Asked, said: str
) -> None:
    config, _ = configure(tmp_path / "run", kinds, asked)
    assert config.minutes == (asked.minutes or 10.0)
    told = [line for line in capsys.readouterr().err.splitlines() if "--minutes" in line]
    assert told == ([said] if said else [])


def test_of_a_folder_that_is_split_the_training_pictures_are_learned_from(
    kinds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kinds / "red").rename(kinds / "Training")
    alone = configure(tmp_path / "alone", kinds / "Training", Asked(steps=9))[0]
    (kinds / "blue").rename(kinds / "test")
    config, pictures = configure(tmp_path / "run", kinds, Asked(steps=9))
    assert (config.data.digest, config.classes) == (alone.data.digest, [])
    assert pictures.names == [f"{k}.png" for k in range(3)]
    assert "learning from Training/ alone, 3 pictures of 6" in capsys.readouterr().err


def test_parts_without_training_pictures_are_no_classes(
    kinds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kinds / "red").rename(kinds / "val")
    (kinds / "blue").rename(kinds / "test")
    assert configure(tmp_path / "run", kinds, Asked(steps=9))[0].classes == []
    assert "test, val are parts of a split, not classes" in capsys.readouterr().err


def test_classes_that_are_asked_for_must_be_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--conditional yes needs pictures in 2 to 1,000 subfolders"):
        configure(tmp_path / "run", folder, Asked(steps=9, resolution=(8, 8), conditional="yes"))


def test_cut_out_figures_keep_their_transparency(kinds: Path, tmp_path: Path) -> None:
    config, pictures = configure(tmp_path / "run", kinds, Asked(steps=9))
    assert (config.channels, pictures.array.shape) == (4, (6, 32, 32, 4))
    assert pictures.array[0, 0, 0, 3] == 0
    assert pictures.array[0, 12, 12].tolist() == [0, 0, 255, 255]
    white, pictures = configure(tmp_path / "run", kinds, Asked(steps=9, channels=3))
    assert (white.channels, pictures.array[0, 0, 0].tolist()) == (3, [255, 255, 255])


def test_the_article_brings_pictures_to_its_own_shape(folder: Path, tmp_path: Path) -> None:
    config, pictures = configure(tmp_path / "run", folder, Asked(recipe="dcgan-dense", steps=9))
    assert pictures.array.shape == (30, 32, 32, 3)
    assert config.shape == Shape(32, 32, 3)
    with pytest.raises(UsageError, match="Leave --resolution and --channels out"):
        configure(tmp_path / "run", folder, Asked(recipe="dcgan-dense", steps=9, resolution=(64, 64)))


def test_listed_pictures_are_left_out(kinds: Path, tmp_path: Path) -> None:
    listed = tmp_path / "exclude.txt"
    listed.write_text("# doubles\nred/0.png\nblue\\1.png\n", encoding="utf-8")
    config, pictures = configure(tmp_path / "run", kinds, Asked(steps=9, exclude=listed))
    assert pictures.names == ["blue/0.png", "blue/2.png", "red/1.png", "red/2.png"]
    assert "--exclude exclude.txt" in config.command
    listed.write_text("".join(f"{kind}/{number}.png\n" for kind in ("red", "blue") for number in range(3)))
    with pytest.raises(DatasetError, match="lists every picture"):
        configure(tmp_path / "run", kinds, Asked(steps=9, exclude=listed))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_recipes_are_listed_with_their_costs(environment: dict[str, str], lang: str, tmp_path: Path) -> None:
    words = ["train", "generator", "--list-recipes", "--lang", lang]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", SCRIPT, *words],
        env=environment | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "tensorflow" not in done.stderr
    for name in RECIPES:
        assert f"\n{name}: " in done.stdout
        assert (RECIPES[name].summary in " ".join(done.stdout.split())) == (lang == "en")
    for cost in COSTS:
        assert f"{cost.generator / 1e6:.2f}" in done.stdout
    assert max(cell_len(line) for line in done.stdout.splitlines()) <= 80


@pytest.mark.training
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_interrupted_it_saves_and_exits_with_130(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    words = command(folder, "--minutes", "5", "--run", str(run))
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not (run / "log.jsonl").is_file() and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert b"The same command goes on from there." in talk
    assert list(run.glob("checkpoints/*.json"))


def test_resolutions() -> None:
    assert parse_resolution("64") == (64, 64)
    assert parse_resolution("48x64") == parse_resolution("48×64") == (48, 64)
    for wrong in ("", "x", "0", "1x2x3", "-4", "big"):
        with pytest.raises(UsageError, match="--resolution"):
            parse_resolution(wrong)

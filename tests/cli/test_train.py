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

from huanjing.cli.train import Asked, configure, parse_resolution
from huanjing.errors import RunError, UsageError
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
        while not list(run.glob("checkpoints/*.json")) and time.monotonic() < deadline:
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

"""``--workers`` as a person uses it: real processes, one of them killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.cli.generator_run import Asked, configure
from huanjing.cli.train_recognizer import recognizer
from huanjing.cli.workers import start_workers
from huanjing.errors import UsageError
from huanjing.training import Run
from huanjing.training.cluster import Cluster

SOURCE = Path(__file__).parents[2] / "src"
TWO = Cluster(("127.0.0.1:1", "127.0.0.1:2"), 1)


def test_workers_and_tf_config_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert start_workers(None) is None
    assert start_workers(1) is None
    monkeypatch.setenv("TF_CONFIG", TWO.variable())
    assert start_workers(None) == start_workers(2) == TWO
    with pytest.raises(UsageError, match=r"--workers is 3, and TF_CONFIG names 2"):
        start_workers(3)


def test_a_recogniser_is_not_trained_by_several_workers_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", TWO.variable())
    with pytest.raises(
        UsageError, match=r"TF_CONFIG names 2 workers, and a recogniser is trained in one process"
    ):
        recognizer([str(tmp_path), "--run", str(tmp_path / "run")], standalone_mode=False)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "squares"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (30, 8, 8), np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return folder


def children(process: subprocess.Popen[str]) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8")
    return [int(pid) for pid in listed.split()]


def checkpoints(run: Path) -> list[int]:
    return Run(run).checkpoints.steps()


@pytest.mark.training
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc")
def test_a_worker_that_is_killed_ends_all_and_the_same_command_ends_as_if_nothing_had_been(
    folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    options = "--workers 2 --steps 40 --resolution 8 --batch 16 --checkpoint-every 5 --augment 0.3 --flip no"
    command = f"-m huanjing train generator {folder} --run {run} {options} --size small"
    words = [sys.executable, *command.split()]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}

    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 240
        while max(checkpoints(run), default=0) < 5 and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        pids = children(process)
        os.kill(pids[1], signal.SIGKILL)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "Worker 1 of 2 was ended by signal 9 SIGKILL" in said
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert 5 <= checkpoints(run)[-1] < 40

    again = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert again.returncode == 0, again.stderr
    assert again.stdout == f"{run / 'model'}\n"
    assert again.stderr.count("Trained 40 steps") == 1

    from huanjing.generation.train import train_generator

    config, pictures = configure(run, folder, Asked())
    with Run.start(tmp_path / "alone", config) as alone:
        expected = train_generator(config, pictures.array, alone).state.arrays()
    checkpoint = Run(run).checkpoints.latest()
    assert checkpoint is not None
    assert checkpoint.step == 40
    for name in (name for name in expected if name.startswith("averaged/")):
        np.testing.assert_allclose(checkpoint.arrays[name], expected[name], atol=2e-2, err_msg=name)

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from huanjing.errors import RunError
from huanjing.training import Run, read_config, reconcile
from huanjing.training.run import stop_requests


class Part(msgspec.Struct, frozen=True):
    rate: float = 0.1


class Config(msgspec.Struct, frozen=True):
    seed: int
    part: Part = Part()


def test_config_is_written_and_must_agree(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Run.start(folder, Config(1)):
        pass
    assert read_config(folder, Config) == Config(1)
    with Run.start(folder, Config(1)):
        pass
    with pytest.raises(RunError, match=r"seed was 1, now 2; part.rate was 0.1, now 0.2"):
        Run.start(folder, Config(2, Part(0.2)))


def test_asked_options_are_compared_where_they_are_given(tmp_path: Path) -> None:
    reconcile(tmp_path, {"--seed": 1, "--steps": 9}, {"--seed": None, "--steps": 9})
    with pytest.raises(RunError, match="--seed was 1, now 2"):
        reconcile(tmp_path, {"--seed": 1, "--steps": 9}, {"--seed": 2, "--steps": 9})


def test_damaged_config_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"seed": "x"}')
    with pytest.raises(RunError, match=r"\$.seed"):
        Run.start(tmp_path, Config(1))
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty and not a training run"):
        Run.start(other, Config(1))
    with pytest.raises(RunError, match="cannot be written"):
        Run.start(other / "thesis.txt" / "run", Config(1))


def test_log_is_cut_at_the_checkpoint_and_survives_half_a_line(tmp_path: Path) -> None:
    with Run.start(tmp_path / "run", Config(1)) as run:
        for step in range(5):
            run.log({"step": step})
        with run.log_file.open("ab") as file:
            file.write(b'{"step": 5, "los')
        run.cut_log(2)
        run.log({"step": 3})
        assert [line["step"] for line in run.read_log()] == [0, 1, 2, 3]


def test_a_log_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with Run.start(tmp_path / "run", Config(1)) as run:
        run.log_file.mkdir()
        with pytest.raises(RunError, match=r"log.jsonl: cannot be written.*checkpoints are kept"):
            run.log({"step": 1})


def test_two_processes_cannot_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    script = (
        "import sys; sys.path[:0] = [sys.argv[2]]\n"
        "import msgspec; from huanjing.training import Run\n"
        "class Config(msgspec.Struct, frozen=True):\n    seed: int\n    part: dict\n"
        "Run.start(sys.argv[1], Config(1, {'rate': 0.1}))\n"
    )
    source = str(Path(__file__).parents[2] / "src")
    with Run.start(folder, Config(1)):
        command = [sys.executable, "-c", script, str(folder), source]
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "another process trains in this folder" in second.stderr
    subprocess.run(command, check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_interrupts_are_held_once(request: pytest.FixtureRequest) -> None:
    # A test run in the background ignores Ctrl-C; here it is to be heard.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with stop_requests() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huanjing.errors import RunError
from huanjing.training import Checkpoints
from huanjing.training import checkpoint as module


def save(checkpoints: Checkpoints, step: int, score: float | None = None) -> Path:
    return checkpoints.save(step, {"a/0": np.full(3, step, np.float32)}, {"seconds": step * 0.5}, score)


def test_round_trip_and_newest_two(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.latest() is None
    for step in (1, 2, 30):
        save(checkpoints, step)
    latest = checkpoints.latest()
    assert latest is not None
    assert (latest.step, latest.numbers) == (30, {"seconds": 15.0})
    np.testing.assert_array_equal(latest.arrays["a/0"], [30, 30, 30])
    assert checkpoints.steps() == [2, 30]


def test_the_best_is_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step, score in ((1, 5.0), (2, 0.0), (3, 4.0), (4, 6.0), (5, 7.0)):
        save(checkpoints, step, score)
    assert checkpoints.steps() == [2, 4, 5]


def test_the_newest_good_one_is_kept_and_later_ones_can_be_dropped(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in range(1, 6):
        checkpoints.save(step, {"a": np.zeros(2)}, {}, score=float(step), good=step in {1, 2})
    assert checkpoints.steps() == [1, 2, 4, 5]
    good, best = checkpoints.latest_good(), checkpoints.best()
    assert good is not None
    assert best is not None
    assert (good.step, best.step) == (2, 1)
    checkpoints.drop_after(2)
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.step == 2
    assert checkpoints.steps() == [1, 2]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits there")
def test_a_file_that_the_system_will_not_let_grow_loses_nothing(tmp_path: Path) -> None:
    """A real refusal by the system, as of a full disk, in a process of its own."""
    script = (
        "import resource, sys, signal; sys.path[:0] = [sys.argv[2]]\n"
        "import numpy as np; from pathlib import Path\n"
        "from huanjing.training import Checkpoints\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "checkpoints = Checkpoints(Path(sys.argv[1]))\n"
        "checkpoints.save(1, {'a': np.ones(4)}, {})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "checkpoints.save(2, {'a': np.ones(100_000)}, {})\n"
    )
    source = str(Path(__file__).parents[2] / "src")
    command = [sys.executable, "-c", script, str(tmp_path), source]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "File too large. The one of step 1 is kept. Make room" in ended.stderr
    latest = Checkpoints(tmp_path).latest()
    assert latest is not None
    assert latest.step == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000001.json", "step-00000001.npz"]


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_one_cut_short_gives_way_to_the_one_before(tmp_path: Path, length: int) -> None:
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 1)
    path = save(checkpoints, 2)
    path.write_bytes(path.read_bytes()[:length])
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.step == 1


def test_one_flipped_bit_or_a_missing_half_is_noticed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 1)
    damaged = save(checkpoints, 2)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(bytes(content))
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.step == 1
    damaged.with_suffix(".json").write_text("{")
    (tmp_path / "step-00000001.npz").unlink()
    assert checkpoints.latest() is None


def test_full_disk_is_said_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 1)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(RunError, match=r"No space left on device. The one of step 1 is kept"):
        save(checkpoints, 2)
    monkeypatch.undo()
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.step == 1
    assert not list(tmp_path.glob("*.part"))

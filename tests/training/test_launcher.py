"""The launcher with real processes, which train nothing: what it says, and that none is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from huanjing.errors import RunError
from huanjing.training import launcher as module
from huanjing.training.cluster import Cluster, read_cluster
from huanjing.training.launcher import WORKER_LOST, free_addresses, launch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")

SOURCE = Path(__file__).parents[2] / "src"
WORKER = """
import json, os, pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # wherever the tests were started
number = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
place = pathlib.Path(os.environ["PLACE"])
(place / f"{number}.json").write_text(json.dumps(dict(os.environ) | {"pid": str(os.getpid())}))
while len(list(place.glob("?.json"))) < 3:
    time.sleep(0.02)
"""
FOREVER = "\ntime.sleep(120)"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLACE", str(tmp_path))
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    return tmp_path


def workers(what: str) -> list[str]:
    return [sys.executable, "-c", WORKER + what]


def pids(place: Path) -> list[int]:
    return [int(json.loads(path.read_text())["pid"]) for path in sorted(place.glob("?.json"))]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def launcher(what: str) -> subprocess.Popen[str]:
    """A launcher in a process of its own."""
    script = (
        f"import sys; from huanjing.training.launcher import launch; sys.exit(launch({workers(what)!r}, 3))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(SOURCE)}, text=True
    )


def test_each_worker_knows_all_addresses_its_own_number_and_its_part_of_the_threads(place: Path) -> None:
    assert launch(workers(""), 3) == 0
    environments = [json.loads(path.read_text()) for path in sorted(place.glob("?.json"))]
    clusters = [read_cluster(environment) for environment in environments]
    assert [cluster.number for cluster in clusters if cluster] == [0, 1, 2]
    assert len({cluster.addresses for cluster in clusters if cluster}) == 1
    threads = {int(environment["TF_NUM_INTRAOP_THREADS"]) for environment in environments}
    assert threads == {max(1, len(os.sched_getaffinity(0)) // 3)}


def test_the_exit_code_of_a_chief_that_ends_by_itself_is_passed_on_and_the_others_are_ended(
    place: Path,
) -> None:
    assert launch(workers("\nif number == 0: sys.exit(2)" + FOREVER), 3) == 2
    assert all(gone(pid) for pid in pids(place))


def test_a_worker_that_fails_ends_the_others_and_its_last_words_are_told(place: Path) -> None:
    failing = "\nif number == 2: sys.exit('no room on the disk')"
    with pytest.raises(RunError, match=r"(?s)Worker 2 of 3 ended with exit code 1.*no room.*same command"):
        launch(workers(failing + FOREVER), 3)
    assert all(gone(pid) for pid in pids(place))


def test_one_that_was_killed_is_blamed_and_not_those_that_miss_it(place: Path) -> None:
    killed = f"\nif number == 1: os.kill(os.getpid(), 9)\ntime.sleep(0.2)\nsys.exit({WORKER_LOST})"
    with pytest.raises(RunError, match=r"Worker 1 of 3 was ended by signal 9 SIGKILL"):
        launch(workers(killed), 3)
    assert all(gone(pid) for pid in pids(place))


def test_ctrl_c_goes_to_the_chief_alone_which_stops_the_others(place: Path) -> None:
    with launcher("\ntry: time.sleep(120)\nexcept KeyboardInterrupt: sys.exit(130)") as process:
        wait_until(lambda: len(list(place.glob("?.json"))) == 3)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert all(gone(pid) for pid in pids(place))


def test_workers_end_when_the_launcher_is_gone(place: Path) -> None:
    ending = "\nfrom huanjing.training.launcher import end_with_launcher\nend_with_launcher()"
    with launcher(ending + FOREVER) as process:
        wait_until(lambda: len(list(place.glob("?.json"))) == 3)
        process.kill()
    wait_until(lambda: all(gone(pid) for pid in pids(place)))


def test_addresses_are_all_different() -> None:
    assert len(set(free_addresses(8))) == 8
    assert read_cluster({"TF_CONFIG": Cluster(tuple(free_addresses(2)), 1).variable()})

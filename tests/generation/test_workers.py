"""One training in several processes: that it is the same training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.training import Run
from huanjing.training.cluster import Cluster
from huanjing.training.launcher import free_addresses

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

pytestmark = pytest.mark.training
Tiny = Callable[..., "GeneratorConfig"]
Arrays = dict[str, NDArray[np.generic]]

WORKER = Path(__file__).with_name("workers.py")
SOURCE = Path(__file__).parents[2] / "src"
SECONDS = 300
LABELS = np.arange(40, dtype=np.int32) % 2


def runs(tiny: Tiny) -> dict[str, GeneratorConfig]:
    """Ten steps with everything that looks at more than one picture at a time."""
    from huanjing.generation.config import TrainedClass

    classes = [TrainedClass("left", 20), TrainedClass("right", 20)]
    common: dict[str, Any] = {"steps": 10, "mirror": True, "held_out": 8}
    return {
        # Gradient penalties on a quarter of the batch, classes, the moving average, p that follows.
        "residual": tiny(
            "residual", augment="adaptive", classes=classes, recipe={"penalty_share": 0.25}, **common
        ),
        # Batch normalisation in the generator, penalties, augmentation.
        "slim": tiny("slim", augment=0.5, recipe={"penalty_share": 0.25}, **common),
        # The style beside the grids, penalties that fall, one update of both.
        "modulated": tiny("modulated", recipe={"penalty_share": 0.25}, **common),
        # Batch normalisation, dropout, one update of both.
        "dcgan": tiny("dcgan", augment=0.3, recipe={"penalty_share": 0.25}, **common),
    }


def start(task: Path, cluster: Cluster | None) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "TF_NUM_INTRAOP_THREADS": "1"}
    environment |= {} if cluster is None else {"TF_CONFIG": cluster.variable()}
    return subprocess.Popen(
        [sys.executable, WORKER, task],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def play(folder: Path, pictures: Any, wanted: list[dict[str, Any]], workers: int) -> list[str]:
    """Let so many workers do it, or two devices of one process for 0; what each printed."""
    folder.mkdir()
    task = folder / "task.json"
    task.write_text(json.dumps([each | {"config": msgspec.to_builtins(each["config"])} for each in wanted]))
    np.savez(folder / "data.npz", pictures=pictures, labels=LABELS)
    addresses = tuple(free_addresses(workers))
    processes = [start(task, Cluster(addresses, number)) for number in range(workers)] or [start(task, None)]
    try:
        said = [process.communicate(timeout=SECONDS) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return [out for out, _ in said]


@pytest.fixture
def alone(tiny: Tiny, squares: NDArray[np.uint8], tmp_path: Path) -> dict[str, Arrays]:
    """What one process makes of the runs."""
    from huanjing.generation.train import train_generator

    states = {}
    for name, config in runs(tiny).items():
        with Run.start(tmp_path / "alone" / name, config) as run:
            labels = LABELS if config.classes else None
            states[name] = train_generator(config, squares, run, labels=labels).state.arrays()
    return states


def assert_alike(expected: Arrays, got: Path, tolerance: float) -> None:
    arrays = dict(np.load(got))
    assert expected.keys() == arrays.keys()
    for key, array in expected.items():
        np.testing.assert_allclose(arrays[key], array, rtol=0, atol=tolerance, err_msg=f"{got.name} {key}")


def test_two_workers_stopped_on_the_way_or_not_end_with_the_weights_of_one(
    tiny: Tiny, squares: NDArray[np.uint8], tmp_path: Path, alone: dict[str, Arrays]
) -> None:
    stops = {"slim": 5}
    wanted = [
        {"config": config, "folder": name, "stop": stops.get(name)} for name, config in runs(tiny).items()
    ]
    said = play(tmp_path / "two", squares, wanted, workers=2)
    assert said == ["stopped\n"] * 2  # asked of the chief, done by both
    for name, expected in alone.items():
        # 2e-6 at most where it was measured; a step changes weights by up to 1e-3.
        assert_alike(expected, tmp_path / "two" / f"{name}-0.npz", tolerance=1e-4)
        chief = dict(np.load(tmp_path / "two" / f"{name}-0.npz"))
        assert_alike(chief, tmp_path / "two" / f"{name}-1.npz", tolerance=0)
        log = Run(tmp_path / "two" / name).read_log()
        assert [line["step"] for line in log] == list(range(1, 11))


def test_two_devices_of_one_process_end_with_the_weights_of_one(
    tiny: Tiny, squares: NDArray[np.uint8], tmp_path: Path, alone: dict[str, Arrays]
) -> None:
    wanted = [{"config": config, "folder": name, "stop": None} for name, config in runs(tiny).items()]
    play(tmp_path / "devices", squares, wanted, workers=0)
    for name, expected in alone.items():
        assert_alike(expected, tmp_path / "devices" / f"{name}-0.npz", tolerance=1e-4)

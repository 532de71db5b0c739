"""Generation beside what a user would install instead: the same pictures, a core each, the same minutes.

The pictures are the faces of ``tools/faces`` (``$HUANJING_FACES`` names the folder they were drawn into, with ``train``
and ``test``); the peers run in an environment of their own, which ``$HUANJING_PEERS`` names:

    uv venv PEERS && uv pip install --python PEERS/bin/python lightweight-gan

Ours are the curves of :mod:`benchmarks.ablation` at the same core-minutes. Each peer has a core to itself, and the
machine must have nothing else to do: theirs is the clock on the wall.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ablation import Plan
from benchmarks.report import Row
from huanjing.datasets import prepare_pictures
from huanjing.runtime import Recognizer

SCORED = 2000
MINUTES = 8
OURS = {
    "modulated": Plan("faces", "modulated", 16, "modulated"),
    "dcgan": Plan("faces", "dcgan", 64, "dcgan"),
}
PEERS = {"lightweight-gan": "lightweight_gan_on_cpu.py", "a plain PyTorch DCGAN": "torch_dcgan.py"}

Measured = dict[str, float]


def run() -> list[Row]:
    """One row for each peer. Without the two folders there is nothing to measure, and none is made up."""
    if "HUANJING_FACES" not in os.environ or "HUANJING_PEERS" not in os.environ:
        return [Row("generation beside its peers", "", "not run: see benchmarks/peers/__init__.py", False)]
    with tempfile.TemporaryDirectory() as place:
        outs = {name: Path(place) / f"{number}.npz" for number, name in enumerate(PEERS)}
        with ThreadPoolExecutor(len(PEERS)) as pool:
            list(pool.map(_train, PEERS, outs.values(), sorted(os.sched_getaffinity(0))))
        return rows(Path(os.environ["HUANJING_FACES"]), outs)


def rows(faces: Path, outs: dict[str, Path]) -> list[Row]:
    """What the peers' pictures in ``outs`` are worth beside ours."""
    from huanjing.generation.metrics.frechet import frechet_distance

    recognizer = Recognizer()
    real = recognizer.features(np.asarray(prepare_pictures(faces / "test", (64, 64), 3).array[:SCORED]))
    measured = {name: _point(plan) for name, plan in OURS.items()}
    for name, out in outs.items():
        with np.load(out) as answer:
            measured[name] = {
                "distance": float(frechet_distance(recognizer.features(answer["pictures"]), real)),
                "pictures_per_second": float(answer["pictures_per_second"]),
            }
    ours = measured["modulated"]
    return [
        Row(
            f"Fréchet distance after {MINUTES} minutes on one core, 7,000 faces of 64×64: modulated, against {name}",
            "smaller",
            f"{ours['distance']:.0f} against {measured[name]['distance']:.0f}; pictures/s "
            f"{ours['pictures_per_second']:.3g} against {measured[name]['pictures_per_second']:.2g}",
            ours["distance"] < measured[name]["distance"],
            {"all": measured, "pictures": SCORED, "seeds": 1},
        )
        for name in PEERS
    ]


def _train(name: str, out: Path, core: int) -> None:
    runner = Path(__file__).with_name(PEERS[name])
    python = Path(os.environ["HUANJING_PEERS"]) / "bin" / "python"
    pictures = Path(os.environ["HUANJING_FACES"]) / "train"
    subprocess.run(
        ["taskset", "-c", str(core), python, runner, pictures, str(MINUTES), str(SCORED), out], check=True
    )


def _point(plan: Plan) -> Measured:
    """The point of a curve of ours at so many core-minutes."""
    curve: dict[str, Any] = json.loads(plan.file(0).read_text(encoding="utf-8"))
    point = next(one for one in curve["points"] if round(one["core_minutes"]) == MINUTES)
    shown = point["steps"] * curve["recipe"]["batch"] * curve["recipe"]["updates"]
    return {
        "distance": point["frechet"],
        "pictures_per_second": shown / (60 * point["core_minutes"]),
    }

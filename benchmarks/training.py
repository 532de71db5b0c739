"""Training a recogniser: small folders beside the Keras documentation's way, and Fashion-MNIST from scratch."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Row
from huanjing.datasets import clothing_folder

ROOT = Path(__file__).parent.parent
HUANJING = [sys.executable, "-m", "huanjing"]
PEER = [sys.executable, "-m", "benchmarks.peers.keras_transfer_learning"]

COUNTS = (10, 50)
"""Pictures of each class in the small folders."""
SEEDS = (0, 1, 2)
EPOCHS = 20
"""For Fashion-MNIST from scratch."""
FASHION_MNIST = "HUANJING_FASHION_MNIST"
"""The environment variable that names the whole set as ``train/CLASS/`` and ``test/CLASS/``; else it is unpacked from
Debian's package dataset-fashion-mnist."""


def run(counts: Sequence[int] = COUNTS, seeds: Sequence[int] = SEEDS, epochs: int = EPOCHS) -> list[Row]:
    """All rows."""
    rows = [row for count in counts for row in small_folder(count, seeds)]
    return [*rows, *from_scratch(epochs)]


def small_folder(count: int, seeds: Sequence[int]) -> list[Row]:
    """``count`` clothing pictures of each class, drawn anew for each seed: ours and the peer in turn, each from an
    empty cache and as a whole process, tested on the 2,000 test pictures of the package.
    """
    ours: list[dict[str, float]] = []
    peers: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as place:
        for seed in seeds:
            folder = draw(clothing_folder() / "train", Path(place) / f"{count}-{seed}", count, seed)
            ours.append(_ours(folder, Path(place) / f"run-{seed}", seed))
            said = _process([*PEER, str(folder), str(clothing_folder() / "test"), str(seed)])
            peers.append(json.loads(said.splitlines()[-1]))  # Keras says how many files it found before
            peers[-1]["accuracy"] = max(peers[-1]["head_accuracy"], peers[-1]["fine_tuned_accuracy"])
    mine, theirs = _median(ours, "accuracy"), _median(peers, "accuracy")
    ratio = statistics.median(
        a["seconds"] / b["fine_tuned_seconds"] for a, b in zip(ours, peers, strict=True)
    )
    of_head = statistics.median(a["seconds"] / b["head_seconds"] for a, b in zip(ours, peers, strict=True))
    runs = {"huanjing": ours, "keras": peers}
    return [
        Row(
            f"accuracy with {count} pictures a class, against the Keras guide's script from the same network",
            "at least the same",
            f"{mine:.1%} against {theirs:.1%}, the better of its two stages",
            mine >= theirs,
            runs,
        ),
        Row(
            f"time for that, with {count} pictures a class",
            "at most a third",
            f"{_median(ours, 'seconds'):.0f} s against {_median(peers, 'fine_tuned_seconds'):.0f} s: "
            f"1/{1 / ratio:.0f}; 1/{1 / of_head:.0f} of the script's first stage alone",
            ratio <= 1 / 3,
            runs,
        ),
    ]


def from_scratch(epochs: int) -> list[Row]:
    """The small network on Fashion-MNIST's 60,000 pictures; accuracy and calibration on its 10,000 test pictures."""
    with tempfile.TemporaryDirectory() as place:
        folder = _fashion_mnist(Path(place))
        model, report = Path(place) / "run", Path(place) / "evaluated"
        environment = {"HUANJING_CACHE": str(Path(place) / "cache")}
        began = time.perf_counter()
        _process(
            [*_train(folder / "train", model), "--from", "scratch", "--epochs", str(epochs)],
            environment,
        )
        seconds = time.perf_counter() - began
        found = _evaluate(model, folder / "test", report)
    accuracy, error = found["top1"], found["calibration_error"]
    runs = {"seconds": seconds, "epochs": epochs, **found}
    return [
        Row(
            "Fashion-MNIST from scratch: test accuracy",
            "at least 93 %",
            f"{accuracy:.2%} after {epochs} epochs, {seconds / 60:.1f} minutes in all",
            accuracy >= 0.93,
            runs,
        ),
        Row(
            "Fashion-MNIST from scratch: calibration error (ECE) on the test set",
            "at most 2 %",
            f"{error:.2%}",
            error <= 0.02,
            runs,
        ),
    ]


def _ours(folder: Path, run: Path, seed: int) -> dict[str, float]:
    """Train with the command's defaults from an empty cache, then evaluate."""
    environment = {"HUANJING_CACHE": str(run) + "-cache"}
    began = time.perf_counter()
    _process([*_train(folder, run), "--seed", str(seed)], environment)
    seconds = time.perf_counter() - began
    found = _evaluate(run, clothing_folder() / "test", Path(str(run) + "-report"))
    return {"seconds": seconds, "accuracy": found["top1"], "calibration_error": found["calibration_error"]}


def _train(folder: Path, run: Path) -> list[str]:
    return [*HUANJING, "train", "recognizer", str(folder), "--run", str(run)]


def _evaluate(model: Path, folder: Path, report: Path) -> dict[str, float]:
    """What ``huanjing evaluate`` says: top-1 accuracy and calibration error, 0..1."""
    _process([*HUANJING, "evaluate", str(model), str(folder), "--output", str(report)])
    found: dict[str, Any] = json.loads((report / "report.json").read_text(encoding="utf-8"))
    return {"top1": found["top1"]["value"], "calibration_error": found["calibration_error"]}


def draw(source: Path, folder: Path, count: int, seed: int) -> Path:
    """``count`` pictures of each class, chosen by ``seed``, copied into ``folder``."""
    draw = np.random.default_rng([seed, count])
    for place in sorted(path for path in source.iterdir() if path.is_dir()):
        pictures = sorted(place.iterdir())
        (folder / place.name).mkdir(parents=True)
        for number in draw.permutation(len(pictures))[:count]:
            shutil.copy(pictures[number], folder / place.name)
    return folder


def _fashion_mnist(place: Path) -> Path:
    named = os.environ.get(FASHION_MNIST)
    if named:
        return Path(named)
    folder = place / "fashion-mnist"
    _process([sys.executable, str(ROOT / "tools" / "build_clothing.py"), "--unpack-all", str(folder)])
    return folder


def _median(runs: Sequence[Mapping[str, float]], key: str) -> float:
    return statistics.median(one[key] for one in runs)


def _process(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """Run to its end: what it wrote on standard output."""
    settings = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | dict(environment or {})
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=settings, cwd=ROOT)
    return done.stdout

"""What oneDNN's kernels, which Huanjing asks TensorFlow for on every x86 processor, change in the time of a step."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from benchmarks.report import Row
from benchmarks.step import milliseconds_of
from huanjing.generation.shape import Shape

ROUNDS = 3
SHAPES = {"dcgan": Shape(28, 28, 1), "residual": Shape(28, 28, 1), "modulated": Shape(64, 64, 3)}


def run() -> list[Row]:
    """A row for each recipe."""
    return [_row(recipe) for recipe in SHAPES]


def _row(recipe: str) -> Row:
    """With and without in turn, each in a process of its own, since TensorFlow decides at its start."""
    times: dict[str, list[float]] = {"1": [], "0": []}
    for _ in range(ROUNDS):
        for wanted, known in times.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.kernels", recipe], capture_output=True, text=True, check=True,
                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": wanted},
            )  # fmt: skip
            known.append(float(done.stdout))
    ours, theirs = (statistics.median(times[wanted]) for wanted in ("1", "0"))
    shape = SHAPES[recipe]
    return Row(
        f"a step of {recipe} at {shape.width}×{shape.height} with oneDNN's kernels, against without",
        "no slower",
        f"{ours / theirs:.2f} times: {ours:.0f} and {theirs:.0f} milliseconds",
        ours <= theirs,
        {"milliseconds": times},
    )


if __name__ == "__main__":
    print(milliseconds_of(sys.argv[1], SHAPES[sys.argv[1]]))

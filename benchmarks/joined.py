"""Both halves together: does a recogniser with few pictures gain from a generator that learned from the same few?"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Row, write_results
from benchmarks.training import draw
from huanjing.cli import generator_run, recognizer_run
from huanjing.cli.generated_pictures import DEFAULT_SHARE
from huanjing.cli.lesson import make_lesson
from huanjing.cli.train_recognizer import train_and_tell
from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.generation.features import Pictures, recognizer_space
from huanjing.generation.teaching import Known, Taught, measure_teaching
from huanjing.recognition.dataset import label_folder
from huanjing.runtime import Generator
from huanjing.training import Run

COUNTS = (10, 50, 200)
"""Real pictures of each class."""
SEEDS = (0, 1)
TESTED = 100
"""Test pictures of each class."""
GENERATOR_STEPS = 500
SCRATCH_STEPS = 400
"""At most, with and without generated pictures alike."""
METHODS = {"head": "the head on the embedded network", "scratch": "the small network from nothing"}


def run(counts: Sequence[int] = COUNTS, seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Three rows for each count, written after every draw, so that a run cut short leaves what it has.

    Of each class so many clothing pictures are drawn anew for each seed. A conditional generator learns from these
    alone. Then recognisers learn from them, without its pictures and with them, as ``huanjing train recognizer`` does.
    All are tested on 1,000 other pictures, which nothing learned from or was chosen by.
    """
    found: dict[int, list[dict[str, Any]]] = {count: [] for count in counts}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        os.environ["HUANJING_CACHE"] = str(Path(place) / "cache")
        test = draw(clothing_folder() / "test", Path(place) / "test", TESTED, 0)
        for seed in seeds:
            for count in counts:
                found[count].append(_one(Path(place) / f"{count}-{seed}", test, count, seed))
                print(count, found[count][-1], file=sys.stderr, flush=True)
                rows = [row for count, runs in found.items() if runs for row in _rows(count, runs)]
                write_results("joined", rows)
    return rows


def _one(place: Path, test: Path, count: int, seed: int) -> dict[str, Any]:
    """Accuracies on the test pictures, 0..1, and what it took."""
    folder = place / "clothing"
    draw(clothing_folder() / "train", folder / "train", count, seed)
    (folder / "test").symlink_to(test)
    began = time.process_time()
    generator = _train_generator(folder / "train", place / "generator", seed)
    found: dict[str, Any] = {"seed": seed, "generator_cpu_seconds": round(time.process_time() - began, 1)}
    for method in METHODS:
        for added in (False, True):
            name = f"{method}_with_generated" if added else method
            model = place / "generator" if added else None
            found[name] = _train_recognizer(folder, place / name, method, count, seed, model)
    taught = _taught(generator, folder, seed)
    return found | {"train_on_generated": taught.generated.value, "train_on_real": taught.real.value}


def _train_generator(folder: Path, run: Path, seed: int) -> Generator:
    asked = generator_run.Asked(steps=GENERATOR_STEPS, resolution=(28, 28), conditional="yes", seed=seed)
    config, pictures = generator_run.configure(run, folder, asked)
    with Run.start(run, config) as opened:
        generator_run.train_and_export(config, pictures, opened)
    return Generator(run)


def _train_recognizer(
    folder: Path, run: Path, method: str, count: int, seed: int, generator: Path | None
) -> float:
    """Train as the command does: accuracy on the test pictures, 0..1."""
    learned = 10 * round(0.8 * count) * (1 if generator is None else 1 / (1 - DEFAULT_SHARE))
    asked = recognizer_run.Asked(
        start="scratch" if method == "scratch" else None,
        epochs=round(SCRATCH_STEPS / math.ceil(learned / 64)) if method == "scratch" else 0,
        seed=seed,
        add_generated=None if generator is None else str(generator),
    )
    config, data = recognizer_run.configure(run, label_folder(folder), asked, {})
    with Run.start(run, config) as opened:
        test = train_and_tell(config, data, opened, time.monotonic()).test
    assert test is not None
    return test


def _taught(generator: Generator, folder: Path, seed: int) -> Taught:
    """Trained on generated pictures and on as many real ones, by the protocol of ``huanjing evaluate``."""
    space = recognizer_space()
    train = prepare_pictures(folder / "train", (28, 28), 1)
    test = prepare_pictures(folder / "test", (28, 28), 1)
    lesson = make_lesson(generator, train, test, first_seed=0, seed=seed)
    assert lesson is not None
    assert lesson.test is not None

    def see(pictures: Pictures) -> np.ndarray[Any, np.dtype[np.float32]]:
        return space.compute(pictures, lambda _: None)

    learned, tested = Known(see(train.array), lesson.train), Known(see(test.array), lesson.test)
    return measure_teaching(lesson, learned, tested, see, space=space.name, real="test", seed=seed)


def _rows(count: int, runs: list[dict[str, Any]]) -> list[Row]:
    return [*(_gain(count, method, runs) for method in METHODS), _teaching(count, runs)]


def _gain(count: int, method: str, runs: list[dict[str, Any]]) -> Row:
    added = f"{method}_with_generated"
    gains = [one[added] - one[method] for one in runs]
    pairs = ", ".join(f"{one[method]:.1%} → {one[added]:.1%}" for one in runs)
    return Row(
        f"{count} real pictures a class: {METHODS[method]}, without → with --add-generated --share {DEFAULT_SHARE:g}",
        "gains and losses both reported",
        f"{pairs}; difference {', '.join(f'{100 * gain:+.1f}' for gain in gains)} points",
        True,
        {"runs": runs, "differences": gains},
    )


def _teaching(count: int, runs: list[dict[str, Any]]) -> Row:
    made, real = ([one[key] for one in runs] for key in ("train_on_generated", "train_on_real"))
    return Row(
        f"{count} real pictures a class: trained on as many generated ones alone, tested on real ones",
        "reported beside trained on real ones; chance is 10 %",
        f"{statistics.mean(made):.1%} against {statistics.mean(real):.1%}, mean of {len(runs)}",
        True,
        {"train_on_generated": made, "train_on_real": real},
    )

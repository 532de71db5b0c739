"""How good a generator is: its pictures beside real ones, in scores that have their baselines beside them.

Every score is measured three times with the same counts and the same real pictures: of the generated pictures, of
other real ones (what a perfect generator would reach) and of noise (what no generator should).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import DatasetError
from huanjing.generation.features import FeatureSpace, Pictures, opaque
from huanjing.generation.metrics import (
    CopyingScore,
    Score,
    copying_score,
    density_coverage,
    frechet_score,
    kernel_score,
    metric_name,
    precision_recall,
)
from huanjing.generation.remarks import Remark, remarks_on
from huanjing.generation.teaching import Known, Lesson, Taught, measure_teaching

DEFAULT_PICTURES = 2000
LOOKED_AT = 5000
"""Training pictures among which copies are looked for."""
FEWEST = 10
PIXEL_SIDE = 32
"""Larger pictures are averaged down to about this side before pixels are compared."""

Compute = Callable[[Pictures], NDArray[np.float32]]


@dataclass(frozen=True)
class Row:
    """One score and its baselines."""

    metric: str
    """``frechet``, ``kernel``, ``precision``, ``recall``, ``density`` or ``coverage``."""
    name: str
    """With its protocol."""
    higher_is_better: bool
    generated: Score
    real: Score
    """Of real pictures against others."""
    noise: Score


@dataclass(frozen=True)
class GeneratorEvaluation:
    """A generator beside real pictures."""

    model: str
    pictures: int
    """Generated ones, and as many real ones, on each side of every score."""
    real: str
    """``test``: the real pictures were held out; ``train``: there were none, and training pictures took their place."""
    looked_at: int
    """Training pictures among which copies were looked for."""
    seed: int
    space: str
    protocol_en: str
    protocol_zh: str
    rows: tuple[Row, ...]
    copying_features: CopyingScore
    copying_pixels: CopyingScore
    remarks: tuple[Remark, ...]
    taught: Taught | None = None
    """What its pictures can teach; None where it or the real pictures have no classes."""

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain types, ready for JSON."""
        return {
            "model": self.model,
            "pictures": self.pictures,
            "real": self.real,
            "looked_at": self.looked_at,
            "seed": self.seed,
            "features": self.space,
            "protocol": self.protocol_en,
            "scores": [asdict(row) for row in self.rows],
            "copying": {
                "features": _copying_dict(self.copying_features),
                "pixels": _copying_dict(self.copying_pixels),
            },
            "taught": None if self.taught is None else asdict(self.taught),
            "warnings": [{"code": remark.code, "text": remark.en} for remark in self.remarks],
        }


@dataclass(frozen=True)
class Compared:
    """The pictures that an evaluation compared."""

    generated: Pictures
    real: Pictures
    """As many real ones, test pictures where there are any."""
    looked_at: Pictures
    """The training pictures that copies were looked for among."""
    positions: NDArray[np.int64]
    """Where each of these lies among all training pictures."""


def choose(
    train: Pictures, test: Pictures | None, count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the real pictures of an evaluation; the same seed draws the same.

    :returns: positions in ``test`` of those that generated ones are compared with, and positions in ``train`` of all
        that copies are looked for among. The first of these, as many, are the baseline; without ``test``, the next are
        the real ones, and the former are their positions in ``train``.
    :raises DatasetError: where there are too few.
    """
    most = min(count, len(train), len(test)) if test is not None else min(count, len(train) // 2)
    if most < FEWEST:
        raise DatasetError(
            f"Too few pictures to compare with: {len(train)} to train with and "
            f"{'none' if test is None else len(test)} held out. Scores need at least {FEWEST} of each, or "
            f"{2 * FEWEST} where none is held out."
        )
    order = np.random.default_rng([seed, 1]).permutation(len(train))
    looked_at = order[: max(LOOKED_AT, 2 * most)]
    if test is None:
        return order[most : 2 * most], looked_at
    return np.random.default_rng([seed, 2]).permutation(len(test))[:most], looked_at


def evaluate_generator(
    model: str,
    generate: Callable[[int], Pictures],
    train: Pictures,
    test: Pictures | None,
    space: FeatureSpace,
    *,
    count: int = DEFAULT_PICTURES,
    seed: int = 0,
    lesson: Lesson | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> tuple[GeneratorEvaluation, Compared]:
    """Score ``count`` generated pictures, fewer where there are fewer real ones.

    :param generate: makes so many pictures: NHWC uint8, 0..255, of the real pictures' shape.
    :param train: the pictures that the generator was trained on; may be a memory map.
    :param test: pictures that it was not trained on; None where there are none. Then halves of ``train`` are the
        real pictures and their baseline.
    :param lesson: to also measure what generated pictures teach; the real ones that it learns from are the baseline.
    :param on_progress: called with the pictures whose features are computed, and how many there are in all.
    :raises DatasetError: where there are too few pictures.
    """
    chosen, positions = choose(train, test, count, seed)
    most, real = len(chosen), _take(train if test is None else test, chosen)
    generated = generate(most)
    noise = np.random.default_rng([seed, 3]).integers(0, 256, real.shape, np.uint8)
    looked_at = _take(train, positions)
    total, done = 2 * most + len(looked_at) + (most if test is not None else 0), 0
    if lesson is not None:
        total += int((lesson.train[positions[:most]] >= 0).sum())

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if on_progress is not None:
            on_progress(done, total)

    seen = {
        "generated": space.compute(generated, advance),
        "train": space.compute(looked_at, advance),
        "noise": space.compute(noise, advance),
    }
    seen["baseline"] = seen["train"][:most]
    seen["real"] = seen["train"][most : 2 * most] if test is None else space.compute(real, advance)
    held_out = seen["real"] if test is not None else None
    part = "train" if test is None else "test"
    rows = _rows(seen, space.name, most, part, seed)
    taught = None
    if lesson is not None:
        labels = lesson.train if lesson.test is None else lesson.test
        taught = measure_teaching(
            lesson,
            Known(seen["baseline"], lesson.train[positions[:most]]),
            Known(seen["real"], labels[chosen]),
            lambda pictures: space.compute(pictures, advance),
            space=space.name,
            real=part,
            seed=seed,
        )
    copying = (
        copying_score(seen["generated"], seen["train"], held_out, seed),
        copying_score(_pixels(generated), _pixels(looked_at), None if test is None else _pixels(real), seed),
    )
    evaluation = GeneratorEvaluation(
        model=model,
        pictures=most,
        real=part,
        looked_at=len(looked_at),
        seed=seed,
        space=space.name,
        protocol_en=space.en,
        protocol_zh=space.zh,
        rows=rows,
        copying_features=copying[0],
        copying_pixels=copying[1],
        remarks=remarks_on(
            pictures=most,
            held_out=test is not None,
            noise_precision=next(row.noise.value for row in rows if row.metric == "precision"),
            copying=copying,
            untaught=lesson is not None and taught is None,
        ),
        taught=taught,
    )
    return evaluation, Compared(generated, real, looked_at, positions)


def _rows(
    seen: dict[str, NDArray[np.float32]], space: str, count: int, real: str, seed: int
) -> tuple[Row, ...]:
    def measure(of: str) -> dict[str, Score]:
        ours, theirs = seen[of], seen["real"]
        within, crowd = precision_recall(theirs, ours, seed=seed), density_coverage(theirs, ours, seed=seed)
        return {
            "frechet": frechet_score(ours, theirs, seed),
            "kernel": kernel_score(ours, theirs, seed),
            "precision": within.precision,
            "recall": within.recall,
            "density": crowd.density,
            "coverage": crowd.coverage,
        }

    generated, baseline, noise = measure("generated"), measure("baseline"), measure("noise")
    return tuple(
        Row(
            metric,
            metric_name(metric, space, count, real),
            metric not in {"frechet", "kernel"},
            generated[metric],
            baseline[metric],
            noise[metric],
        )
        for metric in generated
    )


def _take(pictures: Pictures, positions: NDArray[np.int64]) -> Pictures:
    """Some pictures, in the order of ``positions``; read from a file in the file's order."""
    order = np.argsort(positions)
    taken = np.empty((len(positions), *pictures.shape[1:]), np.uint8)
    taken[order] = pictures[positions[order]]
    return taken


def _pixels(pictures: Pictures) -> NDArray[np.float32]:
    """Pictures as vectors ``[N, values]``, large ones averaged down."""
    pictures = opaque(pictures)
    count, height, width, channels = pictures.shape
    factor = -(-max(height, width) // PIXEL_SIDE)
    if factor == 1:
        return pictures.reshape(count, -1).astype(np.float32)
    rows, columns = height // factor, width // factor
    boxes = pictures[:, : rows * factor, : columns * factor].reshape(
        count, rows, factor, columns, factor, channels
    )
    means: NDArray[np.float32] = boxes.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)
    return means


def _copying_dict(copying: CopyingScore) -> dict[str, Any]:
    return {
        "near": asdict(copying.near),
        "expected": copying.expected,
        "closer": asdict(copying.closer),
        "suspicious": copying.suspicious,
        "held_out": copying.held_out,
    }

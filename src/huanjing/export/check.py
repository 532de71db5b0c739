"""Whether an exported network computes what the bundle does, and how fast each is."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from huanjing.errors import BundleError
from huanjing.export.job import Answers, Inputs, Precision, Run, count

TOLERANCES: dict[Precision, float] = {"fp32": 1e-3, "fp16": 0.05}
"""How far any output may lie from the bundle's in float32 arithmetic, as a share of that output's own spread."""
TOP1_GATE = 0.95
"""The least share of judged pictures on which int8 must name the same class as the bundle in float32. For the embedded
network on parts of photographs that is 99.3 % in bfloat16, in which `recognize` computes where the processor can, and
94 % for an int8 by nncf's own settings, which also errs on pictures that the network is sure of."""
ROUNDS = 5
ROUND_SECONDS = 0.4


@dataclass(frozen=True)
class Agreement:
    """How an export's answers lie to the bundle's, both on the same pictures."""

    pictures: int
    output: str
    """What the two differences are of: ``logits``, or a generator's ``picture`` (-1..1)."""
    largest: float
    mean: float
    spread_share: float
    """The largest difference of any output, as a share of that output's spread: its largest distance from a picture's
    mean, for logits at least 1."""
    top1: float | None
    """Share of pictures with the same first class; None for a generator."""


def run_all(run: Run, inputs: Inputs) -> Answers:
    """The outputs for all inputs, which are run one by one."""
    rows = [run(_row(inputs, k)) for k in range(count(inputs))]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def compare(found: Answers, expected: Answers) -> Agreement:
    """Compare outputs ``[N, ...]`` by name.

    :raises BundleError: where the export lacks an output, or one has another shape or holds no numbers.
    """
    share = 0.0
    for name, wanted in expected.items():
        if name not in found or found[name].shape != wanted.shape:
            shape = found[name].shape if name in found else "nothing"
            raise BundleError(
                f"The export gives {shape} for {name}, and {wanted.shape} is due. Please report this."
            )
        if not np.isfinite(found[name]).all():
            raise BundleError(f"The export's {name} is not finite; nothing was written. Please report this.")
        axes = tuple(range(1, wanted.ndim))
        spread = float(np.abs(wanted - wanted.mean(axis=axes, keepdims=True)).max())
        scale = max(spread, 1.0) if name == "logits" else spread
        share = max(share, float(np.abs(found[name] - wanted).max()) / (scale or 1.0))
    answer = "logits" if "logits" in expected else "picture"
    difference = np.abs(found[answer] - expected[answer])
    top1 = None
    if answer == "logits":
        top1 = float(np.mean(found[answer].argmax(axis=1) == expected[answer].argmax(axis=1)))
    return Agreement(len(difference), answer, float(difference.max()), float(difference.mean()), share, top1)


def refuse_differences(agreement: Agreement, precision: Precision) -> None:
    """Hold a float export to :data:`TOLERANCES`. :raises BundleError: with the figures."""
    allowed = TOLERANCES[precision]
    if not agreement.spread_share <= allowed:
        raise BundleError(
            f"The exported network differs from the bundle by {agreement.spread_share:.3g} of its outputs' spread "
            f"(largest difference of {agreement.output} {agreement.largest:.3g}), and at most {allowed:g} is allowed "
            f"in {precision}; nothing was written. Please report this with the network's architecture."
        )


def refuse_disagreement(agreement: Agreement) -> None:
    """Hold an int8 export to its gate. :raises BundleError: with the figures."""
    if agreement.top1 is not None and agreement.top1 < TOP1_GATE:
        raise BundleError(
            f"In int8 the network names the same class as before on {100 * agreement.top1:.1f} % of "
            f"{agreement.pictures} pictures that it was not calibrated on; at least {100 * TOP1_GATE:.0f} % is asked "
            "for. Nothing was written. Use --precision fp16, or --calibrate with pictures nearer to those it will see."
        )


def rates(runs: Sequence[Run], inputs: Inputs) -> list[float]:
    """Pictures per second of each run, one picture at a time: medians over rounds in which all take turns."""
    measured: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run(_row(inputs, 0))
    for _ in range(ROUNDS):
        for run, found in zip(runs, measured, strict=True):
            started = time.perf_counter()
            for done in itertools.count():
                seconds = time.perf_counter() - started
                if done and seconds >= ROUND_SECONDS:
                    found.append(done / seconds)
                    break
                run(_row(inputs, done % count(inputs)))
    return [statistics.median(found) for found in measured]


def _row(inputs: Inputs, k: int) -> Inputs:
    return {name: values[k : k + 1] for name, values in inputs.items()}

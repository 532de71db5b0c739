"""Which batch, how many streams, and which arithmetic: the choices of ``huanjing.runtime`` beside the others."""

from __future__ import annotations

import statistics
import time
from itertools import product

import numpy as np

from benchmarks.report import Row
from huanjing.bundle import find_model
from huanjing.runtime.engine import compile_graph, processors
from huanjing.runtime.recognizer import BATCH
from huanjing.runtime.silent import ov

BATCHES = (1, 4, 8, 16, 32)
COUNT = 512


def run() -> list[Row]:
    """One row for each arithmetic that this processor has."""
    return [settings(precision) for precision in _precisions()]


def settings(precision: str) -> Row:
    """The network alone on random pictures, every setting in turn, three rounds."""
    bundle = find_model(None, "recognizer")
    grid = list(product(BATCHES, sorted({1, processors()})))
    compiled = {
        (batch, streams): compile_graph(
            bundle, outputs=("logits",), batch=batch, precision=precision, streams=streams
        )
        for batch, streams in grid
    }
    rates: dict[tuple[int, int], list[float]] = {setting: [] for setting in grid}
    for _ in range(3):
        for (batch, streams), network in compiled.items():
            rates[batch, streams].append(_rate(network, batch, streams))
    middle = {setting: statistics.median(values) for setting, values in rates.items()}
    best = max(middle, key=lambda setting: middle[setting])
    chosen = (BATCH, processors())
    ratio = middle[chosen] / middle[best]
    return Row(
        f"the chosen batch {chosen[0]} on {chosen[1]} streams in {precision}, pictures/s",
        "within 10 % of the best setting",
        f"{middle[chosen]:.0f}; best {middle[best]:.0f} (batch {best[0]}, {best[1]} streams): {ratio:.0%}",
        ratio >= 0.9,
        {f"batch {batch}, {streams} streams": values for (batch, streams), values in rates.items()},
    )


def _rate(network: ov.CompiledModel, batch: int, streams: int) -> float:
    requests = [network.create_infer_request() for _ in range(streams + 1)]
    for request in requests:
        request.get_input_tensor().data[:] = np.random.default_rng(0).integers(
            0, 256, (batch, 224, 224, 3), np.uint8
        )
        request.infer()
    started = time.perf_counter()
    for number in range(COUNT // batch):
        request = requests[number % len(requests)]
        request.wait()
        request.start_async()
    for request in requests:
        request.wait()
    return COUNT // batch * batch / (time.perf_counter() - started)


def _precisions() -> list[str]:
    from huanjing.runtime.engine import resolve_precision

    return sorted({"f32", resolve_precision("auto")})

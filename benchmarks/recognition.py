"""Recognition: from a cold shell, on a folder, and how memory behaves; beside the classic Keras script."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.photographs import make_photographs
from benchmarks.processes import HUANJING, peak_memory, run_process, said_rate
from benchmarks.report import Row, median_ratio
from huanjing.bundle import find_model
from huanjing.datasets import photographs
from huanjing.images import fit, load_picture
from huanjing.runtime.engine import compile_graph, processors
from huanjing.runtime.recognizer import BATCH

CLASSIC = [sys.executable, "-m", "benchmarks.classic_vgg16"]


def run() -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        weights = folder / "vgg16.weights.h5"
        run_process([*CLASSIC, str(weights), "--make-weights"])
        pictures = make_photographs(folder / "photographs", 1000)
        return [
            help_time(),
            cold(weights),
            *throughput(weights, pictures),
            memory(folder, pictures),
        ]


def help_time() -> Row:
    """``huanjing --help`` as a whole process."""
    seconds = [run_process([*HUANJING, "--help"])[0] for _ in range(9)]
    middle = statistics.median(seconds)
    return Row("huanjing --help", "under 0.3 s", f"{middle:.2f} s", middle < 0.3, {"seconds": seconds})


def cold(weights: Path) -> Row:
    """One picture, as whole processes: ours from its second run on, the classic with its file in the page cache."""
    picture = str(next(iter(photographs())).path)
    ours = [*HUANJING, "recognize", picture]
    classic = [*CLASSIC, str(weights), picture]
    run_process(ours)
    run_process(classic)
    pairs = [(run_process(ours)[0], run_process(classic)[0]) for _ in range(5)]
    mine, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    ratio = median_ratio(mine, theirs)
    return Row(
        "one picture from a cold shell, against the classic script",
        "at most 1/10 of its time; aim under 0.6 s",
        f"{statistics.median(mine):.2f} s against {statistics.median(theirs):.2f} s: 1/{1 / ratio:.1f}",
        ratio <= 0.1,
        {"huanjing_seconds": mine, "classic_seconds": theirs},
    )


def throughput(weights: Path, pictures: list[Path]) -> list[Row]:
    """A folder of photographs: the command, the classic script's predicting, and the network alone, in turn."""
    names = [str(path) for path in pictures]
    commands, alone, classics = [], [], []
    for _ in range(5):
        commands.append(_command_rate(pictures[0].parent))
        alone.append(_network_alone(names[:256]))
    for _ in range(2):
        _, talk = run_process([*CLASSIC, str(weights), *names[:64]])
        classics.append(float(talk.split()[-2]))
    against_classic = statistics.median(commands) / statistics.median(classics)
    against_network = median_ratio(commands, alone)
    runs = {"command": commands, "network_alone": alone, "classic": classics}
    return [
        Row(
            "pictures/s on 1,000 photographs, against the classic script",
            "at least 15 times",
            f"{statistics.median(commands):.0f} against {statistics.median(classics):.1f}: "
            f"{against_classic:.0f} times",
            against_classic >= 15,
            runs,
        ),
        Row(
            "pictures/s on 1,000 photographs, against the network alone",
            "at least 80 %",
            f"{statistics.median(commands):.0f} against {statistics.median(alone):.0f}: {against_network:.0%}",
            against_network >= 0.8,
            runs,
        ),
    ]


def memory(folder: Path, pictures: list[Path]) -> Row:
    """Peak memory of the command on 1,000 pictures and on 10,000 (each file named ten times)."""
    peaks = []
    for times in (1, 10):
        listing = "\n".join(str(path) for _ in range(times) for path in pictures)
        command = [*HUANJING, "recognize", "-", "--format", "jsonl", "--output", str(folder / "labels.jsonl")]
        peaks.append(peak_memory(command, listing))
    small, large = peaks
    return Row(
        "peak memory on 10,000 pictures, against 1,000",
        "within 10 %",
        f"{large / 2**20:.0f} MB against {small / 2**20:.0f} MB: {large / small - 1:+.1%}",
        large <= 1.1 * small,
        {"bytes_1000": small, "bytes_10000": large},
    )


def _command_rate(folder: Path) -> float:
    """Pictures/s that the command itself reports: from the first path to the last answer written."""
    return said_rate(run_process([*HUANJING, "recognize", str(folder), "--format", "jsonl"])[1])


def _network_alone(names: list[str], count: int = 1024) -> float:
    """Pictures/s of the same network, batch and streams in a tight loop over pictures that are decoded already."""
    bundle = find_model(None, "recognizer")
    into = bundle.picture_input
    pixels = np.stack(
        [
            np.asarray(
                fit(
                    load_picture(name),
                    into.height,
                    into.width,
                    mode=into.fit,
                    crop_fraction=into.crop_fraction,
                )
            )
            for name in names
        ]
    )
    compiled = compile_graph(bundle, outputs=("logits",), batch=BATCH, streams=processors())
    requests = [compiled.create_infer_request() for _ in range(processors() + 1)]
    for request in requests:
        request.infer([pixels[:BATCH]])
    started = time.perf_counter()
    for number in range(count // BATCH):
        request = requests[number % len(requests)]
        request.wait()
        start = number * BATCH % (len(pixels) - BATCH)
        request.get_input_tensor().data[:] = pixels[start : start + BATCH]
        request.start_async()
    for request in requests:
        request.wait()
    return count // BATCH * BATCH / (time.perf_counter() - started)

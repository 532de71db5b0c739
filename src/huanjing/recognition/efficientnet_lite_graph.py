"""EfficientNet-Lite as an OpenVINO graph, built from named weights, and the weights read back from it.

The graph is the one copy of the weights. Every constant bears its parameter's name (see
:mod:`huanjing.recognition.efficientnet_lite`). Large kernels lie in the file as float16, small ones and batch
normalisation's numbers as float32, unfolded: OpenVINO folds them into the kernels when it compiles, so
inference loses nothing, and training can take the same file up again.

Importing this module imports neither TensorFlow nor OpenVINO.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import BundleError
from huanjing.recognition.efficientnet_lite import (
    EPSILON,
    LITE0,
    MEAN,
    SCALE,
    Unit,
    Variant,
    Weights,
    blocks,
    check_weights,
    parameter_shapes,
)

if TYPE_CHECKING:
    from huanjing.runtime.silent import ov

OUTPUTS = ("feature_map", "features", "logits")

SMALL_KERNEL = 4096
"""Kernels of fewer numbers stay float32: one hundredth of Lite0's file, but most of its first layers, where
rounding does most harm. On the reference pictures of the tests float16 then moves a logit by at most 0.008,
where with all kernels in float16 it is 0.025."""


def build_graph(weights: Weights, variant: Variant = LITE0, *, resolution: int | None = None) -> ov.Model:
    """The network as an OpenVINO graph with any batch size.

    Input ``picture``: RGB, uint8 ``[N, S, S, 3]``, 0..255; the graph normalises. Outputs, float32:
    ``feature_map`` ``[N, 1280, S/32, S/32]`` (the head after its ReLU6), ``features`` ``[N, 1280]`` (its mean
    over the picture) and ``logits`` ``[N, classes]``.

    :param weights: as :func:`read_weights` returns them; the classifier's shape says the number of classes.
    :param resolution: the pictures' side S; by default the variant's.
    :raises BundleError: for a missing weight or one of another shape.
    """
    from huanjing.runtime.silent import ov

    ops = ov.opset15
    weights = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    classes = weights["classifier/bias"].size if "classifier/bias" in weights else 1
    check_weights(weights, parameter_shapes(variant, classes))
    side = variant.resolution if resolution is None else resolution
    picture = ops.parameter([-1, side, side, 3], np.uint8, name="picture")
    picture.output(0).get_tensor().set_names({"picture"})
    picture.set_layout(ov.Layout("NHWC"))
    x = ops.convert(picture, "f32", name="picture_as_float")
    x = ops.subtract(x, constant("mean", np.float32(MEAN)), name="centred")
    x = ops.multiply(x, constant("scale", np.float32(1 / SCALE)), name="normalised")
    x = ops.transpose(x, constant("channels_first", np.array([0, 3, 1, 2], np.int64)), name="normalised_nchw")
    for block in blocks(variant):
        y = x
        for unit in block.units:
            y = _unit_operations(unit, y, side, weights)
            side = -(-side // unit.stride)
        x = ops.add(x, y, name=f"{block.name}_add") if block.residual else y
    pooled = ops.reduce_mean(x, constant("height_and_width", np.array([2, 3], np.int64)), name="features")
    kernel = kernel_constant("classifier/kernel", weights["classifier/kernel"])
    logits = ops.matmul(pooled, kernel, False, True, name="classifier")
    logits = ops.add(logits, constant("classifier/bias", weights["classifier/bias"]), name="logits")
    results = []
    for name, node in zip(OUTPUTS, (x, pooled, logits), strict=True):
        node.output(0).get_tensor().set_names({name})
        results.append(ops.result(node, name=f"{name}_result"))
    return ov.Model(results, [picture], variant.name)


def read_weights(graph: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """The weights in a graph file that :func:`build_graph` made, by parameter name, as float32.

    :param graph: the path of ``graph.xml``; ``graph.bin`` is beside it.
    :raises BundleError: where the file cannot be read or holds no named weights.
    """
    from huanjing.runtime.silent import ov

    try:
        model = ov.Core().read_model(os.fspath(graph))
    except RuntimeError as error:
        raise BundleError(f"{os.fspath(graph)}: OpenVINO cannot read this graph: {error}") from error
    weights = {}
    for node in model.get_ops():
        name = node.get_friendly_name()
        if node.get_type_name() == "Constant" and "/" in name:
            array = np.array(node.get_data(), np.float32)
            # The graph's depthwise kernels have an axis more: [channels, 1, 1, height, width].
            weights[name] = array[:, 0] if array.ndim == 5 else array
    if not weights:
        raise BundleError(f"{os.fspath(graph)}: holds no named weights; training cannot start from it")
    return weights


def _unit_operations(unit: Unit, x: ov.Node, side: int, weights: Weights) -> ov.Node:
    """One :class:`Unit` on a picture of ``side`` × ``side``."""
    from huanjing.runtime.silent import ov

    ops = ov.opset15
    name = f"{unit.name}_convolution"
    kernel = weights[f"{name}/kernel"]
    before, after = same_padding(side, unit.kernel, unit.stride)
    geometry = ([unit.stride] * 2, [before] * 2, [after] * 2, [1, 1])
    if unit.depthwise:
        grouped = kernel_constant(f"{name}/kernel", kernel[:, np.newaxis])
        x = ops.group_convolution(x, grouped, *geometry, name=name)
    else:
        x = ops.convolution(x, kernel_constant(f"{name}/kernel", kernel), *geometry, name=name)
    name = f"{unit.name}_normalisation"
    numbers = (
        constant(f"{name}/{variable}", weights[f"{name}/{variable}"])
        for variable in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    x = ops.batch_norm_inference(x, *numbers, EPSILON, name=name)
    return ops.clamp(x, 0.0, 6.0, name=f"{unit.name}_relu6") if unit.activated else x


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's "same" padding (before, after): ceil(side / stride) outputs, an odd rest goes after."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def constant(name: str, value: NDArray[np.generic] | np.generic) -> ov.Node:
    """A constant of the value's own type."""
    from huanjing.runtime.silent import ov

    return ov.opset15.constant(
        np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value), name=name
    )


def kernel_constant(name: str, value: NDArray[np.float32]) -> ov.Node:
    """A float16 constant and its conversion back, the form that OpenVINO takes for compressed weights.

    A small kernel is a plain float32 constant.
    """
    from huanjing.runtime.silent import ov

    if value.size < SMALL_KERNEL:
        return constant(name, value)
    with np.errstate(over="ignore"):
        half = value.astype(np.float16)
    if not np.isfinite(half).all():
        raise BundleError(f"The weights of {name} do not fit float16: their largest is {np.abs(value).max()}")
    return ov.opset15.convert(constant(name, half), "f32", name=f"{name}_as_float")

"""A network's operations in ONNX: one small function for each type.

OpenVINO counts axes as ONNX does (NCHW), so most numbers are taken over as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from huanjing.export.graph import Graph, Operation, axes_of, halved, slices_of


class OnnxModel:
    """The ONNX model while it grows."""

    def __init__(self, graph: Graph, half: bool) -> None:
        self.graph = graph
        self.half = half
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.values: dict[str, str] = {given.name: given.name for given in graph.inputs}
        self._count = 0

    def inputs(self, operation: Operation) -> list[str]:
        """The ONNX values that an operation reads; constants are added to the model when first read."""
        return [self.value(name) for name in operation.inputs]

    def value(self, name: str) -> str:
        """The ONNX value for what an operation computed, or for a constant."""
        if name not in self.values:
            self.values[name] = self.constant(self.graph.constants[name], name)
        return self.values[name]

    def constant(self, array: NDArray[Any], name: str = "") -> str:
        """Add an array to the model; the value's name."""
        name = name or self._unique("constant")
        small = halved(array) if self.half else None
        if small is not None:
            self.initializers.append(numpy_helper.from_array(small, f"{name}_half"))
            return self.add("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, inputs: list[str], name: str = "", **attributes: Any) -> str:
        """Add one ONNX operator; its output's name."""
        name = name or self._unique(kind)
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def _unique(self, kind: str) -> str:
        self._count += 1
        return f"huanjing_{kind}_{self._count}"


Translate = Callable[[OnnxModel, Operation], str]


def _same(kind: str, **attributes: Any) -> Translate:
    """An operation that ONNX has too, with the same inputs."""
    return lambda model, operation: model.add(kind, model.inputs(operation), operation.name, **attributes)


def _add(model: OnnxModel, operation: Operation) -> str:
    """A bias as ``[values]``, which ONNX Runtime's quantiser needs, where a graph has ``[1, values]``."""
    values = model.inputs(operation)
    for k, name in enumerate(operation.inputs):
        array = model.graph.constants.get(name)
        if array is not None and array.ndim == len(operation.shape) == 2 and len(array) == 1:
            values[k] = model.constant(array[0])
    return model.add("Add", values, operation.name)


def _convert(model: OnnxModel, operation: Operation) -> str:
    if operation.attributes["destination_type"] != "f32":
        raise operation.refuse(f"it converts to {operation.attributes['destination_type']}")
    return model.add("Cast", model.inputs(operation), operation.name, to=TensorProto.FLOAT)


def _geometry(operation: Operation) -> dict[str, list[int]]:
    attributes = operation.attributes
    geometry = {
        "strides": list(attributes["strides"]),
        "pads": [*attributes["pads_begin"], *attributes["pads_end"]],
    }
    if "dilations" in attributes:
        geometry["dilations"] = list(attributes["dilations"])
    return geometry


def _convolution(model: OnnxModel, operation: Operation) -> str:
    return model.add("Conv", model.inputs(operation), operation.name, **_geometry(operation))


def _group_convolution(model: OnnxModel, operation: Operation) -> str:
    picture, kernel = operation.inputs
    array = model.graph.constants.get(kernel)
    if array is None:
        raise operation.refuse("its kernel is computed")
    groups, made, *rest = array.shape
    flat = array.reshape(groups * made, *rest)
    inputs = [model.value(picture), model.constant(flat, f"{kernel}_grouped")]
    return model.add("Conv", inputs, operation.name, group=groups, **_geometry(operation))


def _transposed_convolution(model: OnnxModel, operation: Operation) -> str:
    geometry = _geometry(operation)
    rest = []
    sizes = (operation.pictures[0], operation.kernel, operation.pictures[1])
    for axis, (size, kernel, made) in enumerate(zip(*sizes, strict=True)):
        reach = geometry["dilations"][axis] * (kernel - 1) + 1
        padding = geometry["pads"][axis] + geometry["pads"][2 + axis]
        rest.append(made - ((size - 1) * geometry["strides"][axis] - padding + reach))
    return model.add(
        "ConvTranspose", model.inputs(operation), operation.name, output_padding=rest, **geometry
    )


def _pooling(kind: str) -> Translate:
    def translate(model: OnnxModel, operation: Operation) -> str:
        attributes = operation.attributes
        extra = {"ceil_mode": int(attributes["rounding_type"] != "floor")}
        if attributes["rounding_type"] not in {"floor", "ceil"}:
            raise operation.refuse(f"it rounds sizes by {attributes['rounding_type']}")
        if kind == "AveragePool":
            extra["count_include_pad"] = int(not attributes["exclude-pad"])
        geometry = _geometry(operation) | {"kernel_shape": list(attributes["kernel"])}
        return model.add(kind, model.inputs(operation), operation.name, **geometry, **extra)

    return translate


def _batch_normalisation(model: OnnxModel, operation: Operation) -> str:
    epsilon = operation.attributes["epsilon"]
    return model.add("BatchNormalization", model.inputs(operation), operation.name, epsilon=epsilon)


def _clamp(model: OnnxModel, operation: Operation) -> str:
    bounds = [model.constant(np.array(operation.attributes[end], np.float32)) for end in ("min", "max")]
    return model.add("Clip", [*model.inputs(operation), *bounds], operation.name)


def _leaky(model: OnnxModel, operation: Operation) -> str:
    picture, slope = operation.inputs
    if model.graph.constants[slope].size != 1:
        raise operation.refuse("its slope differs between channels")
    alpha = float(model.graph.constants[slope].item())
    return model.add("LeakyRelu", [model.value(picture)], operation.name, alpha=alpha)


def _swish(model: OnnxModel, operation: Operation) -> str:
    values = model.inputs(operation)
    gate = values[0] if len(values) == 1 else model.add("Mul", values)
    return model.add("Mul", [values[0], model.add("Sigmoid", [gate])], operation.name)


def _squared_difference(model: OnnxModel, operation: Operation) -> str:
    difference = model.add("Sub", model.inputs(operation))
    return model.add("Mul", [difference, difference], operation.name)


def _mean(model: OnnxModel, operation: Operation) -> str:
    axes = axes_of(model.graph.constants[operation.inputs[1]], len(operation.input_shapes[0]))
    keep = int(operation.attributes["keep_dims"])
    return model.add(
        "ReduceMean", [model.value(operation.inputs[0])], operation.name, axes=axes, keepdims=keep
    )


def _matrix_product(model: OnnxModel, operation: Operation) -> str:
    values = model.inputs(operation)
    for k, key in enumerate(("transpose_a", "transpose_b")):
        if operation.attributes[key]:
            rank = len(operation.input_shapes[k])
            order = [*range(rank - 2), rank - 1, rank - 2]
            values[k] = model.add("Transpose", [values[k]], perm=order)
    return model.add("MatMul", values, operation.name)


def _transpose(model: OnnxModel, operation: Operation) -> str:
    order = [int(axis) for axis in model.graph.constants[operation.inputs[1]]]
    return model.add("Transpose", [model.value(operation.inputs[0])], operation.name, perm=order)


def _reshape(model: OnnxModel, operation: Operation) -> str:
    target = model.constant(np.array([-1 if size is None else size for size in operation.shape], np.int64))
    return model.add("Reshape", [*model.inputs(operation), target], operation.name)


def _concatenate(model: OnnxModel, operation: Operation) -> str:
    axis = operation.attributes["axis"]
    return model.add("Concat", model.inputs(operation), operation.name, axis=axis)


def _pad(model: OnnxModel, operation: Operation) -> str:
    if operation.attributes["pad_mode"] != "constant":
        raise operation.refuse(f"it pads by {operation.attributes['pad_mode']}")
    before, after = (model.graph.constants[name] for name in operation.inputs[1:3])
    amounts = model.constant(np.concatenate([before, after]).astype(np.int64))
    filler = [model.value(name) for name in operation.inputs[3:4]]
    return model.add("Pad", [model.value(operation.inputs[0]), amounts, *filler], operation.name)


def _slice(model: OnnxModel, operation: Operation) -> str:
    taken = slices_of(operation, model.graph.constants)
    ends = [
        [one.start or 0 for one in taken],
        [np.iinfo(np.int64).max if one.stop is None else one.stop for one in taken],
        list(range(len(taken))),
        [one.step for one in taken],
    ]
    bounds = [model.constant(np.array(values, np.int64)) for values in ends]
    return model.add("Slice", [model.value(operation.inputs[0]), *bounds], operation.name)


def _resize(model: OnnxModel, operation: Operation) -> str:
    attributes = operation.attributes
    modes = {"linear_onnx": "linear", "linear": "linear", "nearest": "nearest"}
    if attributes["mode"] not in modes or attributes["antialias"] or any(attributes["pads_begin"]):
        raise operation.refuse(f"it resizes by {attributes['mode']}, or pads, or antialiases")
    ratios = [
        1.0 if old is None or new is None else new / old
        for old, new in zip(operation.input_shapes[0], operation.shape, strict=True)
    ]
    scales = model.constant(np.array(ratios, np.float32))
    return model.add(
        "Resize",
        [*model.inputs(operation), "", scales],
        operation.name,
        mode=modes[attributes["mode"]],
        coordinate_transformation_mode=attributes["coordinate_transformation_mode"],
        nearest_mode=attributes["nearest_mode"],
    )


OPERATIONS: dict[str, Translate] = {
    "Add": _add,
    "AvgPool": _pooling("AveragePool"),
    "BatchNormInference": _batch_normalisation,
    "Clamp": _clamp,
    "Concat": _concatenate,
    "Convert": _convert,
    "Convolution": _convolution,
    "ConvolutionBackpropData": _transposed_convolution,
    "Divide": _same("Div"),
    "Erf": _same("Erf"),
    "Exp": _same("Exp"),
    "GroupConvolution": _group_convolution,
    "HSigmoid": _same("HardSigmoid", alpha=1 / 6, beta=0.5),
    "HSwish": _same("HardSwish"),
    "Interpolate": _resize,
    "MatMul": _matrix_product,
    "MaxPool": _pooling("MaxPool"),
    "Maximum": _same("Max"),
    "Minimum": _same("Min"),
    "Multiply": _same("Mul"),
    "PRelu": _leaky,
    "Pad": _pad,
    "Power": _same("Pow"),
    "ReduceMean": _mean,
    "Relu": _same("Relu"),
    "Reshape": _reshape,
    "Sigmoid": _same("Sigmoid"),
    "Sqrt": _same("Sqrt"),
    "SquaredDifference": _squared_difference,
    "StridedSlice": _slice,
    "Subtract": _same("Sub"),
    "Swish": _swish,
    "Tanh": _same("Tanh"),
    "Transpose": _transpose,
}
"""By OpenVINO's name of the type."""

"""A network's operations in TensorFlow: one small function for each type."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from huanjing.export.graph import Operation, axes_of, same_pads, slices_of
from huanjing.export.tensorflow_values import FIRST, LAST, Network, Value

Translate = Callable[[Network, Operation], Value]


def _each(function: Callable[..., tf.Tensor]) -> Translate:
    """An operation on each number by itself, of one or several inputs that are broadcast."""

    def translate(network: Network, operation: Operation) -> Value:
        if operation.attributes.get("auto_broadcast", "numpy") != "numpy":
            raise operation.refuse(f"it broadcasts by {operation.attributes['auto_broadcast']}")
        ranks = [len(shape) for shape in operation.input_shapes]
        computed = [network.values[name] for name in operation.inputs if name in network.values]
        last = any(value.channels_last for value in computed)
        if not last or any(
            rank != 4 and network.numbers(name) is None
            for name, rank in zip(operation.inputs, ranks, strict=True)
        ):
            return Value(function(*(network.value(name).as_is for name in operation.inputs)))
        tensors = []
        for name in operation.inputs:
            array = network.numbers(name)
            if array is None:
                tensors.append(network.value(name).last)
            elif array.size == 1:
                tensors.append(network.constant(array.reshape(())))
            else:
                whole = array.reshape((1,) * (4 - array.ndim) + array.shape)
                tensors.append(network.constant(whole.transpose(LAST)))
        return Value(function(*tensors), channels_last=True)

    return translate


def _convert(network: Network, operation: Operation) -> Value:
    if operation.attributes["destination_type"] != "f32":
        raise operation.refuse(f"it converts to {operation.attributes['destination_type']}")
    given = network.first(operation)
    return Value(tf.cast(given.tensor, tf.float32), given.channels_last)


def _padded(
    network: Network, operation: Operation, window: tuple[int, int] | None = None, filler: float = 0.0
) -> tuple[tf.Tensor, str]:
    """The picture, NHWC, and TensorFlow's word for the padding; what has no word is done beforehand."""
    picture = network.first(operation).last
    begin, end = operation.attributes["pads_begin"], operation.attributes["pads_end"]
    if same_pads(operation, window or operation.kernel):
        return picture, "SAME"
    if any([*begin, *end]):
        amounts = [[0, 0], [begin[0], end[0]], [begin[1], end[1]], [0, 0]]
        picture = tf.pad(picture, amounts, constant_values=filler)
    return picture, "VALID"


def _convolution(network: Network, operation: Operation) -> Value:
    kernel = network.kernel(operation, (2, 3, 1, 0))
    picture, padding = _padded(network, operation)
    attributes = operation.attributes
    made = tf.nn.conv2d(picture, kernel, attributes["strides"], padding, dilations=attributes["dilations"])
    return Value(made, channels_last=True)


def _group_convolution(network: Network, operation: Operation) -> Value:
    array = network.numbers(operation.inputs[1])
    if array is None:
        raise operation.refuse("its kernel is computed")
    groups, made, taken, *window = array.shape
    attributes = operation.attributes
    picture, padding = _padded(network, operation)
    if taken > 1:
        kernel = network.constant(array.reshape(groups * made, taken, *window).transpose(2, 3, 1, 0))
        result = tf.nn.conv2d(
            picture, kernel, attributes["strides"], padding, dilations=attributes["dilations"]
        )
    elif attributes["strides"][0] == attributes["strides"][1]:
        kernel = network.constant(array[:, :, 0].transpose(2, 3, 0, 1))
        strides = [1, *attributes["strides"], 1]
        result = tf.nn.depthwise_conv2d(picture, kernel, strides, padding, dilations=attributes["dilations"])
    else:
        raise operation.refuse("its strides differ")
    return Value(result, channels_last=True)


def _transposed_convolution(network: Network, operation: Operation) -> Value:
    kernel = network.kernel(operation, (2, 3, 1, 0))
    picture = network.first(operation).last
    attributes = operation.attributes
    if attributes["dilations"] != [1, 1]:
        raise operation.refuse("it is dilated")
    channels, (height, width) = operation.shape[1], operation.pictures[1]
    begin, strides = attributes["pads_begin"], attributes["strides"]
    if same_pads(operation, operation.kernel, backwards=True):
        size = [tf.shape(picture)[0], height, width, channels]
        made = tf.nn.conv2d_transpose(picture, kernel, tf.stack(size), strides, "SAME")
        return Value(made, channels_last=True)
    rows, columns = ((picture.shape[1 + axis] - 1) * strides[axis] + kernel.shape[axis] for axis in range(2))
    size = [tf.shape(picture)[0], max(rows, begin[0] + height), max(columns, begin[1] + width), channels]
    whole = tf.nn.conv2d_transpose(picture, kernel, tf.stack(size), strides, "VALID")
    made = whole[:, begin[0] : begin[0] + height, begin[1] : begin[1] + width]
    return Value(made, channels_last=True)


def _pooling(kind: str) -> Translate:
    def translate(network: Network, operation: Operation) -> Value:
        attributes = operation.attributes
        window = tuple(attributes["kernel"])
        pool = tf.nn.max_pool2d if kind == "MAX" else tf.nn.avg_pool2d
        if attributes["rounding_type"] != "floor" or attributes.get("dilations", [1, 1]) != [1, 1]:
            raise operation.refuse("it rounds sizes up, or is dilated")
        picture, padding = _padded(network, operation, window, filler=float(np.finfo(np.float32).min))
        padded = any([*attributes["pads_begin"], *attributes["pads_end"]])
        if kind == "AVG" and padded and (padding != "SAME" or not attributes["exclude-pad"]):
            raise operation.refuse("it averages over padding that is not TensorFlow's SAME")
        return Value(pool(picture, window, attributes["strides"], padding), channels_last=True)

    return translate


def _batch_normalisation(network: Network, operation: Operation) -> Value:
    gamma, beta, mean, variance = (network.graph.constants[name] for name in operation.inputs[1:])
    scale = gamma / np.sqrt(variance + operation.attributes["epsilon"])
    shift = beta - mean * scale
    given = network.first(operation)
    if len(operation.shape) == 4:
        return Value(given.last * tf.constant(scale) + tf.constant(shift), channels_last=True)
    return Value(given.as_is * tf.constant(scale) + tf.constant(shift))


def _clamp(network: Network, operation: Operation) -> Value:
    low, high = operation.attributes["min"], operation.attributes["max"]
    given = network.first(operation)
    if (low, high) == (0.0, 6.0):
        return Value(tf.nn.relu6(given.tensor), given.channels_last)
    return Value(tf.clip_by_value(given.tensor, low, high), given.channels_last)


def _leaky(network: Network, operation: Operation) -> Value:
    slope = network.numbers(operation.inputs[1])
    if slope is None or slope.size != 1:
        raise operation.refuse("its slope differs between channels")
    given = network.first(operation)
    return Value(tf.nn.leaky_relu(given.tensor, float(slope.item())), given.channels_last)


def _erf(network: Network, operation: Operation) -> Value:
    """LiteRT has no erf: Abramowitz and Stegun 7.1.26 then, which is within 1.5e-7 of it."""
    given = network.first(operation)
    if not network.builtin:
        return Value(tf.math.erf(given.tensor), given.channels_last)
    x = tf.abs(given.tensor)
    t = 1.0 / (1.0 + 0.3275911 * x)
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    polynomial = tf.zeros_like(t)
    for factor in factors:
        polynomial = (polynomial + factor) * t
    return Value(tf.sign(given.tensor) * (1.0 - polynomial * tf.exp(-x * x)), given.channels_last)


def _mean(network: Network, operation: Operation) -> Value:
    rank = len(operation.input_shapes[0])
    axes = axes_of(network.graph.constants[operation.inputs[1]], rank)
    keep = bool(operation.attributes["keep_dims"])
    given = network.first(operation)
    if given.channels_last and (keep or sorted(axes) == [2, 3]):
        mean = tf.reduce_mean(given.tensor, [FIRST[axis] for axis in axes], keepdims=keep)
        return Value(mean, channels_last=keep)
    return Value(tf.reduce_mean(given.as_is, axes, keepdims=keep))


def _matrix_product(network: Network, operation: Operation) -> Value:
    left, right = (network.value(name).as_is for name in operation.inputs)
    attributes = operation.attributes
    transposed = {key: attributes[key] for key in ("transpose_a", "transpose_b")}
    return Value(tf.linalg.matmul(left, right, **transposed))


def _transpose(network: Network, operation: Operation) -> Value:
    order = tuple(int(axis) for axis in network.graph.constants[operation.inputs[1]])
    given = network.first(operation)
    if given.channels_last and order == LAST:
        return Value(given.tensor)
    if not given.channels_last and order == FIRST:
        return Value(given.tensor, channels_last=True)
    return Value(tf.transpose(given.as_is, order))


def _reshape(network: Network, operation: Operation) -> Value:
    target = [-1 if size is None else size for size in operation.shape]
    return Value(tf.reshape(network.first(operation).as_is, target))


def _concatenate(network: Network, operation: Operation) -> Value:
    values = [network.value(name) for name in operation.inputs]
    axis = operation.attributes["axis"] % len(operation.shape)
    if any(value.channels_last for value in values):
        return Value(tf.concat([value.last for value in values], FIRST[axis]), channels_last=True)
    return Value(tf.concat([value.as_is for value in values], axis))


def _pad(network: Network, operation: Operation) -> Value:
    if operation.attributes["pad_mode"] != "constant":
        raise operation.refuse(f"it pads by {operation.attributes['pad_mode']}")
    constants = network.graph.constants
    amounts = np.stack([constants[name] for name in operation.inputs[1:3]], axis=1)
    filler = float(constants[operation.inputs[3]].item()) if len(operation.inputs) > 3 else 0.0
    given = network.first(operation)
    if given.channels_last:
        amounts = amounts[list(LAST)]
    return Value(tf.pad(given.tensor, amounts, constant_values=filler), given.channels_last)


def _slice(network: Network, operation: Operation) -> Value:
    return Value(network.first(operation).as_is[tuple(slices_of(operation, network.graph.constants))])


def _resize(network: Network, operation: Operation) -> Value:
    attributes = operation.attributes
    methods = {"linear_onnx": "bilinear", "linear": "bilinear", "nearest": "nearest"}
    if attributes["mode"] not in methods or attributes["antialias"] or any(attributes["pads_begin"]):
        raise operation.refuse(f"it resizes by {attributes['mode']}, or pads, or antialiases")
    if attributes["mode"] != "nearest" and attributes["coordinate_transformation_mode"] != "half_pixel":
        raise operation.refuse(f"it places pixels by {attributes['coordinate_transformation_mode']}")
    changed = [axis for axis in range(4) if operation.input_shapes[0][axis] != operation.shape[axis]]
    given = network.first(operation)
    first = set(changed) <= {2, 3}
    if not first and not set(changed) <= {1, 2}:
        raise operation.refuse("it resizes more than height and width")
    picture = given.last if first else given.as_is
    size = operation.shape[2:] if first else operation.shape[1:3]
    return Value(tf.image.resize(picture, size, methods[attributes["mode"]]), channels_last=first)


OPERATIONS: dict[str, Translate] = {
    "Add": _each(tf.add),
    "AvgPool": _pooling("AVG"),
    "BatchNormInference": _batch_normalisation,
    "Clamp": _clamp,
    "Concat": _concatenate,
    "Convert": _convert,
    "Convolution": _convolution,
    "ConvolutionBackpropData": _transposed_convolution,
    "Divide": _each(tf.divide),
    "Erf": _erf,
    "Exp": _each(tf.exp),
    "GroupConvolution": _group_convolution,
    "HSigmoid": _each(lambda x: tf.nn.relu6(x + 3.0) * (1 / 6)),
    "HSwish": _each(lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6)),
    "Interpolate": _resize,
    "MatMul": _matrix_product,
    "MaxPool": _pooling("MAX"),
    "Maximum": _each(tf.maximum),
    "Minimum": _each(tf.minimum),
    "Multiply": _each(tf.multiply),
    "PRelu": _leaky,
    "Pad": _pad,
    "Power": _each(tf.pow),
    "ReduceMean": _mean,
    "Relu": _each(tf.nn.relu),
    "Reshape": _reshape,
    "Sigmoid": _each(tf.sigmoid),
    "Sqrt": _each(tf.sqrt),
    "SquaredDifference": _each(tf.math.squared_difference),
    "StridedSlice": _slice,
    "Subtract": _each(tf.subtract),
    "Swish": _each(lambda x, beta=1.0: x * tf.sigmoid(beta * x)),
    "Tanh": _each(tf.tanh),
    "Transpose": _transpose,
}
"""By OpenVINO's name of the type."""

"""The last layer of a recogniser, read from its graph: what class-activation maps are made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
from huanjing.errors import BundleError
from huanjing.runtime.engine import core
from huanjing.runtime.silent import ov

Reals = NDArray[np.float64]

TOLERANCE = 1e-3
"""How far the mean of a map plus the bias may lie from the logit, as a share of the logits' spread (at least 1)."""
PASSING = {"Reshape", "Squeeze", "Unsqueeze", "Transpose"}
"""Operations behind the last layer that move numbers and change none."""


@dataclass(frozen=True)
class LastLayer:
    """A dense layer: logits = kernel · features + bias."""

    kernel: NDArray[np.float32]
    """``[classes, features]``."""
    bias: NDArray[np.float32]
    """``[classes]``."""

    def maps(self, feature_map: Reals, logits: Reals, classes: Sequence[int]) -> list[Reals] | None:
        """The class-activation map ``[H, W]`` of each of ``classes``.

        :param feature_map: ``[features, H, W]`` of one picture.
        :param logits: ``[classes]`` of the same picture. That every logit is the mean of its map plus its bias is
            checked: where one is not, the network computes something else than it seems to, and the answer is None.
        """
        expected = self.kernel @ feature_map.mean(axis=(1, 2)) + self.bias
        if not np.abs(expected - logits).max() <= TOLERANCE * max(1.0, float(logits.std())):
            return None
        return [np.tensordot(self.kernel[index].astype(np.float64), feature_map, 1) for index in classes]


def read_head(bundle: Bundle) -> LastLayer | None:
    """The last layer of the bundle's graph: a matrix product or a 1×1 convolution, its bias, and nothing else.

    :returns: None where the graph has no ``feature_map``, or ends in anything else.
    :raises BundleError: where OpenVINO cannot read the graph.
    """
    try:
        graph = core().read_model(bundle.graph)
    except RuntimeError as error:
        raise BundleError(f"{bundle.folder}: OpenVINO cannot use this graph: {error}") from error
    channels = _channels(graph)
    if channels is None:
        return None
    classes = len(bundle.manifest.classes)
    bias = np.zeros(classes, np.float32)
    node = graph.output("logits").get_node().input_value(0).get_node()
    while True:
        kind = node.get_type_name()
        if kind in {"MatMul", "Convolution"}:
            kernel = _kernel(node, classes, channels)
            return LastLayer(kernel, bias) if kernel is not None else None
        if kind == "Add":
            values, following = _constant(node.input_value(1)), node.input_value(0)
            if values is None:
                values, following = _constant(node.input_value(0)), node.input_value(1)
            if values is None or values.size != classes:
                return None
            bias = bias + values.reshape(-1)
        elif kind in PASSING:
            following = node.input_value(0)
        else:
            return None
        node = following.get_node()


def _channels(graph: ov.Model) -> int | None:
    """How many channels ``feature_map`` has (NCHW), None where there is none."""
    for output in graph.outputs:
        if "feature_map" in output.get_names():
            shape = output.get_partial_shape()
            return shape[1].get_length() if len(shape) == 4 and shape[1].is_static else None
    return None


def _kernel(node: ov.Node, classes: int, channels: int) -> NDArray[np.float32] | None:
    """The constant that a matrix product or a 1×1 convolution multiplies with, as ``[classes, channels]``."""
    values = _constant(node.input_value(1))
    if values is None:
        return None
    if node.get_type_name() == "Convolution":
        values = values.reshape(values.shape[:2]) if values.shape[2:] == (1, 1) else values
    elif not node.get_attributes()["transpose_b"]:
        values = values.T
    return values if values.shape == (classes, channels) else None


def _constant(output: ov.Output) -> NDArray[np.float32] | None:
    """The value of a constant, whether it lies in the graph as float32 or compressed."""
    node = output.get_node()
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.array(node.get_data(), np.float32) if node.get_type_name() == "Constant" else None

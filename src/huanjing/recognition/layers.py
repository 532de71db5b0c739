"""What each layer of a network makes of one picture, so that one can look inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
from huanjing.runtime.engine import core
from huanjing.runtime.silent import ov

Kind = Literal["convolution", "pooling", "dense"]

KINDS: dict[str, Kind] = {
    "Convolution": "convolution",
    "GroupConvolution": "convolution",
    "MaxPool": "pooling",
    "AvgPool": "pooling",
    "ReduceMean": "pooling",
    "MatMul": "dense",
}
AFTERWARDS = {
    "Add",
    "BatchNormInference",
    "Clamp",
    "Elu",
    "Gelu",
    "HSwish",
    "Multiply",
    "Relu",
    "Sigmoid",
    "Swish",
}
"""Operations that belong to the layer before them: bias, normalisation, activation."""
ADDING_UP = {"Add", "Multiply"}
"""Those that may also join two branches; then they are no part of a layer."""


@dataclass(frozen=True)
class LayerOutput:
    """A layer, and what it made of the picture."""

    name: str
    kind: Kind
    weights: int
    """How many numbers it learned."""
    values: NDArray[np.float32]
    """After bias, normalisation and activation: ``[channels, height, width]``, or ``[units]``."""


def layer_outputs(bundle: Bundle, picture: NDArray[np.uint8]) -> list[LayerOutput]:
    """Run a recogniser on one picture and keep what every convolution, pooling and dense layer gives, in order.

    :param picture: HWC uint8, 0..255, of the network's input size.
    :raises BundleError: for a bundle that is no recogniser.
    """
    height, width, channels = (
        bundle.picture_input.height,
        bundle.picture_input.width,
        bundle.picture_input.channels,
    )
    if picture.shape != (height, width, channels) or picture.dtype != np.uint8:
        raise ValueError(
            f"uint8 of shape {(height, width, channels)} is needed, got {picture.dtype} {picture.shape}"
        )
    graph = core().read_model(bundle.graph)
    layers = list(_layers(graph))
    model = ov.Model([end.output(0) for _, end, _ in layers], graph.get_parameters(), "layers")
    model.reshape([1, height, width, channels])
    found = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(picture[None])
    return [
        LayerOutput(
            start.get_friendly_name(),
            KINDS[start.get_type_name()],
            weights,
            np.array(found[k][0], np.float32),
        )
        for k, (start, _, weights) in enumerate(layers)
    ]


def _layers(graph: ov.Model) -> Iterator[tuple[ov.Node, ov.Node, int]]:
    """Each layer's first and last operation, and how many weights it has."""
    for node in graph.get_ordered_ops():
        kind = KINDS.get(node.get_type_name())
        if kind is None or (kind == "dense" and not _weights(node)):
            continue
        end, weights = node, _weights(node) if kind != "pooling" else 0
        while (following := _following(end)) is not None:
            weights += _weights(following)
            end = following
        yield node, end, weights


def _following(node: ov.Node) -> ov.Node | None:
    """The next operation, where it belongs to the same layer."""
    users = [user.get_node() for user in node.output(0).get_target_inputs()]
    users = [user for user in users if user.get_type_name() != "Result"]
    if len(users) != 1 or users[0].get_type_name() not in AFTERWARDS:
        return None
    if users[0].get_type_name() in ADDING_UP and not any(map(_constant, users[0].input_values())):
        return None
    return users[0]


def _weights(node: ov.Node) -> int:
    return sum(int(np.prod(value.get_shape())) for value in node.input_values() if _constant(value))


def _constant(value: ov.Output) -> bool:
    """Whether a value is stored in the graph, perhaps in half precision."""
    node = value.get_node()
    while node.get_type_name() in {"Convert", "Reshape", "Transpose"}:
        node = node.input_value(0).get_node()
    return bool(node.get_type_name() == "Constant")

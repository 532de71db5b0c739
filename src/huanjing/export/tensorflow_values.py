"""Values of a network while TensorFlow traces it.

OpenVINO counts a picture's axes as NCHW; TensorFlow on a processor, and LiteRT, convolve NHWC only. So a value may
lie channels last while its shape is spoken of channels first: :class:`Value` says which. Transposes of the original
graph then only change what is said, and hardly any is left in the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from huanjing.export.graph import Graph, Operation, halved

LAST = (0, 2, 3, 1)
"""From NCHW to NHWC: where each axis of the result comes from."""
FIRST = (0, 3, 1, 2)
"""From NHWC to NCHW; also, for each axis of NCHW, its place in NHWC."""


@dataclass(frozen=True)
class Value:
    """What an operation computed."""

    tensor: tf.Tensor
    channels_last: bool = False
    """The tensor is NHWC, where the original graph has NCHW."""

    @property
    def as_is(self) -> tf.Tensor:
        """The tensor with its axes as in the original graph."""
        return tf.transpose(self.tensor, FIRST) if self.channels_last else self.tensor

    @property
    def last(self) -> tf.Tensor:
        """A picture as NHWC, which is NCHW in the original graph."""
        return self.tensor if self.channels_last else tf.transpose(self.tensor, LAST)


@dataclass
class Network:
    """The values computed so far."""

    graph: Graph
    half: bool
    builtin: bool

    def __post_init__(self) -> None:
        self.values: dict[str, Value] = {}

    def numbers(self, name: str) -> NDArray[Any] | None:
        """A constant's numbers; None for what is computed."""
        return self.graph.constants.get(name)

    def constant(self, array: NDArray[Any]) -> tf.Tensor:
        """An array as a tensor."""
        small = halved(array) if self.half else None
        if small is not None:
            return tf.cast(tf.constant(small), tf.float32)
        return tf.constant(array)

    def value(self, name: str) -> Value:
        """A computed value, or a constant as one."""
        array = self.numbers(name)
        return self.values[name] if array is None else Value(self.constant(array))

    def first(self, operation: Operation) -> Value:
        """The first input."""
        return self.value(operation.inputs[0])

    def kernel(self, operation: Operation, axes: tuple[int, ...]) -> tf.Tensor:
        """The second input with its axes in the order ``axes``."""
        array = self.numbers(operation.inputs[1])
        if array is None:
            raise operation.refuse("its kernel is computed")
        return self.constant(array.transpose(axes))

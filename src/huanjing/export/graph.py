"""A bundle's network as a plain list of operations, read from its OpenVINO graph, for the translators to walk.

Only what carries numbers is listed. OpenVINO infers every shape but the batch's, so what a graph computes about
shapes (the target of a reshape, the size of a transposed convolution's output) is taken from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
from huanjing.errors import BundleError, UsageError
from huanjing.runtime.silent import ov

HALVED = 4096
"""In half precision, constants of at least so many numbers are stored as float16; smaller ones are little of a file,
and rounding them does most harm."""

Shape = tuple[int | None, ...]
"""Sizes; None is the batch's."""

DATA_INPUTS = {"Reshape": 1, "Interpolate": 1, "ConvolutionBackpropData": 2}
"""Of these operations, how many of the inputs are data; the others say a shape, which the result has anyway."""


@dataclass(frozen=True)
class Operation:
    """One operation: its inputs are names of other operations, of constants, or of the graph's inputs."""

    type: str
    """OpenVINO's name for it, such as ``Convolution``."""
    name: str
    """Unique in the graph; what it computes goes by the same name."""
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape
    """Of the result."""
    attributes: dict[str, Any]

    @property
    def pictures(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Height and width of the first input and of the result, both NCHW."""
        sizes = [tuple(size or 0 for size in shape[2:4]) for shape in (self.input_shapes[0], self.shape)]
        return sizes[0], sizes[1]  # type: ignore[return-value]

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the kernel, the second input."""
        height, width = (size or 0 for size in self.input_shapes[1][-2:])
        return height, width

    def refuse(self, what: str) -> UsageError:
        """The error for a variant of an operation that no translator knows."""
        return UsageError(
            f"The network's operation {self.name} ({self.type}) cannot be exported to this format: {what}. "
            "--to openvino takes every network. Please report this with the network's architecture."
        )


@dataclass(frozen=True)
class Input:
    """What a network is given."""

    name: str
    type: str
    """``uint8`` or ``float32``."""
    shape: Shape


@dataclass(frozen=True)
class Graph:
    """A network: operations in an order in which each comes after what it reads."""

    inputs: tuple[Input, ...]
    constants: dict[str, NDArray[Any]]
    """Floats as float32, whatever they are stored as."""
    operations: tuple[Operation, ...]
    outputs: dict[str, str]
    """From the output's name to that of the operation that computes it."""
    shapes: dict[str, Shape]
    """Of the outputs."""


def read_model(bundle: Bundle) -> ov.Model:
    """The bundle's OpenVINO graph. :raises BundleError: where OpenVINO cannot read it."""
    try:
        return ov.Core().read_model(bundle.graph)
    except RuntimeError as error:
        raise BundleError(f"{bundle.folder}: OpenVINO cannot read this graph: {error}") from error


def read_graph(bundle: Bundle) -> Graph:
    """The network of a bundle.

    :raises UsageError: for a graph of another form: with sizes beside the batch's left open.
    """
    model = read_model(bundle)
    results = {result.output(0).get_any_name(): result.input_value(0) for result in model.get_results()}
    needed = _needed([output.get_node() for output in results.values()])
    reader = _Reader({*results, *(name for given in model.inputs for name in given.get_names())})
    for node in model.get_ordered_ops():
        if node.get_friendly_name() in needed:
            reader.read(node)
    return Graph(
        inputs=tuple(
            Input(
                given.get_any_name(),
                {"u8": "uint8", "f32": "float32"}[given.get_element_type().get_type_name()],
                _shape(given),
            )
            for given in model.inputs
        ),
        constants=reader.constants,
        operations=tuple(reader.operations),
        outputs={name: reader.source(output) for name, output in results.items()},
        shapes={name: _shape(output) for name, output in results.items()},
    )


def _needed(nodes: list[Any]) -> set[str]:
    """The friendly names, which OpenVINO keeps unique, of all nodes that data of ``nodes`` comes from."""
    found: set[str] = set()
    while nodes:
        node = nodes.pop()
        if node.get_friendly_name() not in found:
            found.add(node.get_friendly_name())
            count = DATA_INPUTS.get(node.get_type_name(), node.get_input_size())
            nodes += [node.input_value(k).get_node() for k in range(count)]
    return found


class _Reader:
    """Collects operations and constants, one node after the other."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        """Names of the graph's inputs and outputs, which no operation may bear."""
        self.names: dict[str, str] = {}
        self.constants: dict[str, NDArray[Any]] = {}
        self.operations: list[Operation] = []

    def source(self, output: Any) -> str:
        """The name of the value that ``output`` carries."""
        name = self.names[output.get_node().get_friendly_name()]
        if output.get_index() != 0:
            raise UsageError(f"{name}: only the first output of an operation can be exported")
        return name

    def read(self, node: Any) -> None:
        own, kind = node.get_friendly_name(), node.get_type_name()
        name = f"{own}_operation" if own in self.taken else own
        self.names[own] = name
        if kind == "Parameter":
            self.names[own] = node.output(0).get_any_name()
        elif kind == "Constant":
            array = np.array(node.get_data())
            self.constants[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
        elif kind == "Convert" and self.source(node.input_value(0)) in self.constants:
            # Weights stored in half precision with their way back: the constant is float32 already.
            self.names[own] = self.source(node.input_value(0))
        else:
            count = DATA_INPUTS.get(kind, node.get_input_size())
            inputs = [node.input_value(k) for k in range(count)]
            self.operations.append(
                Operation(
                    type=kind,
                    name=name,
                    inputs=tuple(self.source(output) for output in inputs),
                    input_shapes=tuple(_shape(output) for output in inputs),
                    shape=_shape(node.output(0)),
                    attributes=node.get_attributes(),
                )
            )


def _shape(output: Any) -> Shape:
    """The sizes, of which only the first may be open."""
    sizes = [
        dimension.get_length() if dimension.is_static else None for dimension in output.get_partial_shape()
    ]
    if None in sizes[1:]:
        name = output.get_node().get_friendly_name()
        raise UsageError(f"{name}: its sizes {sizes} are not fixed; only the batch's may be left open")
    return tuple(sizes)


def axes_of(values: NDArray[Any], rank: int) -> list[int]:
    """Axes, counted from the front."""
    return [int(axis) % rank for axis in np.ravel(values)]


def slices_of(operation: Operation, constants: dict[str, NDArray[Any]]) -> list[slice]:
    """What a StridedSlice takes of each axis.

    :raises UsageError: where it adds or removes axes.
    """
    attributes = operation.attributes
    if any(any(attributes[key]) for key in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")):
        raise operation.refuse("it adds or removes axes")
    if any(name not in constants for name in operation.inputs[1:]):
        raise operation.refuse("its bounds are computed")
    begin, end, *steps = ([int(value) for value in constants[name]] for name in operation.inputs[1:])
    step = steps[0] if steps else [1] * len(begin)
    open_begin = [*attributes["begin_mask"], *[0] * len(begin)]
    open_end = [*attributes["end_mask"], *[0] * len(end)]
    return [
        slice(None if open_begin[axis] else begin[axis], None if open_end[axis] else end[axis], step[axis])
        for axis in range(len(begin))
    ]


def same_pads(operation: Operation, window: tuple[int, int], *, backwards: bool = False) -> bool:
    """Whether padding is what TensorFlow calls SAME.

    :param backwards: the operation is a transposed convolution, whose padding is that of the convolution back.
    """
    before, after = operation.attributes["pads_begin"], operation.attributes["pads_end"]
    strides = operation.attributes["strides"]
    dilations = operation.attributes.get("dilations", [1, 1])
    large, small = reversed(operation.pictures) if backwards else operation.pictures
    for axis in range(2):
        made = -(-large[axis] // strides[axis])
        reach = dilations[axis] * (window[axis] - 1) + 1
        total = max((made - 1) * strides[axis] + reach - large[axis], 0)
        if (before[axis], after[axis], small[axis]) != (total // 2, total - total // 2, made):
            return False
    return True


def halved(array: NDArray[Any]) -> NDArray[np.float16] | None:
    """A constant in half precision; None for one that stays as it is: small, or of other or too large numbers."""
    if array.dtype != np.float32 or array.ndim < 2 or array.size < HALVED:
        return None
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.isfinite(half).all() else None

"""ONNX: one file, checked by ONNX's own checker and run by ONNX Runtime.

Operators are those of opset 17, which ONNX Runtime and its peers have had since 2022.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from huanjing.errors import UsageError
from huanjing.export.graph import Graph, read_graph
from huanjing.export.job import Job, Run
from huanjing.export.onnx_operations import OPERATIONS, OnnxModel
from huanjing.runtime import processors

OPSET = 17
IR_VERSION = 8
LARGEST = 2**31 - 2**20
"""Bytes that protobuf carries in one file."""

_TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}


def write(job: Job, folder: Path) -> Path:
    """Write ``NAME.onnx``. :raises UsageError: for an operation that has no translation."""
    path = folder / f"{job.name}.onnx"
    model = to_onnx(read_graph(job.bundle), half=job.precision == "fp16", metadata=job.description)
    onnx.save(model, path)
    if job.precision == "int8":
        _quantise(path, job)
    return path


def to_onnx(
    graph: Graph, *, half: bool = False, metadata: Mapping[str, str] | None = None
) -> onnx.ModelProto:
    """The network as an ONNX model with its own names of inputs and outputs, and any batch size.

    :param half: store large constants as float16; all is computed in float32 nevertheless.
    :raises UsageError: for an operation that has no translation, naming it; for a network too large for one file.
    """
    model = OnnxModel(graph, half)
    for operation in graph.operations:
        translate = OPERATIONS.get(operation.type)
        if translate is None:
            raise operation.refuse("there is no translation for this type of operation")
        model.values[operation.name] = translate(model, operation)
    for name, source in graph.outputs.items():
        model.nodes.append(helper.make_node("Identity", [model.values[source]], [name], name))
    if sum(tensor.ByteSize() for tensor in model.initializers) > LARGEST:
        raise UsageError("An ONNX file holds at most 2 GB, and this network is larger; try --precision fp16")
    proto = helper.make_model(
        helper.make_graph(
            model.nodes,
            "huanjing",
            [
                helper.make_tensor_value_info(given.name, _TYPES[given.type], _sizes(given.shape))
                for given in graph.inputs
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, _sizes(shape))
                for name, shape in graph.shapes.items()
            ],
            model.initializers,
        ),
        producer_name="huanjing",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(proto, dict(metadata or {}))
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _sizes(shape: tuple[int | None, ...]) -> list[int | str]:
    return ["batch" if size is None else size for size in shape]


def open_file(path: Path) -> Run:
    """The file, ready to run on inputs of any batch size."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = processors()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(None, inputs), strict=True))


def _quantise(path: Path, job: Job) -> None:
    """Turn a float32 file into int8: quantise and dequantise pairs, a scale for each channel of a kernel."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    taken = onnx.load(path).graph.input[0].name
    with tempfile.TemporaryDirectory() as place:
        prepared = Path(place) / "prepared.onnx"
        quant_pre_process(path, prepared, skip_symbolic_shape=True)
        before = logging.root.level
        logging.root.setLevel(logging.ERROR)  # it names every operation that it passes over
        try:
            quantize_static(
                prepared,
                path,
                _Reader(job.calibration, taken),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
            )
        finally:
            logging.root.setLevel(before)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, job.description)
    onnx.checker.check_model(model)
    onnx.save(model, path)


class _Reader:
    """Hands the calibration pictures over, one by one."""

    def __init__(self, inputs: NDArray[Any], name: str) -> None:
        self._inputs: Iterator[dict[str, NDArray[Any]]] = (
            {name: inputs[k : k + 1]} for k in range(len(inputs))
        )

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next inputs, None after the last."""
        return next(self._inputs, None)

"""SavedModel: TensorFlow's own folder, with the labels and the description as assets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from huanjing.errors import UsageError
from huanjing.export.describe import LABELS, labels
from huanjing.export.graph import Graph, read_graph
from huanjing.export.job import Answers, Inputs, Job, Run
from huanjing.export.tensorflow_operations import OPERATIONS
from huanjing.export.tensorflow_values import Network, Value

LARGEST = 2**31 - 2**20
"""Bytes that protobuf carries in one file."""


def write(job: Job, folder: Path, *, builtin: bool = False) -> Path:
    """Write the SavedModel into ``folder``; its signature ``serving_default`` has the bundle's names.

    :param builtin: only use what LiteRT has an operation for.
    :raises UsageError: for an operation that has no translation, or a network too large for one file.
    """
    graph = read_graph(job.bundle)
    half = job.precision == "fp16" and not builtin
    if sum(array.nbytes for array in graph.constants.values()) // (2 if half else 1) > LARGEST:
        raise UsageError(
            "A SavedModel's graph holds at most 2 GB, and this network is larger; try --to openvino"
        )
    module = tf.Module()
    aside = folder / "assets.aside"
    aside.mkdir(parents=True)
    texts = {"description.json": json.dumps(job.description, ensure_ascii=False, indent=1) + "\n"}
    if job.bundle.manifest.classes:
        texts[LABELS] = labels(job.bundle)
    module.texts = []
    for name, text in texts.items():
        (aside / name).write_text(text, encoding="utf-8")
        module.texts.append(tf.saved_model.Asset(str(aside / name)))
    # The function is not the module's own: it would be saved a second time, with all its constants.
    function = to_function(graph, half=half, builtin=builtin).get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": function})
    for name in texts:
        (aside / name).unlink()
    aside.rmdir()
    return folder


def to_function(graph: Graph, *, half: bool = False, builtin: bool = False) -> Any:
    """The network as a ``tf.function`` from the graph's inputs, in order, any batch size, to its outputs by name.

    :param half: store large constants as float16; all is computed in float32 nevertheless.
    :param builtin: only use what LiteRT has an operation for.
    :raises UsageError: for an operation that has no translation, naming it.
    """
    for operation in graph.operations:
        if operation.type not in OPERATIONS:
            raise operation.refuse("there is no translation for this type of operation")

    def forward(*given: tf.Tensor) -> dict[str, tf.Tensor]:
        network = Network(graph, half, builtin)
        for known, value in zip(graph.inputs, given, strict=True):
            network.values[known.name] = Value(value)
        for operation in graph.operations:
            network.values[operation.name] = OPERATIONS[operation.type](network, operation)
        return {
            name: tf.identity(network.values[source].as_is, name=name)
            for name, source in graph.outputs.items()
        }

    signature = [tf.TensorSpec(given.shape, given.type, name=given.name) for given in graph.inputs]
    return tf.function(forward, input_signature=signature, autograph=False)


def open_file(path: Path) -> Run:
    """The folder, loaded afresh, ready to run on inputs of any batch size."""
    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]

    def run(inputs: Inputs) -> Answers:
        made = signature(**{name: tf.constant(values) for name, values in inputs.items()})
        return {key: np.asarray(value) for key, value in made.items()}

    run.keeps = loaded  # type: ignore[attr-defined]  # the signature alone would not keep its constants
    return run

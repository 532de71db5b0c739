"""A classic network without its top, to be trained further: its weights from the Keras file, any side.

The network takes RGB, 0..255, and does what ``preprocess_input`` does in its first operations, in float32; so training,
judging and the exported graph see the same. ``features`` is the global average over the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle, Manifest, PictureInput, TrainingSummary, write_bundle
from huanjing.bundle.folder import GRAPH
from huanjing.errors import BundleError
from huanjing.recognition.classic import graph_of, halve_kernels, with_outputs
from huanjing.recognition.head import Head
from huanjing.recognition.keras_weights import load_network
from huanjing.recognition.presets import NORMALISATION, Preset
from huanjing.runtime.silent import ov

Arrays = Sequence[NDArray[np.float32]]

IMAGENET_CLASSES = 1000
DROPOUT = 0.2
"""Before the new classifier."""


def read_body(preset: Preset, weights: Path, side: int) -> Arrays:
    """The weights of :func:`build_body`'s layers, in their order, from the Keras file of the whole network.

    :raises UsageError, BundleError: for a file that cannot be used.
    """
    whole = load_network(preset, weights, IMAGENET_CLASSES)
    found = [layer for layer in whole.layers if layer.weights]
    wanted = [layer for layer in build_body(preset, side).layers if layer.weights]
    arrays: list[NDArray[np.float32]] = []
    for place, layer in enumerate(wanted):
        values = found[place].get_weights() if place < len(found) else []
        if [value.shape for value in values] != [tuple(weight.shape) for weight in layer.weights]:
            raise BundleError(
                f"{weights}: its network is not that of {preset.name}: layer {layer.name} has other weights there. "
                "Training can begin with the networks of keras.applications as they are."
            )
        arrays += values
    del whole
    keras.backend.clear_session()
    return arrays


def fine_tunable(
    preset: Preset, weights: Path, side: int, head: Head
) -> tuple[Callable[[], keras.Model], Callable[[keras.Model, Path], ov.Model]]:
    """How the network is made with ``head`` for its classifier, and how it is written once trained."""
    arrays = [*read_body(preset, weights, side), head.kernel.T, head.bias]

    def make() -> keras.Model:
        network = build_network(preset, side, len(head.bias))
        _fill(network, arrays)
        return network

    return make, save_graph


def build_body(preset: Preset, side: int) -> keras.Model:
    """From ``picture``, float32 RGB ``[N, side, side, 3]``, 0..255, to the pooled features ``[N, features]``."""
    picture = keras.Input((side, side, 3), name="picture")
    x = picture
    if preset.preprocessing != "none":
        x = keras.applications.imagenet_utils.preprocess_input(x, mode=preset.preprocessing)
    network = getattr(keras.applications, preset.keras)
    body = network(include_top=False, weights=None, input_tensor=x, pooling="avg")
    return keras.Model(picture, body.output)


def build_network(preset: Preset, side: int, classes: int) -> keras.Model:
    """The body, dropout and a dense layer ``classifier``: float32 logits ``[N, classes]``.

    Batch normalisation keeps its statistics, which are of many more pictures than one trains further with.
    """
    body = build_body(preset, side)
    for layer in body.layers:
        if isinstance(layer, keras.layers.BatchNormalization | keras.layers.Normalization):
            layer.trainable = False
    x = keras.layers.Dropout(DROPOUT, name="dropout", dtype="float32")(body.output)
    x = keras.layers.Dense(classes, name="classifier", dtype="float32")(x)
    return keras.Model(body.inputs[0], x, name=preset.name)


def save_graph(network: keras.Model, path: Path) -> ov.Model:
    """Write a float32 network that ends in a classifier as a graph with kernels in float16.

    :returns: the graph in float32.
    """
    graph = graph_of(with_outputs(network), network.name)
    exact = graph.clone()
    halve_kernels(graph)
    ov.save_model(graph, path, compress_to_fp16=False)
    return exact


def write_start(preset: Preset, weights: Path, side: int, folder: Path) -> Bundle:
    """A bundle that gives the features of the network without its top, for pictures of ``side``."""
    arrays = read_body(preset, weights, side)
    body = build_body(preset, side)
    _fill(body, arrays)
    outputs = {"features": body.output}
    if isinstance(body.layers[-1], keras.layers.GlobalAveragePooling2D):
        outputs["feature_map"] = body.layers[-1].input
    graph = graph_of(keras.Model(body.inputs[0], outputs, name=preset.name), preset.name)
    halve_kernels(graph)
    manifest = Manifest(
        format=1,
        kind="recognizer",
        name=preset.name,
        architecture=preset.name,
        preset=preset.name,
        input=PictureInput(side, side, 3, normalisation=NORMALISATION[preset.preprocessing]),
        training=TrainingSummary(data="see origin"),
        licence=preset.licence,
        origin=f"{weights.name}, without the classifier",
    )
    return write_bundle(
        folder, manifest, lambda aside: ov.save_model(graph, aside / GRAPH, compress_to_fp16=False)
    )


def _fill(network: keras.Model, arrays: Arrays) -> None:
    remaining = iter(arrays)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights([next(remaining) for _ in layer.weights])
            if hasattr(layer, "finalize_state"):
                layer.finalize_state()

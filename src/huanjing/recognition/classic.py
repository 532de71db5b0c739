"""From a classic network's Keras weights to a bundle that OpenVINO runs.

The graph takes ``picture``, RGB uint8 NHWC 0..255, and does what ``preprocess_input`` does. Its outputs, float32:

===============  ==================================================================================
``logits``       ``[N, classes]``, before the softmax
``features``     ``[N, features]``, what the last layer sees
``feature_map``  ``[N, features, H, W]``, whose mean over the picture ``features`` is; only where the
                 network ends in global average pooling with the classifier right behind it
===============  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.bundle import Bundle, ClassName, find_model, write_bundle
from huanjing.datasets.samples import photographs
from huanjing.errors import BundleError
from huanjing.images import fit, load_picture
from huanjing.recognition.classic_manifest import manifest_of, source_of
from huanjing.recognition.keras_weights import load_network
from huanjing.recognition.presets import Preprocessing, Preset
from huanjing.runtime.silent import converting, ov

REFERENCES = 3
"""Photographs on which a conversion is compared with Keras."""
EXACT = 1e-3
"""How far the float32 graph may lie from Keras, as a share of the output's own spread."""
ROUNDED = 0.05
"""The same for the graph as written, with kernels in float16."""
SMALL_KERNEL = 4096
"""Kernels of fewer numbers stay float32: they are little of the file, and rounding them does most harm."""


def convert(
    preset: Preset,
    weights: Path,
    folder: Path,
    *,
    name: str | None = None,
    classes: Sequence[ClassName] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write the network of ``preset`` with the weights in ``weights`` as a bundle into ``folder``.

    :param name: the bundle's name; the preset's unless told.
    :param classes: what the outputs mean, in order; ImageNet's 1,000 unless told.
    :param say: is told what is being done.
    :raises UsageError, BundleError: for a file that cannot be used, or where the outputs differ from Keras's by
        more than :data:`EXACT`, or :data:`ROUNDED` as written; nothing is written then.
    """
    known = list(classes) if classes is not None else find_model(None, "recognizer").manifest.classes
    say(f"Loading {weights.name}")
    network = with_outputs(load_network(preset, weights, len(known)))
    source = source_of(preset, weights)
    pictures = reference_pictures(preset.side)
    expected = keras_outputs(network, preset, pictures)
    say("Converting, and comparing with Keras")
    graph = to_openvino(network, preset)
    del network  # half of the memory
    keras.backend.clear_session()
    exact = largest_difference(run(graph, pictures), expected)
    if not exact <= EXACT:
        raise _too_different(weights, "in float32", exact, EXACT)
    halve_kernels(graph)

    def write_files(aside: Path) -> None:
        path = aside / "graph.xml"
        ov.save_model(graph, path, compress_to_fp16=False)
        answers = run(ov.Core().read_model(path), pictures)
        rounded = largest_difference(answers, expected)
        if not rounded <= ROUNDED:
            raise _too_different(weights, "with kernels in float16", rounded, ROUNDED)
        np.savez(aside / "reference.npz", input=pictures[:1], output=answers["logits"][:1])

    rounded = largest_difference(run(graph, pictures), expected)
    manifest = manifest_of(preset, source, name or preset.name, known, classes is None, (exact, rounded))
    return write_bundle(folder, manifest, write_files)


def with_outputs(network: keras.Model) -> keras.Model:
    """The same network with the outputs ``logits``, ``features`` and, where there is one, ``feature_map`` (NHWC)."""
    layers = list(network.layers)
    passed = []
    while layers and isinstance(layers[-1], PASSING):
        passed.append(layers.pop())
    classifier = layers.pop() if layers else None
    if not isinstance(classifier, keras.layers.Dense | keras.layers.Conv2D):
        raise BundleError(
            f"The network {network.name} does not end in a classifier: a dense layer or a convolution"
        )
    for layer in (classifier, *passed):
        activation = getattr(layer, "activation", None)
        if activation is keras.activations.softmax:
            layer.activation = keras.activations.linear
        elif activation not in {None, keras.activations.linear}:
            raise BundleError(
                f"{layer.name} at the end of {network.name} is neither linear nor a softmax; nothing else is taken"
            )
    logits = network.outputs[0]
    if any(isinstance(layer, keras.layers.Softmax) for layer in passed):
        logits = _flat(classifier.output)
    features = classifier.input
    outputs = {"logits": logits, "features": _flat(features)}
    while layers and isinstance(
        layers[-1], (keras.layers.Dropout, keras.layers.Reshape, keras.layers.Flatten)
    ):
        layers.pop()
    if layers and isinstance(layers[-1], keras.layers.GlobalAveragePooling2D):
        outputs["feature_map"] = layers[-1].input
    return keras.Model(network.inputs[0], outputs, name=network.name)


PASSING = (
    keras.layers.Activation,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Softmax,
)
"""Layers behind a classifier that compute nothing new."""


def to_openvino(network: keras.Model, preset: Preset) -> ov.Model:
    """The network with :func:`with_outputs`' outputs as a graph from ``picture``; float32, any batch size."""
    return graph_of(network, preset.name, preset.preprocessing)


def graph_of(network: keras.Model, name: str, preprocessing: Preprocessing = "none") -> ov.Model:
    """A network with outputs by name as a graph from ``picture``, uint8 NHWC, which does ``preprocessing`` first."""
    with converting():
        graph = ov.convert_model(_traced(network).get_concrete_function())
    found = {name: output for output in graph.outputs for name in output.get_names()}
    results = []
    for output in network.output:
        node = found[output].get_node().input_value(0)
        if output == "feature_map":
            node = ov.opset15.transpose(
                node, np.array([0, 3, 1, 2], np.int64), name="feature_map_nchw"
            ).output(0)
        node.get_tensor().set_names({output})
        results.append(ov.opset15.result(node, name=f"{output}_result"))
    graph = ov.Model(results, graph.get_parameters(), name)
    prepared = ov.preprocess.PrePostProcessor(graph)
    taken = prepared.input()
    taken.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    taken.model().set_layout(ov.Layout("NHWC"))
    steps = taken.preprocess().convert_element_type(ov.Type.f32)
    if preprocessing == "caffe":
        steps.reverse_channels().mean([103.939, 116.779, 123.68])
    elif preprocessing == "tf":
        steps.mean(127.5).scale(127.5)
    elif preprocessing == "torch":
        steps.mean([255 * mean for mean in (0.485, 0.456, 0.406)])
        steps.scale([255 * deviation for deviation in (0.229, 0.224, 0.225)])
    graph = prepared.build()
    graph.input().get_tensor().set_names({"picture"})
    return graph


def _traced(network: keras.Model) -> Any:
    """The network as a TensorFlow function of ``picture``, for inference, of any batch size."""

    def forward(picture: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(network(picture, training=False))

    signature = tf.TensorSpec([None, *network.inputs[0].shape[1:]], tf.float32, name="picture")
    return tf.function(forward, input_signature=[signature], autograph=False)


def halve_kernels(graph: ov.Model) -> None:
    """Put the large float32 constants of ``graph`` into float16, each with its conversion back."""
    for node in graph.get_ops():
        if node.get_type_name() != "Constant" or node.get_element_type() != ov.Type.f32:
            continue
        values = node.data
        if values.ndim < 2 or values.size < SMALL_KERNEL:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if np.isfinite(half).all():
            name = node.get_friendly_name()
            half_node = ov.opset15.constant(half, name=f"{name}_half")
            back = ov.opset15.convert(half_node, "f32", name=f"{name}_as_float")
            for target in node.output(0).get_target_inputs():
                target.replace_source_output(back.output(0))


def reference_pictures(side: int, count: int = REFERENCES) -> NDArray[np.uint8]:
    """Photographs of the package, squashed to ``[count, side, side, 3]``, RGB uint8."""
    chosen = [load_picture(photograph.path, channels=3) for photograph in photographs()[:count]]
    return np.stack([np.asarray(fit(picture, side, side, mode="squash")) for picture in chosen])


def keras_outputs(
    network: keras.Model, preset: Preset, pictures: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """What Keras computes for ``pictures`` (NHWC uint8, RGB), ``feature_map`` brought to NCHW."""
    prepared = pictures.astype(np.float32)
    if preset.preprocessing != "none":
        prepared = keras.applications.imagenet_utils.preprocess_input(prepared, mode=preset.preprocessing)
    outputs = {name: np.asarray(value) for name, value in _traced(network)(prepared).items()}
    if "feature_map" in outputs:
        outputs["feature_map"] = outputs["feature_map"].transpose(0, 3, 1, 2)
    return outputs


def run(graph: ov.Model, pictures: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """The graph's outputs for ``pictures`` in float32 arithmetic, by name."""
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return {output.get_any_name(): np.array(value) for output, value in compiled(pictures).items()}


def largest_difference(
    found: dict[str, NDArray[np.float32]], expected: dict[str, NDArray[np.float32]]
) -> float:
    """The largest difference over all outputs, each as a share of the output's spread.

    The spread is the largest distance from a picture's mean; that of logits counts as at least 1, since logits
    closer together than that are all but one to the softmax.
    """
    differences = [0.0]
    for name, wanted in expected.items():
        if found[name].shape != wanted.shape:
            return float("inf")
        axes = tuple(range(1, wanted.ndim))
        spread = float(np.abs(wanted - wanted.mean(axis=axes, keepdims=True)).max())
        scale = max(spread, 1.0) if name == "logits" else spread
        differences.append(float(np.abs(found[name] - wanted).max()) / (scale or 1.0))
    return float(np.max(differences))  # not a number, if one of them is none


def _flat(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """``[N, values]`` from that or ``[N, 1, 1, values]``."""
    return tensor if len(tensor.shape) == 2 else keras.layers.Flatten()(tensor)


def _too_different(weights: Path, how: str, difference: float, allowed: float) -> BundleError:
    return BundleError(
        f"{weights}: the converted graph differs from Keras by {difference:.3g} of the outputs' spread {how}, and at "
        f"most {allowed} is allowed; the model was not written. Please report this with the file's origin."
    )

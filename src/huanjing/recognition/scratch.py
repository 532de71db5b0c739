"""The small network that starts from nothing, to be read: convolution, pooling, dense.

Three times: two 3×3 convolutions look for ever larger shapes, and pooling halves the picture. Then the mean over the
picture, and one dense layer that weighs what was found for each class.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huanjing.recognition.efficientnet_lite import MEAN, SCALE
from huanjing.runtime.silent import unreported

if TYPE_CHECKING:
    import keras
    import openvino

WIDTHS = (32, 64, 128)
DROPOUT = 0.2
SCRATCH_ARCHITECTURE = "convolution_pooling_dense"


def build_network(side: int, channels: int, classes: int, seed: int) -> keras.Model:
    """The network, freshly initialised from ``seed``.

    Input: ``[N, side, side, channels]``, 0..255. Output: float32 logits ``[N, classes]``. The layers ``feature_map``
    ``[N, side/8, side/8, 128]`` and ``features`` ``[N, 128]`` (its mean) bear the names of the graph's outputs.
    """
    import keras
    from keras import layers

    picture = keras.Input((side, side, channels), name="picture")
    x = layers.Rescaling(1 / SCALE, -MEAN / SCALE, dtype="float32", name="rescale")(picture)
    for number, width in enumerate(WIDTHS):
        for half in "ab":
            name = f"stage{number + 1}{half}"
            start = keras.initializers.HeNormal(seed=seed + 10 * number + "ab".index(half))
            convolution = layers.Conv2D(
                width, 3, padding="same", use_bias=False, kernel_initializer=start, name=f"{name}_convolution"
            )
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_normalisation")(convolution(x))
            last = number == len(WIDTHS) - 1 and half == "b"
            x = layers.ReLU(name="feature_map" if last else f"{name}_relu")(x)
        if number < len(WIDTHS) - 1:
            x = layers.MaxPooling2D(padding="same", name=f"stage{number + 1}_pooling")(x)
    x = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    x = layers.Dropout(DROPOUT, seed=seed, name="dropout", dtype="float32")(x)
    start = keras.initializers.GlorotUniform(seed=seed + 99)
    x = layers.Dense(classes, kernel_initializer=start, name="classifier", dtype="float32")(x)
    return keras.Model(picture, x, name=SCRATCH_ARCHITECTURE)


def save_graph(network: keras.Model, path: Path) -> openvino.Model:
    """Write a float32 network of :func:`build_network` as an OpenVINO graph with kernels in float16.

    Input ``picture``: uint8 NHWC, 0..255. Outputs: ``logits``, ``features``, and ``feature_map`` as NCHW.

    :returns: the graph in float32.
    """
    import keras
    import openvino as ov
    import tensorflow as tf
    from openvino import opset15 as ops
    from openvino.preprocess import PrePostProcessor

    names = ("feature_map", "features", "logits")
    layers = [network.get_layer(name).output for name in ("feature_map", "features", "classifier")]
    several = keras.Model(network.inputs[0], dict(zip(names, layers, strict=True)))

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def call(picture: tf.Tensor) -> dict[str, tf.Tensor]:
        found: dict[str, tf.Tensor] = several(picture, training=False)
        return found

    shape = [None, *network.inputs[0].shape[1:]]
    with unreported():
        graph = ov.convert_model(call.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="picture")))
    outputs = {name: output for output in graph.outputs for name in output.get_names()}
    results = []
    for name in names:
        node = outputs[name].get_node().input_value(0)
        if name == "feature_map":
            node = ops.transpose(node, np.array([0, 3, 1, 2], np.int64)).output(0)
        node.get_tensor().set_names({name})
        results.append(ops.result(node, name=f"{name}_result"))
    graph = ov.Model(results, graph.get_parameters(), network.name)
    prepared = PrePostProcessor(graph)
    prepared.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    prepared.input().model().set_layout(ov.Layout("NHWC"))
    graph = prepared.build()
    graph.input().get_tensor().set_names({"picture"})
    ov.save_model(graph, path, compress_to_fp16=True)
    return graph

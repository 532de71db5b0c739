"""Classic networks with random weights, in files of the official layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from huanjing.recognition.presets import Preset

if TYPE_CHECKING:
    import keras


def random_network(preset: Preset, pictures: NDArray[np.uint8], **arguments: Any) -> keras.Model:
    """The network with random weights under which signals keep their size, so that a comparison means something."""
    import keras

    keras.utils.set_random_seed(len(preset.name))
    arguments = {"weights": None, "input_shape": (preset.side, preset.side, 3)} | arguments
    network = getattr(keras.applications, preset.keras)(**arguments)
    for layer in network.layers:
        if type(layer).__name__ == "LayerScale":
            layer.gamma.assign(np.full(layer.gamma.shape, 0.3, np.float32))
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            for weight, values in zip(
                layer.weights, ((0.485, 0.456, 0.406), (0.052, 0.05, 0.051)), strict=False
            ):
                weight.assign(np.reshape(np.float32(values), weight.shape))
            layer.finalize_state()
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
            layer.beta.assign(np.random.default_rng(1).normal(0, 0.2, layer.beta.shape))
    network(prepared(preset, pictures), training=True)  # moving averages become those of these pictures
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.99
    return network


def prepared(preset: Preset, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network's own ``preprocess_input``, of its own module."""
    import keras

    module = {
        "VGG16": "vgg16", "MobileNet": "mobilenet", "ResNet50": "resnet50", "MobileNetV2": "mobilenet_v2",
        "EfficientNetB0": "efficientnet",
        "EfficientNetV2B0": "efficientnet_v2", "ConvNeXtTiny": "convnext", "DenseNet121": "densenet",
        "InceptionV3": "inception_v3",
    }[preset.keras]  # fmt: skip
    result: NDArray[np.float32] = getattr(keras.applications, module).preprocess_input(
        pictures.astype(np.float32)
    )
    return result


def write_official(network: keras.Model, path: Path) -> Path:
    """The layout of the official files, by hand: names at the root, then each layer's arrays by their names."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        file.attrs["backend"] = b"tensorflow"
        for layer in network.layers:
            group = file.create_group(layer.name)
            weights = [*layer.trainable_weights, *layer.non_trainable_weights]
            names = [f"{layer.name}/{number}_{weight.name}:0" for number, weight in enumerate(weights)]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, weights, strict=True):
                group[name] = np.asarray(weight)
    return path

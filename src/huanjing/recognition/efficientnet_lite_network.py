"""EfficientNet-Lite as a Keras network, which training uses, filled from the graph that inference uses.

The description, the parameters' names and the sources are in :mod:`huanjing.recognition.efficientnet_lite`.
Importing this module does not import TensorFlow; its functions do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import UsageError
from huanjing.recognition.efficientnet_lite import (
    EPSILON,
    LITE0,
    MEAN,
    SCALE,
    Unit,
    Variant,
    Weights,
    blocks,
    check_weights,
)
from huanjing.recognition.efficientnet_lite_graph import build_graph, read_weights
from huanjing.recognition.head import Head

if TYPE_CHECKING:
    import keras

    from huanjing.runtime.silent import ov


DEAD = 1e-6
"""A channel whose variance over pictures is below this says nothing: it is 1/1000 of normalisation's ε."""


def build_network(
    variant: Variant = LITE0,
    *,
    resolution: int | None = None,
    include_head: bool = True,
    classes: int = 1000,
    dropout: float | None = None,
    stochastic_depth: float = 0.0,
) -> keras.Model:
    """The network in Keras, its weights freshly initialised (see :func:`load_weights`).

    Input: RGB ``[N, resolution, resolution, 3]``, of any number type, 0..255; the first layer normalises.
    Output: float32 logits ``[N, classes]``, or without the head the pooled features ``[N, 1280]``. The layers
    ``feature_map`` and ``features`` bear the names of the graph's outputs. All layers lie flat in one
    functional model, so that any of them can be an output.

    :param resolution: the pictures' side; by default the variant's.
    :param dropout: rate before the classifier; by default the variant's.
    :param stochastic_depth: rate at which the last residual block is skipped in training, falling linearly to
        none at the first (Huang et al. 2016). The published networks were trained with 0.2.
    """
    import keras
    from keras import layers

    if include_head and classes < 1:
        raise UsageError(f"A classifier needs at least one class, not {classes}")
    side = variant.resolution if resolution is None else resolution
    description = list(blocks(variant))
    picture = keras.Input((side, side, 3), name="picture")
    # In float32 whatever the policy: augmentation makes pictures whose values lie between whole numbers.
    x = layers.Rescaling(1 / SCALE, -MEAN / SCALE, dtype="float32", name="rescale")(picture)
    for index, block in enumerate(description):
        y = x
        for unit in block.units:
            y = _unit_layers(unit, y)
        if block.residual:
            if stochastic_depth:
                rate = stochastic_depth * index / len(description)
                y = layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{block.name}_skip")(y)
            y = layers.Add(name=f"{block.name}_add")([x, y])
        x = y
    x = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    if include_head:
        rate = variant.dropout if dropout is None else dropout
        x = layers.Dropout(rate, name="dropout", dtype="float32")(x)
        x = layers.Dense(classes, name="classifier", dtype="float32")(x)
    return keras.Model(picture, x, name=variant.name.replace("-", "_"))


def _unit_layers(unit: Unit, x: keras.KerasTensor) -> keras.KerasTensor:
    """One :class:`Unit` as layers; Keras's "same" is TensorFlow's padding, more of it below and right."""
    from keras import initializers, layers

    name = f"{unit.name}_convolution"
    # One initialiser per layer: a shared one would give layers of equal shape equal numbers.
    he = initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    shape = {"kernel_size": unit.kernel, "strides": unit.stride, "padding": "same", "use_bias": False}
    if unit.depthwise:
        x = layers.DepthwiseConv2D(**shape, depthwise_initializer=he, name=name)(x)
    else:
        x = layers.Conv2D(unit.channels_out, **shape, kernel_initializer=he, name=name)(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{unit.name}_normalisation")(x)
    if unit.activated:
        name = "feature_map" if unit.name == "head" else f"{unit.name}_relu6"
        x = layers.ReLU(max_value=6.0, name=name)(x)
    return x


def load_weights(network: keras.Model, weights: Weights, *, classifier: bool = True) -> None:
    """Fill a network of :func:`build_network` with ``weights``, as ``read_weights`` reads them from a bundle.

    :param classifier: False leaves the classifier as it is, for one that is to learn other classes.
    :raises BundleError: for a missing weight or another shape; the network is then unchanged.
    """
    variables = _variables(network)
    if not classifier:
        variables = {name: value for name, value in variables.items() if not name.startswith("classifier/")}
    check_weights(weights, {name: _to_graph(name, value).shape for name, value in variables.items()})
    for name, variable in variables.items():
        variable.assign(_to_keras(name, weights[name]))


def network_weights(network: keras.Model) -> dict[str, NDArray[np.float32]]:
    """The weights of a network of :func:`build_network`, in the form that ``build_graph`` takes."""
    return {name: _to_graph(name, variable) for name, variable in _variables(network).items()}


def fine_tunable(
    variant: Variant, graph: Path, side: int, head: Head
) -> tuple[Callable[[], keras.Model], Callable[[keras.Model, Path], ov.Model]]:
    """How the network in ``graph`` is made with ``head`` for its classifier, and how it is written once trained.

    Batch normalisation keeps its statistics, which are of many more pictures than one trains further with.
    """
    weights = silence_dead_channels(read_weights(graph))
    weights |= {"classifier/kernel": head.kernel, "classifier/bias": head.bias}

    def make() -> keras.Model:
        network = build_network(variant, resolution=side, classes=len(head.bias))
        load_weights(network, weights)
        for layer in network.layers:
            if layer.name.endswith("_normalisation"):
                layer.trainable = False
        return network

    def save(network: keras.Model, path: Path) -> ov.Model:
        from huanjing.runtime.silent import ov

        written = build_graph(network_weights(network), variant, resolution=side)
        ov.save_model(written, path, compress_to_fp16=False)
        return written

    return make, save


def silence_dead_channels(weights: Weights) -> dict[str, NDArray[np.float32]]:
    """The same network, in which channels that always gave the same number can give no other.

    Of the 21,008 channels that Lite0 normalises, the variance of 130 is 0. Normalisation multiplies whatever comes of
    them by γ / √ε = 32 γ, and Adam, which moves every weight about as far, wakes them: the network soon gets worse.
    Their γ becomes 0, which makes them the constant that they are and their kernels' gradient zero.
    """
    silenced = {name: np.asarray(array) for name, array in weights.items()}
    for name in weights:
        unit, _, variable = name.rpartition("/")
        if variable == "moving_variance":
            dead = silenced[name] < DEAD
            silenced[f"{unit}/gamma"] = np.where(dead, np.float32(0), silenced[f"{unit}/gamma"])
    return silenced


def _variables(network: keras.Model) -> dict[str, keras.Variable]:
    return {f"{layer.name}/{value.name}": value for layer in network.layers for value in layer.weights}


def _to_graph(name: str, variable: keras.Variable) -> NDArray[np.float32]:
    """From Keras's layout: [height, width, in, out]; depthwise [height, width, channels, 1]; [in, out]."""
    array = np.asarray(variable.numpy(), np.float32)
    if array.ndim == 4:
        array = array.transpose(2, 3, 0, 1) if "_depthwise_" in name else array.transpose(3, 2, 0, 1)
    return np.ascontiguousarray(array.T if array.ndim == 2 else array)


def _to_keras(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """To Keras's layout: :func:`_to_graph` undone."""
    if array.ndim == 4:
        return array.transpose(2, 3, 0, 1) if "_depthwise_" in name else array.transpose(2, 3, 1, 0)
    return array.T

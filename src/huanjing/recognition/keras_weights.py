"""The weights of a Keras network from a file, without running anything that the file brings.

Three kinds of file, told apart by what is in them:

* the layout of Keras 2, in which all official files are: ``layer_names`` at the root (or in ``model_weights``
  where a whole model was saved), a group for each layer with ``weight_names``, the arrays by those names. They
  go to the layers in their order; groups and layers without weights are skipped.
* Keras 3's own ``.weights.h5``, which Keras reads.
* Keras 3's ``.keras``, a whole network: only of Keras's own layers, and only those that hold no code.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

from huanjing.errors import BundleError, UsageError
from huanjing.recognition.presets import Preset

CONFIG_MAX_BYTES = 64 * 2**20

IMAGENET_VARIANCE = (0.229, 0.224, 0.225)
"""What EfficientNet's official weights expect their pictures to be divided by once more, as its root."""

SAFE_LAYERS = frozenset({
    "Activation", "Add", "Average", "AveragePooling2D", "BatchNormalization", "CenterCrop", "Concatenate",
    "Conv2D", "Cropping2D", "Dense", "DepthwiseConv2D", "Dropout", "ELU", "Flatten", "Functional",
    "GaussianNoise", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "GroupNormalization", "Identity",
    "InputLayer", "LayerNormalization", "LeakyReLU", "MaxPooling2D", "Maximum", "Multiply", "Normalization",
    "PReLU", "Permute", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "ReLU", "Rescaling", "Reshape", "Resizing", "SeparableConv2D",
    "Sequential", "Softmax", "SpatialDropout2D", "Subtract", "UnitNormalization", "UpSampling2D",
    "ZeroPadding2D",
})  # fmt: skip
"""Layers that a ``.keras`` file may be made of: arithmetic on arrays, whose configuration is plain values."""
SAFE_PARTS = ("keras.initializers", "keras.regularizers", "keras.constraints", "keras.dtype_policies")
APPLICATION_LAYERS = frozenset({"CustomScaleLayer", "LayerScale", "StochasticDepth"})
"""Layers of ``keras.applications`` itself."""


def load_network(preset: Preset, path: Path, classes: int) -> keras.Model:
    """The network of ``preset`` with the weights in ``path``; its output may still have the softmax.

    :raises UsageError: where there is no such file.
    :raises BundleError: where the file is none of Keras's, is not of this network, or could run code.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    if zipfile.is_zipfile(path):
        return _load_archive(path, preset, classes)
    if not h5py.is_hdf5(path):
        raise BundleError(
            f"{path}: is neither HDF5 (.h5, .weights.h5) nor a .keras file; it may be incomplete or of another "
            f"kind. The official file of {preset.name} is {preset.file}."
        )
    network = getattr(keras.applications, preset.keras)(
        weights=None, input_shape=(preset.side, preset.side, 3), classes=classes, classifier_activation=None
    )
    with h5py.File(path, "r") as file:
        _refuse_links(file, path)
        whole = "model_weights" in file
        root = file["model_weights"] if whole else file
        legacy = _names(root, "layer_names")
        if legacy is not None:
            _assign(network, root, legacy, path, preset)
            if not whole or sum(name.startswith("rescaling") for name in legacy) > 1:
                _fold_official_rescaling(network, preset)
            return network
        layers = file.get("layers")
        rescaled = isinstance(layers, h5py.Group) and "rescaling_1" in layers
    if not path.name.endswith(".weights.h5"):
        raise BundleError(
            f"{path}: has no layer_names, so it is not in the official files' layout. If Keras 3 wrote it with "
            "save_weights, give it its name back: it must end in .weights.h5."
        )
    try:
        network.load_weights(path)
    except (ValueError, KeyError, OSError) as error:
        raise BundleError(
            f"{path}: does not hold the weights of {preset.name} with {classes} classes: {_first_line(error)}"
        ) from error
    if rescaled:
        _fold_official_rescaling(network, preset)
    return network


def _assign(network: keras.Model, root: Any, names: list[str], path: Path, preset: Preset) -> None:
    """The arrays of the layers ``names`` to the network's layers, both in order."""
    saved = [(name, arrays) for name in names if (arrays := _arrays(root, name, path))]
    layers = [layer for layer in network.layers if layer.weights]
    if len(saved) != len(layers):
        raise BundleError(
            f"{path}: has {len(saved)} layers with weights, and {preset.name} has {len(layers)}. It is of another "
            f"network, or was saved without the classifier (notop); the official file is {preset.file}."
        )
    for layer, (name, arrays) in zip(layers, saved, strict=True):
        variables = [*layer.trainable_weights, *layer.non_trainable_weights]
        wanted = [tuple(variable.shape) for variable in variables]
        found = [array.shape for array in arrays]
        if wanted != found:
            last = " A file with other classes needs --classes." if layer is layers[-1] else ""
            raise BundleError(
                f"{path}: the arrays of {name} have the shapes {found}; layer {layer.name} of {preset.name} has "
                f"{wanted}. It is of another network; the official file is {preset.file}.{last}"
            )
        for variable, array in zip(variables, arrays, strict=True):
            if not np.isfinite(array).all():
                raise BundleError(f"{path}: the arrays of {name} hold numbers that are not finite")
            variable.assign(array)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def _arrays(root: Any, name: str, path: Path) -> list[NDArray[Any]]:
    group = root.get(name)
    weights = _names(group, "weight_names") if isinstance(group, h5py.Group) else None
    if weights is None:
        raise BundleError(f"{path}: lists the layer {name!r} and has nothing of it; the file is damaged")
    arrays = []
    for weight in weights:
        dataset = group.get(weight)
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
            raise BundleError(f"{path}: {name} lists {weight!r}, which is no array of numbers in the file")
        arrays.append(np.asarray(dataset))
    return arrays


def _names(group: Any, attribute: str) -> list[str] | None:
    """A list of names in an attribute, which HDF5 makes Keras cut into ``attribute0``, ``attribute1``, … where long."""
    if attribute in group.attrs:
        values = list(group.attrs[attribute])
    elif f"{attribute}0" in group.attrs:
        values, part = [], 0
        while f"{attribute}{part}" in group.attrs:
            values += list(group.attrs[f"{attribute}{part}"])
            part += 1
    else:
        return None
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]


def _refuse_links(file: h5py.File, path: Path) -> None:
    """Everything that is read must lie in this file: no links out of it, no data stored beside it."""

    def visit(group: h5py.Group) -> None:
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise BundleError(
                    f"{path}: {group.name}/{name} is a link; weights must lie in the file itself"
                )
            item = group[name]
            if isinstance(item, h5py.Group):
                visit(item)
            elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                raise BundleError(
                    f"{path}: {item.name} lies in another file; weights must lie in the file itself"
                )

    visit(file)


def _fold_official_rescaling(network: keras.Model, preset: Preset) -> None:
    """EfficientNet's official weights (not V2's) want each channel divided by the root of its variance once more.

    Keras adds a layer for it only with ``weights="imagenet"``; here the first convolution's kernel takes it up,
    which is the same: between them there is only padding with zeros.
    """
    if not preset.name.startswith("efficientnetb"):
        return
    kernel = network.get_layer("stem_conv").kernel
    factor = 1 / np.sqrt(np.array(IMAGENET_VARIANCE, np.float64))
    kernel.assign((np.asarray(kernel) * factor[:, np.newaxis]).astype(np.float32))


def _load_archive(path: Path, preset: Preset, classes: int) -> keras.Model:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > CONFIG_MAX_BYTES:
                raise BundleError(f"{path}: its config.json is larger than {CONFIG_MAX_BYTES} bytes")
            config = json.loads(archive.read("config.json"))
    except (KeyError, ValueError, zipfile.BadZipFile, RecursionError) as error:
        raise BundleError(f"{path}: is no .keras file that can be read: {_first_line(error)}") from error
    if isinstance(config, dict):
        config.pop("compile_config", None)  # how it was trained: with compile=False Keras leaves it alone
    for module, name in _parts(config):
        if not _is_safe(module, name):
            raise BundleError(
                f"{path}: contains {name} of {module or 'no known module'}. Only Keras's own layers without code "
                "are taken; Lambda layers and custom objects are refused."
            )
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise on a file that is not as it should be
        raise BundleError(f"{path}: Keras cannot load it: {_first_line(error)}") from error
    wanted = [(None, preset.side, preset.side, 3)], [(None, classes)]
    if ([tensor.shape for tensor in network.inputs], [tensor.shape for tensor in network.outputs]) != wanted:
        raise BundleError(
            f"{path}: takes {[tensor.shape for tensor in network.inputs]} and gives "
            f"{[tensor.shape for tensor in network.outputs]}; as {preset.name} it must take {wanted[0]} and give "
            f"{wanted[1]}. Classes other than ImageNet's need --classes."
        )
    return network


def _parts(config: Any) -> Iterator[tuple[str, str]]:
    """Module and class of every object that a configuration would have Keras build."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            registered = config.get("registered_name")
            module = config.get("module")
            plain = registered in {None, config["class_name"]} or str(registered).startswith("Keras>")
            yield (
                (str(module or ""), config["class_name"])
                if plain
                else (str(registered), config["class_name"])
            )
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)


def _is_safe(module: str, name: str) -> bool:
    if module in SAFE_PARTS:
        return name.isidentifier()
    if module.startswith("keras.src.applications."):
        return name in APPLICATION_LAYERS
    if module in {"keras", "keras.layers", "keras.models", "keras.src.models.functional"}:
        return name in SAFE_LAYERS or name in {"DTypePolicy", "__tuple__", "__numpy__", "__tensor__"}
    return not module and name in {"__keras_tensor__", "__tuple__"}


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

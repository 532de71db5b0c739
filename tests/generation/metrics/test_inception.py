"""The Inception network against Keras's, with TensorFlow's own resizing, on weights in the standard file's layout."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.errors import UsageError
from huanjing.generation.metrics.inception import EPSILON, Inception
from huanjing.generation.metrics.inception_layers import convolutions

pytestmark = pytest.mark.training

State = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def state() -> State:
    """Random weights under the standard file's names; activations keep their size through all layers."""
    random = np.random.default_rng(0)
    state: State = {}
    for layer in convolutions():
        rows, columns = layer.kernel
        deviation = np.sqrt(2 / (layer.inputs * rows * columns))
        shape = (layer.outputs, layer.inputs, rows, columns)
        state[f"{layer.name}.conv.weight"] = random.standard_normal(shape, np.float32) * np.float32(deviation)
        state[f"{layer.name}.bn.weight"] = random.uniform(0.8, 1.2, layer.outputs).astype(np.float32)
        state[f"{layer.name}.bn.bias"] = random.normal(0, 0.1, layer.outputs).astype(np.float32)
        state[f"{layer.name}.bn.running_mean"] = random.normal(0, 0.1, layer.outputs).astype(np.float32)
        state[f"{layer.name}.bn.running_var"] = random.uniform(0.8, 1.2, layer.outputs).astype(np.float32)
    state["fc.weight"] = random.standard_normal((1008, 2048), np.float32)
    state["fc.bias"] = np.zeros(1008, np.float32)
    return state


def write_torch(path: Path, state: State) -> Path:
    """A torch file as torch 1.6 and later write it, put together without torch."""

    def name(module: str, attribute: str) -> bytes:
        return f"c{module}\n{attribute}\n".encode()

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    def numbers(*values: int) -> bytes:
        return b"(" + b"".join(b"J" + value.to_bytes(4, "little") for value in values) + b"t"

    items = b""
    for key, (entry, array) in enumerate(state.items()):
        count = b"J" + array.size.to_bytes(4, "little")
        storage = (
            b"("
            + text("storage")
            + name("torch", "FloatStorage")
            + text(str(key))
            + text("cpu")
            + count
            + b"tQ"
        )
        strides = [stride // 4 for stride in array.strides]
        empty = name("collections", "OrderedDict") + b")R"
        arguments = (
            b"(" + storage + b"K\x00" + numbers(*array.shape) + numbers(*strides) + b"\x89" + empty + b"t"
        )
        items += text(entry) + name("torch._utils", "_rebuild_tensor_v2") + arguments + b"Rs"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "archive/data.pkl", b"\x80\x02" + name("collections", "OrderedDict") + b")R" + items + b"."
        )
        for key, array in enumerate(state.values()):
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path


@pytest.fixture(scope="module")
def network(state: State, tmp_path_factory: pytest.TempPathFactory) -> Inception:
    return Inception(write_torch(tmp_path_factory.mktemp("inception") / "stand-in.pth", state))


@pytest.fixture(scope="module")
def reference(state: State) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The same by Keras's InceptionV3, whose last block is given the pooling that the original has."""
    import keras
    import tensorflow as tf

    published = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(299, 299, 3))
    poolings = [layer.name for layer in published.layers if isinstance(layer, keras.layers.AveragePooling2D)]

    def replace(layer: keras.Layer) -> keras.Layer:
        if layer.name == poolings[-1]:
            return keras.layers.MaxPooling2D(3, strides=1, padding="same")
        return type(layer).from_config(layer.get_config())

    keras_network = keras.models.clone_model(published, clone_function=replace)
    kernels = [layer for layer in keras_network.layers if isinstance(layer, keras.layers.Conv2D)]
    norms = [layer for layer in keras_network.layers if isinstance(layer, keras.layers.BatchNormalization)]

    def created(layer: keras.Layer) -> int:
        return (
            int(layer.name.rpartition("_")[2]) if layer.name[-1].isdigit() and "_" in layer.name[-4:] else 0
        )

    for layer, kernel, norm in zip(
        convolutions(), sorted(kernels, key=created), sorted(norms, key=created), strict=True
    ):
        kernel.set_weights([state[f"{layer.name}.conv.weight"].transpose(2, 3, 1, 0)])
        gamma, beta, mean, variance = (
            state[f"{layer.name}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        # Keras's have no gamma: the same factor comes from another variance.
        norm.set_weights([beta, mean, (variance + EPSILON) / gamma**2 - EPSILON])

    def features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = np.repeat(pictures, 3, axis=3) if pictures.shape[3] == 1 else pictures
        scaled = tf.compat.v1.image.resize_bilinear(tf.cast(x, tf.float32), (299, 299), align_corners=False)
        return np.asarray(keras_network((scaled - 128) / 128)).mean(axis=(1, 2))

    return features


def pictures_of(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (2, height, width, channels), np.uint8)


def test_it_agrees_with_keras_and_tensorflow(
    network: Inception, reference: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> None:
    """Enlarged and reduced, grey and in colour."""
    for pictures in (pictures_of(28, 28, 1), pictures_of(320, 400, 3)):
        ours, expected = network.features(pictures), reference(pictures)
        assert ours.shape == (2, 2048)
        assert expected.std() > 0.05
        np.testing.assert_allclose(ours, expected, atol=1e-4 * expected.std(), rtol=1e-3)


def test_a_picture_does_not_depend_on_its_batch(network: Inception) -> None:
    pictures = np.random.default_rng(2).integers(0, 256, (11, 28, 28, 1), np.uint8)
    np.testing.assert_allclose(network.features(pictures)[9:], network.features(pictures[9:]), rtol=1e-5)


def test_only_the_published_file_is_called_standard(network: Inception) -> None:
    assert not network.standard


def test_other_files_are_refused(state: State, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        Inception(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("weights")
    with pytest.raises(UsageError, match="torch file of plain weights"):
        Inception(tmp_path / "text.pth")
    some = {key: state[key] for key in state if not key.startswith("Mixed_7c")}
    with pytest.raises(UsageError, match=r"has no Mixed_7c\.branch1x1\.conv\.weight"):
        Inception(write_torch(tmp_path / "some.pth", some))
    odd = state | {"Conv2d_1a_3x3.bn.bias": np.zeros(7, np.float32)}
    with pytest.raises(UsageError, match=r"of shape \(7,\), not \(32,\)"):
        Inception(write_torch(tmp_path / "odd.pth", odd))
    torchvision = state | {"fc.weight": np.zeros((1000, 2048), np.float32)}
    with pytest.raises(UsageError, match=r"classifier of shape \(1000, 2048\)"):
        Inception(write_torch(tmp_path / "torchvision.pth", torchvision))

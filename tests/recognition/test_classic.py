"""A classic network of ours answers as Keras's own does, from the official files' layout on.

No weights are fetched: the real networks get random weights, saved as the official files are, and Keras loads them
by the very way that it loads the official ones (``weights="imagenet"``), with the file handed to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.bundle import ClassName
from huanjing.errors import BundleError, UsageError
from huanjing.recognition.presets import PRESETS, Preset
from huanjing.runtime import Recognizer
from tests.official_weights import prepared, random_network, write_official

if TYPE_CHECKING:
    import keras

pytestmark = [
    pytest.mark.training,
    # TensorFlow's own, on starting beside newer numpy and protobuf.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SMALL = PRESETS["mobilenetv2"]


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()


def keras_official(preset: Preset, path: Path, monkeypatch: pytest.MonkeyPatch) -> keras.Model:
    """Keras's own network with its own loading of "official" weights, which are those in ``path``."""
    import keras
    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    arguments = {"weights": "imagenet", "input_shape": (preset.side, preset.side, 3)}
    return getattr(keras.applications, preset.keras)(classifier_activation=None, **arguments)


def photographs(preset: Preset) -> NDArray[np.uint8]:
    from huanjing.recognition.classic import reference_pictures

    return reference_pictures(preset.side, 2)


@pytest.mark.parametrize(
    "name",
    [
        "vgg16", "resnet50", "mobilenetv2", "efficientnetb0", "efficientnetv2b0", "convnexttiny", "densenet121",
        "inceptionv3",
    ],
)  # fmt: skip
def test_logits_are_those_of_keras(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huanjing.recognition import classic
    from huanjing.recognition.keras_weights import load_network

    preset = PRESETS[name]
    pictures = photographs(preset)
    path = write_official(random_network(preset, pictures), tmp_path / preset.file)
    expected = np.asarray(
        keras_official(preset, path, monkeypatch)(prepared(preset, pictures), training=False)
    )
    spread = np.abs(expected - expected.mean(axis=1, keepdims=True)).max()
    assert spread > 1e-3, "random weights whose logits are all alike would show nothing"

    graph = classic.to_openvino(classic.with_outputs(load_network(preset, path, 1000)), preset)
    answers = classic.run(graph, pictures)
    difference = np.abs(answers["logits"] - expected).max() / spread
    print(f"{name}: float32 {difference:.2e}")
    assert difference < 1e-3
    top = np.argsort(-expected, axis=1, kind="stable")[:, :3]
    assert np.array_equal(np.argsort(-answers["logits"], axis=1, kind="stable")[:, :3], top)
    if "feature_map" in answers:
        assert np.allclose(
            answers["feature_map"].mean(axis=(2, 3)), answers["features"], rtol=1e-3, atol=1e-4
        )

    classic.halve_kernels(graph)
    rounded = np.abs(classic.run(graph, pictures)["logits"] - expected).max() / spread
    print(f"{name}: kernels in float16 {rounded:.2e}")
    assert rounded < 0.1, "random weights make much of small differences; trained ones are held to ROUNDED"


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNetV2 with random weights in the official layout."""
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    network = random_network(SMALL, photographs(SMALL))
    return write_official(network, tmp_path_factory.mktemp("weights") / SMALL.file)


def test_the_bundle_says_all_and_recognises(official: Path, tmp_path: Path, espresso: Path) -> None:
    from huanjing.recognition.classic import convert

    bundle = convert(SMALL, official, tmp_path / "mobilenetv2")
    manifest = bundle.manifest
    assert (manifest.name, manifest.architecture, len(manifest.classes)) == (
        "mobilenetv2",
        "mobilenetv2",
        1000,
    )
    assert bundle.picture_input.fit == "squash"
    assert "nearest" in bundle.picture_input.normalisation
    assert {figure.name for figure in manifest.figures} >= {"imagenet_top1", "difference_float32"}
    assert bundle.reference.is_file()
    assert (bundle.folder / "graph.bin").stat().st_size < 2.2 * SMALL.parameters
    recognizer = Recognizer(bundle, precision="f32")
    assert recognizer.check() < 1e-3
    assert recognizer.features(photographs(SMALL)).shape == (2, 1280)
    assert len(recognizer.recognize(espresso).labels) == 3


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".h5"])
def test_ones_own_files_give_the_same(ending: str, tmp_path: Path) -> None:
    """All three kinds, here of an EfficientNetB0 that was not made from the official weights."""
    from huanjing.recognition import classic
    from huanjing.recognition.keras_weights import load_network

    preset = PRESETS["efficientnetb0"]
    pictures = photographs(preset)
    network = random_network(preset, pictures)
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    path = tmp_path / f"mine{ending}"
    network.save_weights(path) if ending == ".weights.h5" else network.save(path)
    expected = np.asarray(network(prepared(preset, pictures), training=False))
    loaded = classic.with_outputs(load_network(preset, path, 1000))
    logits = classic.keras_outputs(loaded, preset, pictures)["logits"]
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert np.allclose(shifted / shifted.sum(axis=1, keepdims=True), expected, atol=1e-6)


def test_ones_own_classes(tmp_path: Path) -> None:
    from huanjing.recognition.classic import convert

    network = random_network(SMALL, photographs(SMALL), classes=2)
    path = write_official(network, tmp_path / "pets.h5")
    with pytest.raises(BundleError, match="--classes"):
        convert(SMALL, path, tmp_path / "pets")
    bundle = convert(
        SMALL,
        path,
        tmp_path / "pets",
        name="pets",
        classes=[ClassName("cat", "cat"), ClassName("dog", "dog")],
    )
    assert bundle.manifest.licence == "the weights' owner decides"
    assert "imagenet_top1" not in {figure.name for figure in bundle.manifest.figures}


def broken(tmp_path: Path, official: Path, fault: str) -> Path:
    path = tmp_path / "weights.h5"
    if fault == "pickle":
        path.write_bytes(b"\x80\x04K\x01.")
        return path
    if fault == "notop":
        with h5py.File(official) as source, h5py.File(path, "w") as file:
            names = list(source.attrs["layer_names"])[:-1]
            file.attrs["layer_names"] = names
            for name in names:
                source.copy(source[name], file)
        return path
    path.write_bytes(official.read_bytes())
    with h5py.File(path, "a") as file:
        if fault == "link":
            file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
        elif fault == "lost":
            del file["Conv1"]
        elif fault == "nan":
            file["predictions/predictions/1_bias:0"][3] = np.nan
    return path


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("pickle", "neither HDF5"),
        ("notop", "without the classifier"),
        ("link", "is a link"),
        ("lost", "has nothing of it"),
        ("nan", "not finite"),
    ],
)
def test_other_files_are_refused(fault: str, says: str, official: Path, tmp_path: Path) -> None:
    from huanjing.recognition.keras_weights import load_network

    with pytest.raises(BundleError, match=says):
        load_network(SMALL, broken(tmp_path, official, fault), 1000)


def test_another_networks_file_is_refused(official: Path, tmp_path: Path) -> None:
    from huanjing.recognition.keras_weights import load_network

    with pytest.raises(BundleError, match=r"vgg16 has 16.*vgg16_weights_tf"):
        load_network(PRESETS["vgg16"], official, 1000)
    with pytest.raises(UsageError, match="no such file"):
        load_network(SMALL, tmp_path / "gone.h5", 1000)


def test_a_softmax_of_its_own_is_taken_off(tmp_path: Path) -> None:
    """A network of one's own, as people end theirs, with a convolution for classifier."""
    import keras

    from huanjing.recognition import classic
    from huanjing.recognition.keras_weights import load_network

    inputs = keras.Input((224, 224, 3))
    x = keras.layers.Conv2D(8, 7, strides=4, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = keras.layers.Conv2D(5, 1)(keras.layers.Dropout(0.5)(x))
    network = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Flatten()(x)))
    path = tmp_path / "mine.keras"
    network.save(path)
    pictures = photographs(SMALL)
    outputs = classic.keras_outputs(classic.with_outputs(load_network(SMALL, path, 5)), SMALL, pictures)
    assert {name: array.shape[1:] for name, array in outputs.items()} == {
        "logits": (5,),
        "features": (8,),
        "feature_map": (8, 55, 55),
    }
    expected = np.asarray(network(prepared(SMALL, pictures), training=False))
    powers = np.exp(outputs["logits"])
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), expected, atol=1e-5)


def test_a_difference_that_is_no_number_is_no_agreement() -> None:
    from huanjing.recognition.classic import largest_difference

    wanted = {"logits": np.float32([[1, 2, 3]])}
    assert largest_difference(wanted, wanted) == 0
    assert not largest_difference({"logits": np.float32([[1, np.nan, 3]])}, wanted) <= 1
    assert largest_difference({"logits": np.float32([[1, 2]])}, wanted) == float("inf")

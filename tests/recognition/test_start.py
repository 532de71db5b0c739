"""What training can begin with, from files with random weights in the official layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huanjing.bundle import find_model, user_models
from huanjing.bundle.download import DownloadError, weights_folder
from huanjing.errors import BundleError, ModelNotFoundError, UsageError
from huanjing.recognition.head import Head
from huanjing.recognition.presets import PRESETS
from huanjing.recognition.start import find_start, start_bundle
from huanjing.runtime import Recognizer
from huanjing.runtime.silent import ov
from tests.official_weights import random_network, write_official

SIDE = 64


def pictures(side: int, count: int = 3) -> np.ndarray:
    from huanjing.recognition.classic import reference_pictures

    return reference_pictures(side, count)


def head_of(width: int) -> Head:
    draw = np.random.default_rng(0)
    return Head(draw.normal(size=(4, width)).astype(np.float32), np.float32([0, 1, 2, 3]), 0.1)


def test_the_embedded_network_at_another_side() -> None:
    start = find_start("efficientnet-lite0")
    assert start.tunable
    assert start_bundle(start, 224).digest == find_model(None, "recognizer").digest
    small = start_bundle(start, 96)
    assert Recognizer(small).shape == (96, 96, 3)
    assert Recognizer(small).features(np.zeros((2, 28, 28, 1), np.uint8)).shape == (2, 1280)
    assert start_bundle(start, 96).folder == small.folder


def test_a_head_on_a_graph_is_the_head_on_its_features() -> None:
    from huanjing.recognition.head_graph import with_head

    bundle = find_model(None, "recognizer")
    shown = np.full((2, 224, 224, 3), 90, np.uint8)
    shown[1, :100] = 220
    head = head_of(1280)
    graph = ov.compile_model(with_head(bundle.graph, head), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answers = graph(shown)
    np.testing.assert_allclose(answers["logits"], head.logits(answers["features"]), rtol=0.01, atol=0.01)
    assert answers["feature_map"].shape == (2, 1280, 7, 7)
    with pytest.raises(BundleError, match="no output features of 5"):
        with_head(bundle.graph, head_of(5))


def test_a_network_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(ModelNotFoundError, match=r"models fetch vgg16.*vgg16_weights_tf.*--weights"):
        find_start("vgg16")
    with pytest.raises(ModelNotFoundError, match="No model 'nothing'"):
        find_start("nothing")


def test_weights_go_with_a_classic_network(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name of a classic network"):
        find_start("efficientnet-lite0", tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        find_start("vgg16", tmp_path / "none.h5")


def test_a_placed_file_must_be_the_official_one() -> None:
    placed = weights_folder() / PRESETS["vgg16"].file
    placed.parent.mkdir(parents=True, exist_ok=True)
    placed.write_bytes(b"cut short")
    try:
        with pytest.raises(DownloadError, match="is expected"):
            find_start("vgg16")
    finally:
        placed.unlink()


@pytest.mark.training
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestClassic:
    """The parts that import TensorFlow."""

    @pytest.fixture(autouse=True)
    def _tensorflow(self) -> None:
        from huanjing.training.engine import require_tensorflow

        require_tensorflow()

    @pytest.mark.parametrize("name", ["mobilenet", "efficientnetb0", "resnet50"])
    def test_features_are_those_of_keras_without_the_top(self, name: str, tmp_path: Path) -> None:
        """A network of each preprocessing mode but torch's; the file is that of the whole network."""
        import keras

        from huanjing.recognition.classic_training import _fill, read_body
        from tests.official_weights import prepared

        preset = PRESETS[name]
        network = random_network(preset, pictures(224, 2))
        path = write_official(network, tmp_path / preset.file)
        body = getattr(keras.applications, preset.keras)(
            include_top=False, weights=None, input_shape=(SIDE, SIDE, 3), pooling="avg"
        )
        _fill(body, read_body(preset, path, SIDE))
        expected = np.asarray(body(prepared(preset, pictures(SIDE)), training=False))
        spread = np.abs(expected - expected.mean(axis=0)).max()
        bundle = start_bundle(find_start(name, path), SIDE)
        features = Recognizer(bundle, precision="f32").features(pictures(SIDE))
        assert np.abs(features - expected).max() < 0.1 * spread

    def test_what_is_written_answers_as_the_network_in_keras(self, tmp_path: Path) -> None:
        from huanjing.recognition.classic_training import fine_tunable

        preset = PRESETS["mobilenet"]
        path = write_official(random_network(preset, pictures(224, 2)), tmp_path / preset.file)
        make, save = fine_tunable(preset, path, SIDE, head_of(1024))
        network = make()
        assert not network.get_layer("conv1_bn").trainable
        exact = save(network, tmp_path / "graph.xml")
        expected = np.asarray(network(pictures(SIDE).astype(np.float32), training=False))
        graph = ov.compile_model(exact, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        np.testing.assert_allclose(graph(pictures(SIDE))["logits"], expected, rtol=1e-3, atol=1e-3)
        assert graph(pictures(SIDE))["feature_map"].shape == (3, 1024, 2, 2)

    def test_a_converted_model_alone_serves_a_head_at_its_side(self, tmp_path: Path) -> None:
        from huanjing.recognition.classic import convert

        preset = PRESETS["mobilenet"]
        path = write_official(random_network(preset, pictures(224, 2)), tmp_path / "mine.h5")
        folder = user_models() / "my-mobilenet"
        convert(preset, path, folder, name="my-mobilenet")
        start = find_start("my-mobilenet")
        assert not start.tunable
        assert start_bundle(start, 224).folder == folder
        with pytest.raises(UsageError, match="224 pixels only"):
            start_bundle(start, 96)

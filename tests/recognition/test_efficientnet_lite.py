"""The embedded recogniser against torch's answers for the same weights, and the two builders compared."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from huanjing.bundle import find_model
from huanjing.errors import BundleError
from huanjing.recognition.efficientnet_lite import (
    LITE0,
    VARIANTS,
    blocks,
    check_weights,
    parameter_shapes,
    stages,
)
from huanjing.recognition.efficientnet_lite_graph import build_graph, read_weights, same_padding
from huanjing.runtime.silent import ov

REFERENCE = Path(__file__).parent / "data" / "efficientnet_lite0_torch.npz"
TOLERANCE = 0.02


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def bundle():
    return find_model("efficientnet-lite0", "recognizer")


@pytest.fixture(scope="module")
def weights(bundle):
    return read_weights(bundle.graph)


def run(model, pictures):
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(pictures)


def test_bundle_agrees_with_torch(bundle, reference):
    outputs = run(bundle.graph, reference["pictures"])

    assert outputs["logits"] == pytest.approx(reference["logits"], abs=TOLERANCE)
    assert outputs["features"] == pytest.approx(reference["features"], abs=TOLERANCE)
    # The order of the classes: chelsea is a cat, the coffee an espresso, the rocket a missile.
    best = outputs["logits"].argmax(1)
    assert [bundle.manifest.classes[index].id for index in best[:3]] == [
        "n02124075",
        "n07920052",
        "n03773504",
    ]


def test_graph_has_the_documented_input_and_outputs(bundle, reference):
    model = ov.Core().read_model(bundle.graph)
    outputs = run(bundle.graph, reference["pictures"][:2])

    assert model.input("picture").get_element_type() == ov.Type.u8
    assert str(model.input("picture").get_partial_shape()) == "[?,224,224,3]"
    assert {next(iter(port.get_names())) for port in model.outputs} == {"feature_map", "features", "logits"}
    assert outputs["feature_map"].shape == (2, 1280, 7, 7)
    assert outputs["features"].shape == (2, 1280)
    assert outputs["logits"].shape == (2, 1000)
    assert outputs["feature_map"].min() >= 0
    assert outputs["feature_map"].max() <= 6
    assert outputs["feature_map"].mean((2, 3)) == pytest.approx(outputs["features"], abs=1e-4)


def test_batch_normalisation_costs_nothing_when_compiled(bundle):
    compiled = ov.Core().compile_model(bundle.graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kinds = [node.get_rt_info()["layerType"].astype(str) for node in compiled.get_runtime_model().get_ops()]

    assert kinds.count("Convolution") == sum(len(block.units) for block in blocks())
    assert kinds.count("Eltwise") + kinds.count("Subgraph") <= 2  # the normalisation of the picture


def test_manifest(bundle):
    manifest = bundle.manifest

    assert len({name.id for name in manifest.classes}) == 1000
    assert all(name.en and name.zh for name in manifest.classes)
    assert bundle.picture_input.crop_fraction == 224 / 256
    assert (bundle.picture_input.fit, bundle.picture_input.resample) == ("crop", "bilinear")
    assert manifest.licence == "Apache-2.0"
    assert [figure.value for figure in manifest.figures] == [75.1]
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) < 12 * 2**20


def test_weights_survive_a_second_building(weights, tmp_path):
    assert {name: array.shape for name, array in weights.items()} == parameter_shapes()
    assert all(array.dtype == np.float32 for array in weights.values())

    ov.save_model(build_graph(weights), tmp_path / "graph.xml", compress_to_fp16=False)
    again = read_weights(tmp_path / "graph.xml")

    assert again.keys() == weights.keys()
    assert all(np.array_equal(again[name], weights[name]) for name in weights)


def test_saving_twice_gives_the_same_bytes(weights, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        ov.save_model(build_graph(weights), tmp_path / folder / "graph.xml", compress_to_fp16=False)

    for name in ("graph.xml", "graph.bin"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_graph_for_other_classes_and_another_resolution(weights):
    smaller = {
        **weights,
        "classifier/kernel": weights["classifier/kernel"][:3],
        "classifier/bias": np.zeros(3),
    }

    outputs = run(build_graph(smaller, resolution=96), np.zeros((1, 96, 96, 3), np.uint8))

    assert outputs["logits"].shape == (1, 3)
    assert outputs["feature_map"].shape == (1, 1280, 3, 3)


def test_weights_that_do_not_fit_are_named(weights):
    incomplete = {name: array for name, array in weights.items() if name != "head_convolution/kernel"}
    with pytest.raises(BundleError, match="lack head_convolution/kernel"):
        build_graph(incomplete)
    with pytest.raises(BundleError, match="another variant"):
        build_graph(weights, VARIANTS["efficientnet-lite4"])
    with pytest.raises(BundleError, match="lack classifier/kernel"):
        build_graph({name: array for name, array in weights.items() if not name.startswith("classifier/")})
    with pytest.raises(BundleError, match="do not fit float16"):
        build_graph(
            {**weights, "head_convolution/kernel": weights["head_convolution/kernel"] * np.float32(1e6)}
        )


def test_reading_weights_from_something_else(tmp_path):
    path = tmp_path / "graph.xml"
    path.write_text("<not a graph/>")
    with pytest.raises(BundleError, match="cannot read this graph"):
        read_weights(path)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("efficientnet-lite0", 4.7),
        ("efficientnet-lite1", 5.4),
        ("efficientnet-lite2", 6.1),
        ("efficientnet-lite3", 8.2),
        ("efficientnet-lite4", 13.0),
    ],
)
def test_numbers_of_parameters_are_the_published_ones(name, millions):
    shapes = parameter_shapes(VARIANTS[name])
    trained = sum(int(np.prod(shape)) for key, shape in shapes.items() if "/moving_" not in key)

    assert trained / 1e6 == pytest.approx(millions, abs=0.05)


def test_stages_of_lite0():
    rows = [
        (row.repeats, row.kernel, row.stride, row.expand, row.channels_in, row.channels_out)
        for row in stages(LITE0)
    ]

    assert rows == [
        (1, 3, 1, 1, 32, 16),
        (2, 3, 2, 6, 16, 24),
        (2, 5, 2, 6, 24, 40),
        (3, 3, 2, 6, 40, 80),
        (3, 5, 1, 6, 80, 112),
        (4, 5, 2, 6, 112, 192),
        (1, 3, 1, 6, 192, 320),
    ]


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"),
    [(224, 3, 2, (0, 1)), (56, 5, 2, (1, 2)), (225, 3, 2, (1, 1)), (7, 5, 1, (2, 2)), (7, 1, 1, (0, 0))],
)
def test_same_padding_is_tensorflows(side, kernel, stride, padding):
    assert same_padding(side, kernel, stride) == padding


def test_importing_loads_nothing_that_trains():
    code = (
        "import sys, huanjing.recognition.efficientnet_lite, huanjing.recognition.efficientnet_lite_graph, "
        "huanjing.recognition.efficientnet_lite_network; "
        "print(sorted({'tensorflow', 'keras', 'torch', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.training
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras
def test_keras_network_from_the_bundle(weights, reference, tmp_path):
    import keras

    from huanjing.recognition.efficientnet_lite_network import build_network, load_weights, network_weights

    network = build_network()
    load_weights(network, weights)
    logits = network.predict(reference["pictures"], verbose=0)
    assert logits == pytest.approx(reference["logits"], abs=TOLERANCE)

    back = network_weights(network)
    assert back.keys() == weights.keys()
    assert all(np.array_equal(back[name], weights[name]) for name in weights)

    backbone = build_network(include_head=False, stochastic_depth=0.2)
    load_weights(backbone, weights)
    features = backbone.predict(reference["pictures"], verbose=0)
    assert features == pytest.approx(reference["features"], abs=TOLERANCE)
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    assert np.array_equal(loaded.predict(reference["pictures"], verbose=0), features)

    other = build_network(resolution=64, classes=3)
    load_weights(other, weights, classifier=False)
    pictures = reference["pictures"][:, 80:144, 80:144]
    expected = other.predict(pictures, verbose=0)
    assert expected.shape == (4, 3)
    assert run(build_graph(network_weights(other), resolution=64), pictures)["logits"] == pytest.approx(
        expected, abs=TOLERANCE
    )
    with pytest.raises(BundleError, match="another number of classes"):
        load_weights(other, weights)
    check_weights(network_weights(other), parameter_shapes(classes=3))

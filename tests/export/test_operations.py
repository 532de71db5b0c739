"""Every type of operation computes in ONNX, TensorFlow and LiteRT what it does in OpenVINO."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from huanjing.bundle import Bundle
from huanjing.errors import UsageError
from huanjing.export.graph import read_graph
from huanjing.export.job import Answers, Inputs, Job
from huanjing.export.onnx_file import to_onnx
from huanjing.export.onnx_operations import OPERATIONS as IN_ONNX
from huanjing.runtime.silent import ov
from tests.export.networks import OPERATIONS, one_operation

TRAINING = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def inputs(count: int) -> Inputs:
    return {"latent": np.random.default_rng(1).standard_normal((count, 140), np.float32)}


def by_openvino(bundle: Bundle, given: Inputs) -> Answers:
    compiled = ov.Core().compile_model(bundle.graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return {output.get_any_name(): np.array(value) for output, value in compiled(given).items()}


def agree(found: Answers, expected: Answers) -> None:
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-4, atol=1e-4, err_msg=name)


def test_every_type_is_tested() -> None:
    assert {name.split(",")[0] for name in OPERATIONS} == set(IN_ONNX)


@pytest.mark.parametrize("name", OPERATIONS)
def test_in_onnx(name: str, tmp_path: Path) -> None:
    import onnx

    from huanjing.export.onnx_file import open_file

    bundle = one_operation(name, tmp_path / "one")
    onnx.save(to_onnx(read_graph(bundle)), tmp_path / "one.onnx")
    agree(open_file(tmp_path / "one.onnx")(inputs(3)), by_openvino(bundle, inputs(3)))


@pytest.mark.parametrize("name", [pytest.param(name, marks=TRAINING) for name in OPERATIONS])
def test_in_tensorflow(name: str, tmp_path: Path) -> None:
    from huanjing.export.saved_model import to_function

    bundle = one_operation(name, tmp_path / "one")
    found = to_function(read_graph(bundle))(inputs(3)["latent"])
    agree({key: np.asarray(value) for key, value in found.items()}, by_openvino(bundle, inputs(3)))


LEAST_ALIKE = ["Erf", "ConvolutionBackpropData", "GroupConvolution, of pairs", "Interpolate", "StridedSlice"]
"""LiteRT has these in another form than TensorFlow, from which it is converted."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=TRAINING) for name in LEAST_ALIKE])
def test_in_litert(name: str, tmp_path: Path) -> None:
    from huanjing.export.litert_file import open_file, write

    bundle = one_operation(name, tmp_path / "one")
    path = write(Job(bundle, "fp32", inputs(0)["latent"], {}), tmp_path)
    agree(open_file(path)(inputs(1)), by_openvino(bundle, inputs(1)))


@pytest.mark.training
def test_both_tables_hold_the_same_types() -> None:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    from huanjing.export.tensorflow_operations import OPERATIONS as IN_TENSORFLOW

    assert set(IN_TENSORFLOW) == set(IN_ONNX)


def test_an_operation_without_a_translation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = one_operation("Tanh", tmp_path / "one")
    monkeypatch.delitem(IN_ONNX, "Tanh")
    with pytest.raises(UsageError, match=r"\(Tanh\) cannot be exported.*--to openvino takes every network"):
        to_onnx(read_graph(bundle))


def test_half_precision_is_in_the_file() -> None:
    from huanjing.bundle import find_model

    graph = read_graph(find_model(None, "generator"))
    whole, half = (to_onnx(graph, half=half).SerializeToString() for half in (False, True))
    assert len(half) < 0.6 * len(whole)
    assert zlib.crc32(whole) == zlib.crc32(to_onnx(graph).SerializeToString()), "the same file every time"

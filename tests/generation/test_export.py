from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from huanjing.bundle import load_bundle
from huanjing.errors import BundleError

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

pytestmark = pytest.mark.training


@pytest.mark.parametrize("name", ["dcgan", "residual"])
def test_bundle_makes_what_keras_makes(
    tiny: Callable[..., GeneratorConfig], tmp_path: Path, name: str
) -> None:
    from huanjing.generation.export import TOLERANCE, export_generator
    from huanjing.generation.networks import build_generator
    from huanjing.runtime import Generator

    config = tiny(name, precision="mixed_bfloat16")
    network = build_generator(config.recipe, config.shape, config.precision, 3)
    export_generator(tmp_path / "model", config, network, name="tiny")
    bundle = load_bundle(tmp_path / "model")
    assert bundle.manifest.training.command == config.command
    assert bundle.manifest.training.seed == 7
    assert "weights.weights.h5" in bundle.manifest.files
    assert (bundle.latent_input.size, bundle.latent_input.height) == (4, 8)
    reference = np.load(bundle.reference)
    assert reference["picture"].shape == (8, 8, 8, 1)
    made = Generator(bundle).pictures(reference["latent"])
    np.testing.assert_allclose(made, reference["picture"], atol=TOLERANCE)
    assert np.ptp(made) > 0

    slim = export_generator(tmp_path / "slim", config, network, name="tiny", keep_weights=False)
    assert set(slim.manifest.files) == {"graph.xml", "graph.bin", "reference.npz"}


def test_a_graph_that_differs_is_not_written(
    tiny: Callable[..., GeneratorConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.generation import export
    from huanjing.generation.networks import build_generator

    config = tiny()
    network = build_generator(config.recipe, config.shape, "float32", 3)
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(BundleError, match="differs from the trained network"):
        export.export_generator(tmp_path / "model", config, network, name="tiny")
    assert not (tmp_path / "model").exists()


def test_where_half_precision_is_too_coarse_weights_are_stored_as_they_are(
    tiny: Callable[..., GeneratorConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.generation import export
    from huanjing.generation.networks import build_generator
    from huanjing.runtime import Generator

    config = tiny()
    network = build_generator(config.recipe, config.shape, "float32", 3)

    def furthest(name: str) -> float:
        bundle = export.export_generator(tmp_path / name, config, network, name="tiny")
        reference = np.load(bundle.reference)
        return float(np.abs(Generator(bundle).pictures(reference["latent"]) - reference["picture"]).max())

    halved = furthest("halved")
    assert 0 < halved <= export.TOLERANCE
    monkeypatch.setattr(export, "TOLERANCE", halved / 2)
    assert furthest("whole") <= halved / 2


def test_neither_using_nor_converting_is_reported(tmp_path: Path) -> None:
    """OpenVINO tells its makers of its import and of each conversion unless told not to; nothing may leave."""
    program = """
import openvino_telemetry.utils.sender as sender
sent = []
sender.TelemetrySender.send = lambda self, *rest: sent.append(rest)
import huanjing
huanjing.generate()
import keras
from huanjing.generation.export import to_openvino
latents = keras.Input((4,))
to_openvino(keras.Model(latents, keras.layers.Reshape((2, 2, 1))(keras.layers.Dense(4)(latents))))
print(sent)
"""
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert not (tmp_path / "intel").exists()

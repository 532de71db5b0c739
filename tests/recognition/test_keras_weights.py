"""A ``.keras`` file that could run code is refused before Keras sees it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from huanjing.errors import BundleError
from huanjing.recognition.presets import PRESETS

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

SMALL = PRESETS["mobilenetv2"]


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()


def test_code_in_a_keras_file_is_refused(tmp_path: Path) -> None:
    import keras

    from huanjing.recognition.keras_weights import load_network

    inputs = keras.Input((224, 224, 3))
    outputs = keras.layers.Dense(1000)(
        keras.layers.GlobalAveragePooling2D()(keras.layers.Lambda(abs)(inputs))
    )
    path = tmp_path / "lambda.keras"
    keras.Model(inputs, outputs).save(path)
    with pytest.raises(BundleError, match="Lambda"):
        load_network(SMALL, path, 1000)


@pytest.mark.parametrize(
    "part",
    [
        {"class_name": "Popen", "module": "subprocess", "config": {}},
        {"class_name": "function", "module": "builtins", "config": "get_file", "registered_name": "function"},
        {"class_name": "TFSMLayer", "module": "keras.layers", "config": {}},
        {"class_name": "Dense", "module": "keras.layers", "registered_name": "Mine>Dense", "config": {}},
    ],
)
def test_parts_from_elsewhere_are_refused(part: dict[str, Any], tmp_path: Path) -> None:
    from huanjing.recognition.keras_weights import load_network

    path = tmp_path / "hostile.keras"
    with zipfile.ZipFile(path, "w") as archive:
        config = {"class_name": "Sequential", "module": "keras", "config": {"layers": [part]}}
        archive.writestr("config.json", json.dumps(config))
    with pytest.raises(BundleError, match=part["class_name"]):
        load_network(SMALL, path, 1000)

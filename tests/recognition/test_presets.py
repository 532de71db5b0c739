"""The table of classic networks agrees with Keras's own source."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from huanjing.recognition.presets import BUCKET, MIRROR, PRESETS, how_to_fetch

VGG16 = PRESETS["vgg16"]


def test_vgg16_is_as_published() -> None:
    assert next(iter(PRESETS)) == "vgg16"
    assert (VGG16.keras, VGG16.side, VGG16.preprocessing) == ("VGG16", 224, "caffe")
    assert (VGG16.top1, VGG16.top5, VGG16.parameters) == (71.3, 90.1, 138_357_544)
    assert VGG16.url == BUCKET + "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    assert VGG16.hash == "64373286793e3c8b2b4e3219cbf3544b"
    assert abs(VGG16.bytes / 553_467_096 - 1) < 0.001


@pytest.mark.parametrize("name", PRESETS)
def test_every_row_is_complete(name: str) -> None:
    preset = PRESETS[name]
    assert re.fullmatch("[a-z][a-z0-9]+", name)
    assert preset.file.endswith(".h5")
    assert preset.url.startswith("https://storage.googleapis.com/")
    assert preset.hash is None or re.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}", preset.hash)
    assert preset.top1 is None or 60 < preset.top1 < (preset.top5 or 100) < 100 or preset.top5 is None
    assert preset.licence
    assert "ImageNet (ILSVRC 2012)" in preset.training


def test_files_are_told_apart_by_name() -> None:
    assert len({preset.file for preset in PRESETS.values()}) == len(PRESETS)


def test_only_two_files_have_no_hash() -> None:
    assert {name for name, preset in PRESETS.items() if preset.hash is None} == {"mobilenet", "mobilenetv2"}


def test_another_place_to_fetch_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR, "https://mirror.example/keras/")
    assert VGG16.url == "https://mirror.example/keras/vgg16_weights_tf_dim_ordering_tf_kernels.h5"


def test_what_to_do_about_a_network_that_is_not_here() -> None:
    message = how_to_fetch("vgg16") or ""
    for part in ("huanjing models fetch vgg16", VGG16.file, f"MD5 {VGG16.hash}", "weights", "--weights"):
        assert part in message
    assert how_to_fetch("vgg61") is None
    assert how_to_fetch(None) is None


@pytest.mark.training
def test_keras_has_no_other_networks_and_the_same_hashes() -> None:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    import keras

    networks = {
        name
        for name, value in vars(keras.applications).items()
        if inspect.isfunction(value) and "weights" in inspect.signature(value).parameters
    }
    assert {preset.keras for preset in PRESETS.values()} == networks
    folder = Path(inspect.getfile(keras.applications.VGG16)).parent
    source = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    everything = "\n".join(source.values())
    for preset in PRESETS.values():
        if preset.hash is not None:
            assert preset.hash in everything, preset.name
        function = getattr(keras.applications, preset.keras)
        assert inspect.signature(function).parameters["weights"].default == "imagenet"
        stem = Path(inspect.getfile(function)).stem
        mode = re.search(r'mode="(caffe|tf|torch)"', source[stem])
        assert preset.preprocessing == (mode[1] if mode else "none"), preset.name
        if preset.preprocessing == "none":
            assert "Rescaling(" in source[stem] or "Normalization(" in source[stem]

"""Exporting: what is written computes what the bundle does, or nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huanjing.bundle import Bundle, find_model, load_bundle
from huanjing.errors import BundleError, MissingExtraError, UsageError
from huanjing.export import Exported, export_model
from huanjing.export import export as way
from huanjing.export.sample import take_sample
from huanjing.runtime import Generator, Recognizer, latents
from tests.export.networks import SIDE, be_brief, tiny_conditional_generator, tiny_recognizer

TRAINING = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

EVERY = [
    pytest.param(to, precision, marks=TRAINING if to in {"saved_model", "litert"} else [])
    for to, target in way.TARGETS.items()
    for precision in target.precisions
]


@pytest.fixture
def tiny(tmp_path: Path) -> Bundle:
    return tiny_recognizer(tmp_path / "tiny")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    be_brief(monkeypatch)


def photograph_folder(folder: Path) -> Path:
    """Forty parts of the package's photographs as files."""
    from PIL import Image

    from huanjing.datasets import photographs

    folder.mkdir()
    for number in range(40):
        with Image.open(photographs()[number % 14].path) as picture:
            left, upper = 20 * (number // 14), 10 * (number // 14)
            picture.crop((left, upper, left + 200, upper + 200)).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(("to", "precision"), EVERY)
@pytest.mark.usefixtures("few")
def test_every_format_and_precision(to: Any, precision: Any, tiny: Bundle, tmp_path: Path) -> None:
    folder = photograph_folder(tmp_path / "pictures")
    exported = export_model(tiny, to, precision, tmp_path / "out", calibrate=folder, any_speed=True)
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["source"] == {"name": "tiny", "sha256": tiny.digest}
    assert record["check"]["pictures"] == exported.agreement.pictures > 0
    assert record["model"]["temperature"] == 1.5
    assert (tmp_path / "out" / "labels.txt").read_text().splitlines()[5] == "class 5"
    assert exported.file.exists()
    if precision == "int8":
        assert 0 < record["check"]["calibrated_on"] <= 20
        assert exported.agreement.largest > 1e-4, "integers that differ nowhere are none"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("few")
def test_the_embedded_recogniser_in_onnx(tmp_path: Path, espresso: Path) -> None:
    """Loaded as a stranger would: with ONNX Runtime alone, and what the file says of itself."""
    import onnx
    import onnxruntime as ort
    from PIL import Image

    from huanjing.images import fit

    exported = export_model(find_model(None, "recognizer"), "onnx", "fp16", tmp_path / "out")
    assert exported.agreement.top1 == 1.0
    assert exported.agreement.spread_share < 1e-4, "kernels are in half precision in the bundle already"
    model = onnx.load(exported.file)
    onnx.checker.check_model(model, full_check=True)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["fit"].startswith("crop of 0.875")
    assert said["licence"] == "Apache-2.0"
    assert said["source_sha256"] == find_model(None, "recognizer").digest
    session = ort.InferenceSession(exported.file)
    with Image.open(espresso) as picture:
        pixels = np.asarray(fit(picture.convert("RGB"), 224, 224, mode="crop", crop_fraction=0.875))
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(None, {"picture": np.stack([pixels] * 3)}), strict=True))
    assert json.loads(said["labels"])[int(answers["logits"][2].argmax())] == "espresso"
    assert answers["feature_map"].shape == (3, 1280, 7, 7)


@pytest.mark.parametrize(
    ("to", "precision"),
    [("onnx", "fp32"), ("openvino", "fp16"), pytest.param("litert", "fp32", marks=TRAINING)],
)
@pytest.mark.usefixtures("few")
def test_the_embedded_generator(to: Any, precision: Any, tmp_path: Path) -> None:
    exported = export_model(find_model(None, "generator"), to, precision, tmp_path / "out")
    assert exported.agreement.top1 is None
    assert exported.agreement.largest < 1e-3
    names = [each.en for each in Generator().classes]
    assert (tmp_path / "out" / "labels.txt").read_text(encoding="utf-8").splitlines() == names
    if to == "openvino":
        pictures = Generator(tmp_path / "out").generate([7])
        assert np.abs(pictures.astype(int) - Generator().generate([7])).max() <= 1


@pytest.mark.usefixtures("few")
def test_an_openvino_export_is_a_model_of_ours(tiny: Bundle, tmp_path: Path, espresso: Path) -> None:
    folder = photograph_folder(tmp_path / "pictures")
    export_model(tiny, "openvino", "int8", tmp_path / "out", calibrate=folder, any_speed=True)
    bundle = load_bundle(tmp_path / "out")
    assert "int8" in bundle.manifest.origin
    assert "nncf" in bundle.manifest.versions
    before, after = (Recognizer(one).recognize(espresso).labels[0] for one in (tiny, bundle))
    assert after.name == before.name


@pytest.mark.training
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("to", "precision"), [one for one in EVERY if one.values[1] != "int8"])
@pytest.mark.usefixtures("few")
def test_a_generator_that_is_told_classes(to: Any, precision: Any, tmp_path: Path) -> None:
    bundle = tiny_conditional_generator(tmp_path / "told")
    exported = export_model(bundle, to, precision, tmp_path / "out")
    assert exported.agreement.largest < 1e-3
    description = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))["description"]
    assert description["input"].endswith("classes: float32 [batch, 3], one-hot")
    assert (tmp_path / "out" / "labels.txt").read_text().split() == ["bag", "boot", "coat"]
    seeds, classes = range(6), np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2]]
    wanted = Generator(bundle).pictures(latents(seeds, 8), classes)
    run = way.load_target(to, precision).open_file(exported.file)
    made = [run({"latent": latents([k], 8), "classes": classes[k : k + 1]})["picture"] for k in seeds]
    np.testing.assert_allclose(np.concatenate(made), wanted, atol=1e-3)
    assert np.abs(wanted - Generator(bundle).pictures(latents(seeds, 8), classes[::-1])).max() > 0.1


@pytest.mark.usefixtures("few")
def test_what_travels_with_the_tensorflow_formats(tiny: Bundle, tmp_path: Path) -> None:
    export_model(tiny, "saved_model", "fp16", tmp_path / "saved")
    said = json.loads((tmp_path / "saved" / "assets" / "description.json").read_text(encoding="utf-8"))
    assert said["temperature"] == "1.5"
    assert (tmp_path / "saved" / "assets" / "labels.txt").read_text().startswith("class 0\n")
    exported = export_model(tiny, "litert", "fp16", tmp_path / "lite")
    with zipfile.ZipFile(exported.file) as attached:
        assert attached.read("labels.txt").decode().splitlines()[1] == "class 1"
    from huanjing.export.litert_file import open_file

    assert open_file(exported.file)({"picture": np.zeros((2, SIDE, SIDE, 3), np.uint8)})["logits"].shape == (
        2,
        6,
    )

    import tensorflow as tf

    signature = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    answers = signature(picture=tf.zeros((2, SIDE, SIDE, 3), tf.uint8))
    assert set(answers) == {"logits", "features", "feature_map"}
    assert answers["logits"].shape == (2, 6)


@pytest.mark.usefixtures("few")
def test_a_wrong_translation_is_caught(tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One weight of one kernel is other than it should be."""
    from huanjing.export import onnx_file

    def spoilt(bundle: Bundle) -> Any:
        graph = onnx_file_read(bundle)
        kernel = next(array for array in graph.constants.values() if array.shape == (32, 16, 3, 3))
        kernel[7, 3, 1, 1] += 0.5
        return graph

    onnx_file_read = onnx_file.read_graph
    monkeypatch.setattr(onnx_file, "read_graph", spoilt)
    with pytest.raises(BundleError, match=r"differs from the bundle by 0\.\d+ of its outputs' spread"):
        export_model(tiny, "onnx", "fp32", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.usefixtures("few")
def test_int8_that_answers_otherwise_is_refused_with_the_figures(
    tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calibrated on black pictures it knows no range but that of black."""
    folder = photograph_folder(tmp_path / "pictures")
    good = take_sample(tiny, "int8", folder)
    black = replace(good, calibration=np.zeros_like(good.calibration))
    monkeypatch.setattr(way, "take_sample", lambda *_: black)
    with pytest.raises(BundleError, match=r"same class as before on \d+\.\d % of 20 pictures.*at least 95 %"):
        export_model(tiny, "onnx", "int8", tmp_path / "out", any_speed=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("few")
def test_int8_that_is_not_faster_is_refused_unless_it_is_for_another_machine(
    tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photograph_folder(tmp_path / "pictures")
    monkeypatch.setattr(way, "rates", lambda *_: [10.0, 30.0, 20.0])
    with pytest.raises(BundleError, match=r"10\.0 pictures/s here, and onnx in fp32 20\.0.*--any-speed"):
        export_model(tiny, "onnx", "int8", tmp_path / "out", calibrate=folder)
    assert not (tmp_path / "out").exists()
    export_model(tiny, "onnx", "int8", tmp_path / "out", calibrate=folder, any_speed=True)
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["pictures_per_second"]["faster_here"] is False


@pytest.mark.usefixtures("few")
def test_only_exports_are_replaced(tiny: Bundle, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("kept")
    with pytest.raises(UsageError, match="not an export"):
        export_model(tiny, "onnx", "fp32", tmp_path / "out")
    assert mine.read_text() == "kept"
    first: Exported = export_model(tiny, "onnx", "fp32", tmp_path / "out", overwrite=True)
    assert not mine.exists()
    again = export_model(tiny, "onnx", "fp32", tmp_path / "out")
    assert again.file == first.file
    with pytest.raises(UsageError, match="is a file"):
        export_model(tiny, "onnx", "fp32", first.file)


def test_what_cannot_be_is_said(tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"saved_model has no int8.*openvino, onnx or litert"):
        export_model(tiny, "saved_model", "int8", tmp_path / "out")
    with pytest.raises(UsageError, match=r"--calibrate FOLDER"):
        export_model(tiny, "onnx", "int8", tmp_path / "out")
    generator = find_model(None, "generator")
    with pytest.raises(UsageError, match="latents of its own"):
        export_model(generator, "onnx", "fp16", tmp_path / "out", calibrate=tmp_path)
    with pytest.raises(UsageError, match="int8 ruins its pictures"):
        export_model(generator, "onnx", "int8", tmp_path / "out")
    monkeypatch.setattr(way, "find_spec", lambda package: None if package == "nncf" else object())
    with pytest.raises(MissingExtraError, match=r"huanjing\[export\]"):
        export_model(tiny, "openvino", "int8", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_too_few_pictures_calibrate_nothing(tiny: Bundle, tmp_path: Path) -> None:
    folder = photograph_folder(tmp_path / "pictures")
    for path in sorted(folder.iterdir())[5:]:
        path.unlink()
    with pytest.raises(UsageError, match="holds 5 usable pictures; int8 needs at least 40"):
        export_model(tiny, "onnx", "int8", tmp_path / "out", calibrate=folder)


def test_no_picture_calibrates_and_judges(tmp_path: Path) -> None:
    embedded = find_model(None, "recognizer")
    sample = take_sample(embedded, "int8")
    calibrating = {picture.tobytes() for picture in sample.calibration}
    assert (len(sample.calibration), len(sample.judged["picture"])) == (300, 400)
    assert not calibrating & {picture.tobytes() for picture in sample.judged["picture"]}
    folder = take_sample(embedded, "int8", photograph_folder(tmp_path / "pictures"))
    assert (len(folder.calibration), len(folder.judged["picture"])) == (20, 20)


def test_quantising_is_not_reported(tmp_path: Path) -> None:
    """nncf tells its makers of each use unless told not to; nothing may leave."""
    tiny_recognizer(tmp_path / "tiny")
    program = """
import sys
import socket
import openvino_telemetry.utils.sender as sender
sent = []
sender.TelemetrySender.send = lambda self, *rest: sent.append(rest)
socket.getaddrinfo = lambda *rest: sent.append(rest)
from pathlib import Path
import numpy as np
from huanjing.bundle import load_bundle
from huanjing.export.job import Job
from huanjing.export.openvino_model import write
pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
write(Job(load_bundle(sys.argv[1]), "int8", pictures, {}), Path(sys.argv[2]))
print(sent)
"""
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "tiny"), str(tmp_path / "out")],
        check=True, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
    assert not (tmp_path / "intel").exists()

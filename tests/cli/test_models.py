"""``huanjing models`` as somebody at a shell meets it."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from huanjing.recognition.presets import PRESETS
from tests.export.networks import tiny_conditional_generator

from .test_recognize import huanjing

SMALL = PRESETS["mobilenetv2"]


def test_the_list_fits_a_terminal() -> None:
    done = huanjing("models", "list")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.strip().startswith("vgg16"))
    assert row.split() == ["vgg16", "recognizer", "224×224", "71.3", "553", "to", "be", "had"]
    assert "efficientnet-lite0" in done.stdout
    assert all(f" {name} " in done.stdout for name in PRESETS)


def test_the_list_as_json_and_in_chinese() -> None:
    rows = json.loads(huanjing("models", "list", "--format", "json", LC_ALL="zh_CN.UTF-8").stdout)
    assert {"name", "kind", "size", "top1", "bytes", "where"} == set(rows[0])
    assert {row["where"] for row in rows} == {"package", "to be had"}
    assert "可获取" in huanjing("models", "list", LC_ALL="zh_CN.UTF-8").stdout


def test_show_says_what_is_known_of_a_network_to_be_had(tmp_path: Path) -> None:
    done = huanjing("models", "show", "vgg16", HUANJING_HOME=str(tmp_path))
    for part in ("224×224", "RGB to BGR", "71.3", "138,357,544", PRESETS["vgg16"].hash, PRESETS["vgg16"].url):
        assert str(part) in done.stdout
    assert str(tmp_path / "weights" / PRESETS["vgg16"].file) in done.stdout
    chinese = huanjing("models", "show", "vgg16", "--lang", "zh").stdout
    assert all(word in chinese for word in ("许可", "可获取", "huanjing models fetch vgg16", "识别"))
    assert "none is published" in huanjing("models", "show", "mobilenetv2").stdout


@pytest.mark.parametrize(
    ("name", "kind"), [("efficientnet-lite0", "recognizer"), ("clothing-28", "generator")]
)
def test_show_says_what_a_model_says_of_itself(name: str, kind: str) -> None:
    facts = json.loads(huanjing("models", "show", name, "--format", "json").stdout)
    assert facts["kind"] == kind
    assert facts["licence"] == "Apache-2.0"
    assert any(line.startswith("graph.bin") for line in facts["files"])
    assert name in huanjing("models", "show", name).stdout


def test_show_names_the_classes_that_a_generator_can_be_asked_for() -> None:
    assert "ankle boot 短靴, bag 包, coat 外套" in huanjing("models", "show", "clothing-28").stdout


def test_a_damaged_model_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    done = huanjing("models", "list", HUANJING_HOME=str(tmp_path))
    assert done.returncode == 0
    assert "damaged" in done.stdout
    assert "vgg16" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "vgg61"], "No model 'vgg61'"),
        (["fetch", "vgg61"], "No network 'vgg61'"),
        (["fetch", "vgg16", "--classes", "classes.txt"], "--weights"),
        (["fetch", "vgg16", "--as", "../vgg16"], "letters a to z"),
        (["fetch", "vgg16", "--as", "我的模型"], "letters a to z"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], says: str) -> None:
    done = huanjing("models", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_recognising_with_a_network_that_is_not_here_says_how_to_get_it(
    espresso: Path, tmp_path: Path
) -> None:
    done = huanjing("recognize", espresso, "--model", "vgg16", HUANJING_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "huanjing models fetch vgg16" in done.stderr
    assert str(tmp_path / "weights") in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNetV2 with random weights under its official name, in the official layout."""
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    import keras

    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNetV2(weights=None)
    path = tmp_path_factory.mktemp("server") / SMALL.file
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        for layer in network.layers:
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [f"{number}:0".encode() for number in range(len(layer.weights))]
            for number, weight in enumerate([*layer.trainable_weights, *layer.non_trainable_weights]):
                # He's initialisation, so that what comes out is not all but nothing.
                values = np.asarray(weight)
                scale = (
                    1 if values.ndim == 1 else np.sqrt(6 / np.prod(values.shape[:-1])) / np.abs(values).max()
                )
                group[f"{number}:0"] = values * np.float32(scale)
    return path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def mirror(official: Path) -> Iterator[str]:
    """A server that has the file."""
    handler = functools.partial(Quiet, directory=str(official.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.training
def test_a_network_is_fetched_and_recognises(mirror: str, tmp_path: Path, espresso: Path) -> None:
    home = {"HUANJING_HOME": str(tmp_path), "HUANJING_WEIGHTS_URL": mirror, "no_proxy": "127.0.0.1"}
    done = huanjing("models", "fetch", "mobilenetv2", **home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "models" / "mobilenetv2")
    assert "14 MB" in done.stderr
    assert "Keras publishes no hash" in done.stderr
    assert (tmp_path / "weights" / SMALL.file).is_file()
    answer = huanjing("recognize", espresso, "--model", "mobilenetv2", "--format", "json", **home)
    assert len(json.loads(answer.stdout)[0]["labels"]) == 3
    listed = json.loads(huanjing("models", "list", "--format", "json", **home).stdout)
    assert [row["where"] for row in listed if row["name"] == "mobilenetv2"] == ["user"]
    assert "difference_float16" in huanjing("models", "show", "mobilenetv2", **home).stdout


@pytest.mark.training
def test_a_file_of_ones_own_takes_another_name(official: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.h5"
    mine.write_bytes(official.read_bytes())
    done = huanjing(
        "models", "fetch", "mobilenetv2", "--weights", mine, "--as", "mine", HUANJING_HOME=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "models" / "mine" / "model.json").read_text(encoding="utf-8"))
    assert (manifest["name"], manifest["preset"]) == ("mine", "mobilenetv2")
    assert "not the official" in manifest["origin"]


@pytest.mark.training
def test_without_a_network_one_message_says_where_to_put_the_file(tmp_path: Path) -> None:
    home = {
        "HUANJING_HOME": str(tmp_path),
        "HUANJING_WEIGHTS_URL": "http://127.0.0.1:9",
        "no_proxy": "127.0.0.1",
    }
    done = huanjing("models", "fetch", "vgg16", **home)
    assert done.returncode == 1
    assert str(tmp_path / "weights" / PRESETS["vgg16"].file) in done.stderr
    assert f"MD5 {PRESETS['vgg16'].hash}" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "weights" / PRESETS["vgg16"].file).write_bytes(b"another file")
    assert "MD5" in huanjing("models", "fetch", "vgg16", **home).stderr


def test_show_names_the_classes_of_a_generator(tmp_path: Path) -> None:
    tiny_conditional_generator(tmp_path / "told")
    assert "bag, boot, coat" in huanjing("models", "show", str(tmp_path / "told")).stdout

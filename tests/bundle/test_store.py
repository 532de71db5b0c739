"""A model's name leads to a path, the user's folder, or the package, in this order."""

from pathlib import Path

import pytest

from huanjing.bundle import find_model, installed_models, user_models, write_bundle
from huanjing.errors import BundleError, ModelNotFoundError

from .test_folder import MANIFEST, write_graph


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUANJING_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_embedded_recogniser_is_the_default() -> None:
    bundle = find_model(None, "recognizer")
    assert bundle.manifest.name == "efficientnet-lite0"
    assert bundle.folder == find_model("efficientnet-lite0", "recognizer").folder


def test_a_path_is_taken(tmp_path: Path) -> None:
    write_bundle(tmp_path / "mine", MANIFEST, write_graph)
    assert find_model(tmp_path / "mine", "recognizer").manifest.name == "two-pets"


def test_a_run_folder_means_its_model(tmp_path: Path) -> None:
    write_bundle(tmp_path / "run" / "model", MANIFEST, write_graph)
    assert find_model(tmp_path / "run", "recognizer").folder == tmp_path / "run" / "model"


def test_the_users_model_comes_before_the_packages(home: Path) -> None:
    write_bundle(home / "models" / "efficientnet-lite0", MANIFEST, write_graph)
    assert user_models() == home / "models"
    assert find_model("efficientnet-lite0", "recognizer").manifest.name == "two-pets"
    assert next(installed_models()).parent == home / "models"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelNotFoundError, match=r"No model 'vgg61'.*efficientnet-lite0"):
        find_model("vgg61", "recognizer")


@pytest.mark.parametrize("name", ["", "..", "../models/efficientnet-lite0", "a/b"])
def test_a_name_is_no_way_out_of_the_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError):
        find_model(name, "recognizer")


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-is-called-so/model"])
def test_a_path_that_cannot_be_is_an_unknown_model(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match="cannot be looked at"):
        find_model(name, "recognizer")


def test_a_model_of_the_other_kind_is_refused() -> None:
    with pytest.raises(BundleError, match="is a recognizer; a generator is needed"):
        find_model("efficientnet-lite0", "generator")

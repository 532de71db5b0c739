"""The head on a frozen network: what it is fitted on, and what that leaves of the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from huanjing.bundle import find_model
from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.recognition.dataset import LabelledPictures, arrange, label_folder
from huanjing.recognition.frozen import Frozen, evenly, looks_in
from huanjing.recognition.start import find_start, start_bundle


def test_how_many_looks_fit_into_a_time() -> None:
    assert looks_in(10.0, 0.01) == 1000
    assert looks_in(0.001, 1.0) == 100, "a head needs some pictures, however little time there is"


def test_evenly_takes_as_many_of_each_class_as_there_are() -> None:
    labels = np.repeat([0, 1, 2], [100, 10, 2])
    chosen = evenly(np.arange(112), labels, 18, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [8, 8, 2]
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, evenly(np.arange(112), labels, 18, seed=1))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> LabelledPictures:
    """Six pictures of each of ten kinds of clothing."""
    folder = tmp_path_factory.mktemp("clothing")
    for source in (clothing_folder() / "train").iterdir():
        (folder / source.name).mkdir()
        for picture in sorted(source.iterdir())[:6]:
            (folder / source.name / picture.name).write_bytes(picture.read_bytes())
    found = label_folder(folder)
    return arrange(found, prepare_pictures(found.index, (28, 28)), 0)


def test_few_pictures_give_a_head_and_a_temperature_near_one(few: LabelledPictures) -> None:
    told: list[str] = []
    frozen = Frozen(
        few, start_bundle(find_start("efficientnet-lite0"), 96), lambda what, *_: told.append(what), 0
    )
    head, temperature = frozen.fit()
    assert head.kernel.shape == (10, 1280)
    assert 0.5 < temperature < 2.0
    validation = few.positions("val")
    assert (head.logits(frozen.features(validation)).argmax(axis=1) == few.labels[validation]).mean() > 0.3
    assert set(told) == {"Looking at pictures", "Looking in the mirror"}
    limited, _ = frozen.fit(looks=20)
    assert limited.kernel.shape == head.kernel.shape
    assert frozen.looks(0.0) == 100
    assert find_model(None, "recognizer").folder != frozen.bundle.folder


def test_where_not_all_can_be_looked_at_both_kinds_are_there_as_often_as_in_all(
    few: LabelledPictures,
) -> None:
    made = replace(few.pictures, labels=[name.split("/")[0] for name in few.pictures.names])
    both = few.with_generated(made)
    frozen = Frozen(both, find_model(None, "recognizer"), lambda *_: None, 0)
    real = len(both.positions("train"))
    chosen = frozen.learned(60)
    kinds = [both.parts[position] for position in chosen]
    assert kinds.count("train") == round(60 * real / (real + 60))
    assert len(kinds) == kinds.count("train") + kinds.count("generated") == 60
    np.testing.assert_array_equal(frozen.learned(None), both.positions("train", "generated"))
    assert set(np.bincount(both.labels[chosen])) <= {5, 6, 7}

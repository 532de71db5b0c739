from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.datasets import index_folder, prepare_pictures
from huanjing.datasets.pictures import probe_channels
from huanjing.errors import DatasetError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUANJING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        Image.new("L", (20, 16), number * 50).save(folder / f"{number}.png")
    return folder


def test_pictures_in_order_and_grey_by_themselves(folder: Path) -> None:
    pictures = prepare_pictures(folder, (8, 12))
    assert pictures.array.shape == (5, 8, 12, 1)
    assert pictures.array[:, 0, 0, 0].tolist() == [0, 50, 100, 150, 200]
    assert pictures.names == [f"{number}.png" for number in range(5)]
    assert isinstance(pictures.array, np.memmap)


def test_one_coloured_picture_makes_all_coloured(folder: Path) -> None:
    Image.new("RGB", (9, 9), (255, 0, 0)).save(folder / "red.png")
    assert prepare_pictures(folder, (8, 8)).array.shape[3] == 3
    assert prepare_pictures(folder, (8, 8), 1).array.shape[3] == 1


def test_transparency_counts_where_half_of_the_pictures_have_it(folder: Path) -> None:
    index = index_folder(folder)
    assert probe_channels(index, transparency=True) == 1
    for number in range(2):
        Image.new("RGBA", (9, 9), (255, 0, 0, 255)).save(folder / f"opaque-{number}.png")
    assert probe_channels(index_folder(folder), transparency=True) == 3
    for number in range(7):
        Image.new("RGBA", (9, 9), (255, 0, 0, 128)).save(folder / f"clear-{number}.png")
    index = index_folder(folder)
    assert probe_channels(index, transparency=True) == 4
    assert probe_channels(index) == 3
    pictures = prepare_pictures(index, (8, 8), 4)
    clear = pictures.array[pictures.names.index("clear-0.png")]
    assert (clear == (255, 0, 0, 128)).all()
    assert (pictures.array[pictures.names.index("0.png"), ..., 3] == 255).all()


def test_broken_pictures_are_named_and_set_aside(folder: Path) -> None:
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:40])
    (folder / "empty.jpg").write_bytes(b"")
    seen = []
    pictures = prepare_pictures(folder, (8, 8), on_progress=lambda done, total: seen.append((done, total)))
    assert len(pictures) == 4
    assert [broken.name for broken in pictures.broken] == ["2.png", "empty.jpg"]
    assert pictures.array[:, 0, 0, 0].tolist() == [0, 50, 150, 200]
    assert seen[-1] == (6, 6)


def test_no_usable_picture_is_an_error_that_says_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_bytes(b"not a picture")
    with pytest.raises(DatasetError, match=r"none of its 1 pictures can be used. The first, 1.png"):
        prepare_pictures(tmp_path / "bad", (8, 8))


def test_second_time_comes_from_the_cache_until_a_file_changes(folder: Path, cache: Path) -> None:
    first = prepare_pictures(folder, (8, 8))
    calls = []
    again = prepare_pictures(folder, (8, 8), on_progress=lambda *_: calls.append(1))
    assert again.digest == first.digest
    assert not calls
    Image.new("L", (20, 16), 255).save(folder / "0.png")
    os.utime(folder / "0.png", (1, 1))
    changed = prepare_pictures(folder, (8, 8))
    assert changed.digest != first.digest
    assert not [path for path in (cache / "pictures").iterdir() if path.name.startswith(".")]

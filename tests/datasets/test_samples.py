from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.datasets import clothing_folder, photographs
from huanjing.datasets.samples import ASSETS


def test_clothing_is_complete_and_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUANJING_CACHE", str(tmp_path))
    folder = clothing_folder()
    classes = sorted(path.name for path in (folder / "train").iterdir())
    assert len(classes) == 10
    assert classes == sorted(path.name for path in (folder / "test").iterdir())
    counts = {len(list((folder / "train" / name).iterdir())) for name in classes}
    assert counts == {1000}
    pixels = np.asarray(Image.open(folder / "train" / "sneaker" / "00001.png"))
    assert pixels.shape == (28, 28)
    assert pixels.max() > 100
    before = (folder / "clothing.json").stat().st_mtime_ns
    assert clothing_folder() == folder
    assert (folder / "clothing.json").stat().st_mtime_ns == before
    assert [path.name for path in folder.parent.iterdir()] == ["clothing"]


def test_clothing_takes_little_room_and_says_whose_it_is() -> None:
    assets = ASSETS / "clothing"
    assert sum(path.stat().st_size for path in assets.iterdir()) <= 5_500_000
    assert "Zalando" in (assets / "LICENCE").read_text(encoding="utf-8")


def test_photographs_are_there_with_their_papers() -> None:
    shown = photographs()
    assert len(shown) >= 8
    for photograph in shown:
        assert photograph.path.is_file()
        assert photograph.subject.en
        assert photograph.subject.zh
        assert photograph.licence

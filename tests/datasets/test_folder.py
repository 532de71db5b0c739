from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from huanjing.datasets import index_folder
from huanjing.errors import DatasetError


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def test_natural_order_hidden_files_and_labels(tmp_path: Path) -> None:
    for name in ("b/img10.png", "b/img2.PNG", "a/1.jpg", ".hidden.png", ".dir/1.png", "b/notes.txt"):
        touch(tmp_path / name)
    index = index_folder(tmp_path)
    assert [file.name for file in index.files] == ["a/1.jpg", "b/img2.PNG", "b/img10.png"]
    assert index.labels == ["a", "b"]
    assert index.others == 1


def test_pictures_beside_class_folders_mean_no_classes(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.png")
    touch(tmp_path / "2.png")
    assert index_folder(tmp_path).labels == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_class_is_text_whatever_its_folder_is_called(tmp_path: Path) -> None:
    touch(tmp_path / os.fsdecode(b"caf\xe9") / "1.png")
    touch(tmp_path / "tea" / "1.png")
    index = index_folder(tmp_path)
    assert index.labels == ["caf\\udce9", "tea"]
    assert all(index.path(file).is_file() for file in index.files)


def test_loops_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    index = index_folder(tmp_path)
    assert [file.name for file in index.files] == ["a/1.png", "gone.png"]


def test_what_is_no_data_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        index_folder(tmp_path / "nowhere")
    touch(tmp_path / "notes.txt")
    with pytest.raises(DatasetError, match="is a file"):
        index_folder(tmp_path / "notes.txt")
    with pytest.raises(DatasetError, match=r"holds no pictures. Found 1 other files"):
        index_folder(tmp_path)

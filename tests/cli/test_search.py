"""``huanjing search`` as somebody at a shell meets it."""

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from .test_recognize import huanjing


@pytest.fixture
def folder(tmp_path: Path, espresso: Path, bison: Path) -> Path:
    """Five pictures: two that are equal, one that looks the same, and a broken one."""
    place = tmp_path / "holiday"
    (place / "day 2").mkdir(parents=True)
    shutil.copy(espresso, place / "img10.jpg")
    shutil.copy(bison, place / "img2.jpg")
    shutil.copy(espresso, place / "day 2" / "咖啡.jpg")
    with Image.open(espresso) as picture:
        picture.reduce(2).save(place / "small.png")
    (place / "img3.jpg").write_bytes(bison.read_bytes()[:9000])
    return place


def test_index_query_and_duplicates(folder: Path, tmp_path: Path, espresso: Path) -> None:
    cache = {"HUANJING_CACHE": str(tmp_path / "cache")}
    none = huanjing("search", "query", espresso, **cache)
    assert none.returncode == 2
    assert "No folder is indexed yet" in none.stderr

    made = huanjing("search", "index", folder, **cache)
    assert made.returncode == 1, "a picture is broken"
    assert "img3.jpg: is cut short" in made.stderr
    assert "4 pictures indexed, 5 read" in made.stderr
    assert (Path(made.stdout.strip()) / "index.json").is_file()
    assert "0 read" in huanjing("search", "index", folder, **cache).stderr

    asked = huanjing("search", "query", espresso, "-n", 3, "--format", "json", **cache)
    assert asked.returncode == 0, asked.stderr
    matches = json.loads(asked.stdout)
    assert [Path(match["path"]).name for match in matches[:2]] == ["咖啡.jpg", "img10.jpg"]
    assert matches[0]["similarity"] == pytest.approx(1, abs=1e-3)
    assert set(matches[0]) == {"path", "similarity"}
    lines = huanjing("search", "query", espresso, "--in", folder, "--exact", **cache).stdout.splitlines()
    assert lines[0] == "similarity  picture"
    assert len(lines) == 5
    assert lines[1].split()[0] == "1.000"

    found = huanjing(
        "search", "duplicates", folder, "--format", "json", "--kind", "exact", "--kind", "near", **cache
    )
    groups = [
        (group["kind"], [Path(path).name for path in group["paths"]]) for group in json.loads(found.stdout)
    ]
    assert groups == [("exact", ["咖啡.jpg", "img10.jpg"]), ("near", ["咖啡.jpg", "img10.jpg", "small.png"])]
    assert "groups of duplicates: 2" in found.stderr


def test_in_chinese(folder: Path, tmp_path: Path, espresso: Path) -> None:
    chinese = {"HUANJING_CACHE": str(tmp_path / "cache"), "LC_ALL": "zh_CN.UTF-8"}
    assert "已索引 4 张图片，本次读取 5 张" in huanjing("search", "index", folder, **chinese).stderr
    assert huanjing("search", "query", espresso, **chinese).stdout.splitlines()[0] == "相似度  图片"
    found = huanjing("search", "duplicates", folder, "--kind", "exact", **chinese)
    assert found.stdout.splitlines()[0] == "完全相同：2 个文件"
    assert "重复图片共 1 组" in found.stderr


def test_an_index_in_a_place_of_its_own(folder: Path, tmp_path: Path, espresso: Path) -> None:
    place = tmp_path / "index"
    assert huanjing("search", "index", folder, "--index", place).stdout == f"{place}\n"
    (place / "index.json").write_text("nonsense")
    for arguments in (["query", espresso], ["duplicates", folder]):
        done = huanjing("search", *arguments, "--index", place)
        assert done.returncode == 1
        assert "--rebuild" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    assert huanjing("search", "index", folder, "--index", place, "--rebuild").stdout == f"{place}\n"
    assert "img10.jpg" in huanjing("search", "query", espresso, "--index", place).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["query", "x.jpg", "--index", "no-such-index"], 2, "holds no index"),
        (["index", "no-such-folder"], 1, "does not exist"),
        (["duplicates", ".", "--kind", "other"], 2, "--kind"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], status: int, says: str) -> None:
    done = huanjing("search", *arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", [[], ["index"], ["query"], ["duplicates"]])
def test_help_has_an_example(command: list[str]) -> None:
    assert "Example: huanjing search" in huanjing("search", *command, "--help").stdout


def test_names_that_are_no_text_are_found_again(tmp_path: Path, espresso: Path) -> None:
    folder, cache = (
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9t\xe9")),
        {"HUANJING_CACHE": str(tmp_path / "cache")},
    )
    folder.mkdir()
    shutil.copy(espresso, folder / os.fsdecode(b"caf\xe9.jpg"))
    assert huanjing("search", "index", folder, **cache).returncode == 0
    asked = huanjing("search", "query", espresso, "--format", "json", **cache)
    (match,) = json.loads(asked.stdout)
    assert Path(match["path"]).is_file()

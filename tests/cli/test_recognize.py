"""``huanjing recognize`` as somebody at a shell meets it."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def huanjing(
    *arguments: object, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "huanjing", *map(str, arguments)],
        input=stdin, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "COLUMNS": "80"} | environment,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, espresso: Path, bison: Path) -> Path:
    """Pictures at two depths, one that is broken, and a file that is none."""
    place = tmp_path / "holiday"
    (place / "day 2").mkdir(parents=True)
    shutil.copy(espresso, place / "img10.jpg")
    shutil.copy(bison, place / "img2.jpg")
    shutil.copy(espresso, place / "day 2" / "咖啡.jpg")
    (place / "notes.txt").write_text("not a picture")
    return place


def test_one_picture_gives_three_labels(espresso: Path) -> None:
    done = huanjing("recognize", espresso)
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert sum(" % " in line for line in lines) == 3
    assert "espresso" in done.stdout
    assert max(map(len, lines)) <= 110


def test_a_table_speaks_the_systems_language(espresso: Path) -> None:
    assert "意式浓缩咖啡" in huanjing("recognize", espresso, LC_ALL="zh_CN.UTF-8").stdout
    assert "espresso" in huanjing("recognize", espresso, "--lang", "en", LC_ALL="zh_CN.UTF-8").stdout


def test_json_lists_a_folder_in_natural_order(folder: Path) -> None:
    done = huanjing("recognize", folder, "--format", "json", "--top", 1, LC_ALL="zh_CN.UTF-8")
    answers = json.loads(done.stdout)
    assert [Path(answer["path"]).name for answer in answers] == ["咖啡.jpg", "img2.jpg", "img10.jpg"]
    assert [answer["labels"][0]["name"] for answer in answers] == ["espresso", "bison", "espresso"]
    assert set(answers[0]) == {"path", "labels", "error"}
    assert set(answers[0]["labels"][0]) == {"index", "name", "id", "probability"}
    assert answers[0]["error"] is None


def test_a_broken_picture_is_named_and_the_rest_is_done(folder: Path) -> None:
    (folder / "img3.jpg").write_bytes((folder / "img2.jpg").read_bytes()[:9000])
    done = huanjing("recognize", folder, "--format", "jsonl")
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [bool(answer["error"]) for answer in answers] == [False, False, True, False]
    assert answers[2]["labels"] == []
    assert "img3.jpg" in done.stderr
    assert "1 failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_csv_has_a_row_for_each_label(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "labels.csv"
    done = huanjing("recognize", folder / "img*.jpg", "--format", "csv", "--output", output, "--lang", "zh")
    assert done.returncode == 0
    assert done.stdout == ""
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 2
    assert [rows[0]["name"], rows[3]["name"]] == ["野牛", "意式浓缩咖啡"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["holiday", "labels.csv"]


def test_paths_come_from_standard_input(folder: Path) -> None:
    listing = f"{folder / 'img2.jpg'}\n\n{folder / 'gone.jpg'}\n"
    done = huanjing("recognize", "-", "--format", "json", stdin=listing)
    answers = json.loads(done.stdout)
    assert done.returncode == 1
    assert answers[0]["labels"][0]["name"] == "bison"
    assert answers[1]["error"]


def test_labels_under_the_threshold_are_left_out(espresso: Path) -> None:
    assert (
        len(
            json.loads(huanjing("recognize", espresso, "--threshold", 0.5, "--format", "json").stdout)[0][
                "labels"
            ]
        )
        == 1
    )
    assert "nothing above the threshold" in huanjing("recognize", espresso, "--threshold", 1).stdout


def test_f32_can_be_asked_for(espresso: Path) -> None:
    assert "espresso" in huanjing("recognize", espresso, "--precision", "f32").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-folder/*.jpg"], "matches no file"),
        (["-", "x.jpg"], "cannot stand beside"),
        (["x.jpg", "--model", "vgg61"], "No model 'vgg61'"),
        (["x.jpg", "--top", "0"], "--top"),
        (["x.jpg", "--threshold", "2"], "--threshold"),
        (["x.jpg", "--format", "xml"], "--format"),
        (["x.jpg", "--output", "/no/such/folder/labels.txt"], "cannot be written"),
        (["x.jpg", "--output", "/"], "is a folder"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], says: str) -> None:
    done = huanjing("recognize", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "csv"])
def test_a_name_that_is_no_text_costs_no_answer(format_: str, espresso: Path, tmp_path: Path) -> None:
    shutil.copy(espresso, os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    done = huanjing("recognize", tmp_path, "--format", format_)
    assert done.returncode == 0
    assert "espresso" in done.stdout
    assert "caf\\udce9.jpg" in done.stdout
    if format_ == "json":
        (answer,) = json.loads(done.stdout)
        assert os.fsencode(answer["path"]).endswith(b"/caf\xe9.jpg")


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    done = huanjing("recognize", tmp_path)
    assert done.returncode != 0
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    command = f"'{sys.executable}' -m huanjing recognize '{folder}' --format jsonl | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_nothing_of_the_users_is_changed(folder: Path) -> None:
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }
    huanjing("recognize", folder)
    after = {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }
    assert before == after

"""``huanjing doctor`` as somebody at a shell meets it."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from rich.cells import cell_len

from huanjing.datasets import index_folder
from huanjing.datasets.folder import leave_out

from .test_recognize import huanjing


@pytest.fixture
def folder(tmp_path: Path, espresso: Path, bison: Path) -> Path:
    """Two classes: one picture is in both, one is broken, one lies on its side."""
    place = tmp_path / "set"
    (place / "animals").mkdir(parents=True)
    (place / "drinks").mkdir()
    shutil.copy(bison, place / "animals" / "img2.jpg")
    shutil.copy(espresso, place / "drinks" / "img10.jpg")
    shutil.copy(espresso, place / "animals" / "咖啡.jpg")
    (place / "drinks" / "img3.jpg").write_bytes(espresso.read_bytes()[:5000])
    exif = Image.Exif()
    exif[0x0112] = 3
    with Image.open(bison) as picture:
        picture.crop((300, 100, 700, 400)).save(place / "animals" / "img5.jpg", exif=exif)
    (place / "notes.txt").write_text("not a picture")
    return place


def test_a_summary_fits_a_terminal(folder: Path) -> None:
    done = huanjing("doctor", folder)
    assert done.returncode == 1
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines()[1:])) <= 80
    assert "5 pictures, other files passed over: 1" in done.stdout
    for code in ("[broken]", "[two-classes]", "[duplicate]", "[turned]", "[few-pictures]"):
        assert code in done.stdout
    assert "animals/咖啡.jpg, drinks/img10.jpg: animals, drinks" in done.stdout
    assert "2 errors, 2 warnings, 1 note" in done.stdout
    assert "3 files that training is better off without" in done.stdout


def test_the_summary_in_chinese(folder: Path) -> None:
    done = huanjing("doctor", folder, LC_ALL="zh_CN.UTF-8")
    assert done.stdout == huanjing("doctor", folder, "--lang", "zh").stdout
    assert max(map(cell_len, done.stdout.splitlines()[1:])) <= 80
    assert "5 张图片，另跳过 1 个其他文件" in done.stdout
    assert "错误：同一张图片出现在多个类别中 [two-classes]" in done.stdout
    assert "2 个错误，2 个警告，1 个提示" in done.stdout
    assert "排除 3 个文件" in done.stdout


def test_json_has_everything(folder: Path) -> None:
    report = json.loads(huanjing("doctor", folder, "--format", "json").stdout)
    assert set(report) == {"folder", "pictures", "others", "classes", "splits", "findings", "exclude"}
    assert report["classes"] == {"animals": 3, "drinks": 1}
    assert [finding["code"] for finding in report["findings"]] == [
        "broken", "two-classes", "duplicate", "few-pictures", "turned",
    ]  # fmt: skip
    for finding in report["findings"]:
        assert set(finding) == {"code", "severity", "title", "detail", "files", "exclude", "advice"}
    assert report["findings"][0]["files"] == ["drinks/img3.jpg"]


def test_the_exclude_list_has_a_path_a_line(folder: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = huanjing("doctor", folder, "--exclude-list", tmp_path / "out.txt", "-o", tmp_path / "report.txt")
    assert done.stdout == ""
    assert "[broken]" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    listed = (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()
    assert listed == ["animals/咖啡.jpg", "drinks/img3.jpg", "drinks/img10.jpg"]
    assert all((folder / name).is_file() for name in listed)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_training_takes_the_exclude_list(folder: Path, tmp_path: Path) -> None:
    (folder / "drinks").rename(folder / "# drinks")  # in the list, # begins a remark
    huanjing("doctor", folder, "--exclude-list", tmp_path / "out.txt")
    kept = leave_out(index_folder(folder), tmp_path / "out.txt")
    assert [file.name for file in kept.files] == ["animals/img2.jpg", "animals/img5.jpg"]


def test_nothing_is_wrong_with_a_clean_folder(tmp_path: Path, espresso: Path, bison: Path) -> None:
    for path in (espresso, bison):
        shutil.copy(path, tmp_path)
    done = huanjing("doctor", tmp_path)
    assert done.returncode == 0
    assert "Nothing is wrong with it." in done.stdout
    assert "没有发现问题。" in huanjing("doctor", tmp_path, "--lang", "zh").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["no-such-folder"], 1, "does not exist"),
        ([], 2, "Missing argument"),
        ([".", "--format", "xml"], 2, "--format"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], status: int, says: str) -> None:
    done = huanjing("doctor", *arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_list_that_cannot_be_written_ends_with_2(folder: Path) -> None:
    done = huanjing("doctor", folder, "--exclude-list", "/no/such/folder/out.txt")
    assert done.returncode == 2
    assert "--exclude-list" in done.stderr


def test_help_has_an_example() -> None:
    assert "Example: huanjing doctor" in huanjing("doctor", "--help").stdout

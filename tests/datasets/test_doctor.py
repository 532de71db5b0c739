"""The doctor: every planted fault is found, and none on a clean folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.datasets import photographs
from huanjing.datasets.doctor import examine
from huanjing.datasets.findings import KINDS, Finding, Report
from huanjing.datasets.similar import Groups, join_near
from huanjing.errors import DatasetError

PER_CLASS = 20


def crop(number: int, variant: int) -> Image.Image:
    """One of many different parts of the sample photographs."""
    with Image.open(photographs()[number].path) as opened:
        picture = opened.convert("RGB")
    side = min(picture.size) // 3
    columns = (picture.width - side) // (side // 2) + 1
    left, upper = variant % columns * (side // 2), variant // columns * (side // 2)
    return picture.crop((left, upper, left + side, upper + side))


def save(picture: Image.Image, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """Two classes of twenty different pictures each, as JPEGs."""
    for name, number in (("bison", 0), ("castle", 2)):
        for variant in range(PER_CLASS):
            save(crop(number, variant), tmp_path / "set" / name / f"img{variant}.jpg", quality=92)
    return tmp_path / "set"


def codes(report: Report) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.code, []).append(finding)
    return found


def snapshot(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }


def test_a_clean_folder_has_no_findings(clean: Path) -> None:
    before = snapshot(clean)
    done: list[tuple[int, int]] = []
    report = examine(clean, on_progress=lambda *now: done.append(now))
    assert report.findings == ()
    assert report.exclude == []
    assert report.pictures == 2 * PER_CLASS
    assert report.classes == {"bison": PER_CLASS, "castle": PER_CLASS}
    assert report.splits == {}
    assert done[-1] == (2 * PER_CLASS, 2 * PER_CLASS)
    assert snapshot(clean) == before


def test_small_pictures_are_not_tiny_where_all_are_small(tmp_path: Path) -> None:
    for variant in range(30):
        save(crop(2, variant).resize((28, 28)), tmp_path / f"{variant}.png")
    assert examine(tmp_path).findings == ()


def broken(folder: Path) -> list[str]:
    path = folder / "bison" / "img3.jpg"
    path.write_bytes(path.read_bytes()[:2000])
    return ["bison/img3.jpg"]


def duplicate(folder: Path) -> list[str]:
    (folder / "bison" / "img99.jpg").write_bytes((folder / "bison" / "img4.jpg").read_bytes())
    return ["bison/img4.jpg", "bison/img99.jpg"]


def near_duplicate(folder: Path) -> list[str]:
    picture = crop(0, 4)
    save(picture.resize((100, 90)), folder / "bison" / "img99.png")
    return ["bison/img4.jpg", "bison/img99.png"]


def two_classes(folder: Path) -> list[str]:
    save(crop(0, 5), folder / "castle" / "img99.jpg", quality=60)
    return ["bison/img5.jpg", "castle/img99.jpg"]


def blank(folder: Path) -> list[str]:
    save(Image.new("RGB", (300, 300), "white"), folder / "bison" / "img99.png")
    return ["bison/img99.png"]


def tiny(folder: Path) -> list[str]:
    save(crop(0, 20).resize((20, 24)), folder / "bison" / "img99.png")
    return ["bison/img99.png"]


def huge(folder: Path) -> list[str]:
    ramp = np.tile(np.arange(250, dtype=np.uint8).repeat(32), (5001, 1))
    save(Image.fromarray(ramp), folder / "bison" / "img99.png", compress_level=1)
    return ["bison/img99.png"]


def strange_aspect(folder: Path) -> list[str]:
    save(crop(0, 20).resize((600, 120)), folder / "bison" / "img99.png")
    return ["bison/img99.png"]


def animated(folder: Path) -> list[str]:
    frames = [crop(0, 20), crop(0, 21)]
    save(frames[0], folder / "bison" / "img99.gif", save_all=True, append_images=frames[1:])
    return ["bison/img99.gif"]


def cmyk(folder: Path) -> list[str]:
    save(crop(0, 20).convert("CMYK"), folder / "bison" / "img99.jpg")
    return ["bison/img99.jpg"]


def sixteen_bit(folder: Path) -> list[str]:
    deep = np.asarray(crop(0, 20).convert("L")).astype(np.uint16) * 257
    save(Image.fromarray(deep), folder / "bison" / "img99.png")
    return ["bison/img99.png"]


def transparent(folder: Path) -> list[str]:
    save(crop(0, 20).convert("RGBA"), folder / "bison" / "img99.png")
    return ["bison/img99.png"]


def turned(folder: Path) -> list[str]:
    exif = Image.Exif()
    exif[0x0112] = 6
    save(crop(0, 20), folder / "bison" / "img99.jpg", exif=exif)
    return ["bison/img99.jpg"]


def wrong_suffix(folder: Path) -> list[str]:
    save(crop(0, 20), folder / "bison" / "img99.png", format="JPEG")
    return ["bison/img99.png"]


PLANTED = [
    broken, duplicate, near_duplicate, two_classes, blank, tiny, huge, strange_aspect,
    animated, cmyk, sixteen_bit, transparent, turned, wrong_suffix,
]  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_and_no_other(clean: Path, plant: Callable[[Path], list[str]]) -> None:
    files = plant(clean)
    before = snapshot(clean)
    code = plant.__name__.replace("_", "-")
    found = codes(examine(clean))
    # What makes a picture the same in two classes also makes it a near duplicate; what is broken is missed.
    expected = {code} | ({"near-duplicate"} if code == "two-classes" else set())
    assert set(found) - ({"few-pictures"} if code == "broken" else set()) == expected
    assert [list(finding.files) for finding in found[code]] == [files]
    assert snapshot(clean) == before


def test_a_turned_copy_is_a_near_duplicate(clean: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    sideways = crop(0, 4).transpose(Image.Transpose.ROTATE_90)
    save(sideways, clean / "bison" / "img99.jpg", exif=exif, quality=92)
    found = codes(examine(clean))
    assert set(found) == {"near-duplicate", "turned"}
    assert found["near-duplicate"][0].files == ("bison/img4.jpg", "bison/img99.jpg")


def test_a_mirrored_copy_is_no_duplicate(clean: Path) -> None:
    save(crop(0, 4).transpose(Image.Transpose.FLIP_LEFT_RIGHT), clean / "bison" / "img99.jpg")
    assert examine(clean).findings == ()


def test_class_faults(clean: Path) -> None:
    for variant in range(2):
        save(crop(4, variant), clean / "crab" / f"{variant}.jpg")
    found = codes(examine(clean))
    assert set(found) == {"few-pictures", "imbalance"}
    assert found["few-pictures"][0].detail == "crab (2)"
    assert found["imbalance"][0].detail == "bison (20), crab (2)"


def test_splits(clean: Path, tmp_path: Path) -> None:
    root = tmp_path / "splits"
    root.mkdir()
    clean.rename(root / "Train")
    for number, name in ((0, "bison"), (2, "castle")):
        for variant in range(20, 23):
            save(crop(number, variant), root / "test" / name / f"{variant}.jpg", quality=92)
    report = examine(root)
    assert report.findings == ()
    assert report.splits == {"test": 6, "train": 40}
    assert report.classes == {"bison": 23, "castle": 23}

    save(crop(0, 4), root / "test" / "bison" / "leak.png")
    save(crop(4, 0), root / "test" / "crab" / "1.jpg")
    report = examine(root)
    found = codes(report)
    assert set(found) == {"two-splits", "near-duplicate", "unlearned-class"}
    assert set(found["two-splits"][0].files) == {"Train/bison/img4.jpg", "test/bison/leak.png"}
    assert found["unlearned-class"][0].detail == "crab"
    assert report.exclude == ["Train/bison/img4.jpg"], "what is held back for testing stays"


def test_many_white_pages_are_blank_but_no_duplicates(tmp_path: Path) -> None:
    for number in range(6):
        save(Image.new("RGB", (100 + number, 100), "white"), tmp_path / f"{number}.png")
    report = examine(tmp_path)
    assert set(codes(report)) == {"blank"}
    assert len(report.exclude) == 6


def test_even_pictures_of_different_colours_do_not_look_the_same() -> None:
    thumbnails = np.stack([np.full((12, 12, 3), colour, np.uint8) for colour in (10, 200, 11, 90)])
    groups = Groups(4)
    join_near(groups, np.zeros(4, np.uint64), thumbnails)
    assert groups.lists() == [(0, 2)]


@pytest.mark.parametrize("bits", [0, 3, 6])
def test_near_hashes_are_all_found(bits: int) -> None:
    random = np.random.default_rng(bits)
    hashes = random.integers(0, 2**64, 400, dtype=np.uint64)
    for position in range(0, 400, 4):  # every fourth has a neighbour that differs in a few bits
        flips = random.choice(64, random.integers(0, 9), replace=False)
        hashes[position + 1] = hashes[position] ^ np.bitwise_or.reduce(
            np.uint64(1) << flips.astype(np.uint64), initial=np.uint64(0)
        )
    expected = Groups(400)
    for one, other in zip(*np.nonzero(np.bitwise_count(hashes[:, None] ^ hashes) <= bits), strict=True):
        expected.join(int(one), int(other))
    groups = Groups(400)
    join_near(groups, hashes, np.zeros((400, 12, 12, 3), np.uint8), bits=bits)
    assert groups.lists() == expected.lists()
    assert groups.lists()


def test_near_thumbnails_are_all_found() -> None:
    random = np.random.default_rng(7)
    seen = random.integers(40, 200, (64, 12, 12, 3))
    seen[:8] = seen[:8, :1, :1]  # even ones, which must be nearer
    other = seen + random.choice([-1, 1], seen.shape) * random.integers(0, 4, (64, 1, 1, 1))
    other += random.integers(-6, 7, (64, 1, 1, 1))  # brighter or darker as a whole
    thumbnails = np.concatenate([seen, other]).astype(np.uint8)
    apart = np.abs(seen - other).mean(axis=(1, 2, 3))
    most = np.clip(0.1 * seen.std(axis=(1, 2)).mean(axis=1), 1, 4)
    groups = Groups(128)
    # All hashes differ, each from all others in a few bits.
    bit = np.uint64(1) << np.arange(64, dtype=np.uint64)
    join_near(groups, np.concatenate([bit, bit | np.roll(bit, 7)]), thumbnails)
    expected = [(k, 64 + k) for k in range(64) if apart[k] <= most[k]]
    assert groups.lists() == expected
    assert 10 < len(expected) < 54


def test_every_kind_of_finding_has_advice_and_a_test() -> None:
    planted = {plant.__name__.replace("_", "-") for plant in PLANTED}
    assert set(KINDS) == planted | {"two-splits", "unlearned-class", "few-pictures", "imbalance"}
    assert all(kind.title and kind.advice.endswith(".") for kind in KINDS.values())
    assert all(kind.title_zh and kind.advice_zh.endswith("。") for kind in KINDS.values())


def test_what_is_no_folder_of_pictures_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no pictures"):
        examine(tmp_path)
    (tmp_path / "x.jpg").write_bytes(b"nothing")
    assert [finding.code for finding in examine(tmp_path).findings] == ["broken"]

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.datasets import photographs, prepare_pictures
from huanjing.errors import DatasetError
from huanjing.recognition.dataset import (
    LabelledPictures,
    arrange,
    class_weights,
    folds,
    label_folder,
    magnified_side,
    near_duplicates,
    split,
    stored_side,
)

SIDE = 48


def crop(photograph: int, number: int) -> Image.Image:
    with Image.open(photographs()[photograph].path) as opened:
        picture = opened.convert("RGB")
    side = min(picture.size) // 3
    columns = (picture.width - side) // (side // 2) + 1
    left, upper = number % columns * (side // 2), number // columns * (side // 2)
    return picture.crop((left, upper, left + side, upper + side)).resize((SIDE, SIDE))


def fill(folder: Path, counts: dict[str, int]) -> Path:
    for photograph, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            crop(photograph, number).save(folder / name / f"img{number}.png")
    return folder


def arranged(folder: Path, seed: int = 0) -> LabelledPictures:
    found = label_folder(folder)
    return arrange(found, prepare_pictures(found.index, (SIDE, SIDE)), seed)


def test_classes_are_folders_in_natural_order(tmp_path: Path) -> None:
    found = label_folder(fill(tmp_path, {"kind10": 2, "kind2": 3, "Kind1": 2}))
    assert found.classes == ("Kind1", "kind2", "kind10")
    for file, label in zip(found.index.files, found.labels, strict=True):
        assert found.classes[label] == file.name.split("/")[0]


def test_a_picture_without_a_class_is_passed_over_and_counted(tmp_path: Path) -> None:
    crop(5, 0).save(fill(tmp_path, {"a": 2, "b": 2}) / "loose.png")
    found = label_folder(tmp_path)
    assert (len(found.labels), found.unlabelled) == (4, 1)


def test_parts_are_taken_where_the_folder_has_them(tmp_path: Path) -> None:
    for part, count in (("train", 4), ("Validation", 2), ("test", 3)):
        fill(tmp_path / part, {"a": count, "b": count})
    data = arranged(tmp_path)
    assert data.classes == ("a", "b")
    assert [data.counts(part).tolist() for part in ("train", "val", "test")] == [[4, 4], [2, 2], [3, 3]]
    assert not data.split_here


def test_without_validation_a_fifth_of_the_training_part_is_taken_and_the_test_part_stays(
    tmp_path: Path,
) -> None:
    fill(tmp_path / "train", {"a": 10, "b": 5})
    fill(tmp_path / "test", {"a": 2, "b": 2})
    data = arranged(tmp_path)
    assert [data.counts(part).tolist() for part in ("train", "val", "test")] == [[8, 4], [2, 1], [2, 2]]
    assert data.split_here


def test_the_split_is_a_function_of_the_seed(tmp_path: Path) -> None:
    fill(tmp_path, {"a": 10, "b": 10})
    assert arranged(tmp_path, 3).parts == arranged(tmp_path, 3).parts
    assert len({arranged(tmp_path, seed).parts for seed in range(5)}) > 1


def test_near_duplicates_stay_on_one_side(tmp_path: Path) -> None:
    fill(tmp_path, {"a": 10, "b": 10})
    for name, photograph in (("a", 0), ("b", 1)):
        for number in range(10):
            crop(photograph, number).save(tmp_path / name / f"copy{number}.jpg", quality=60)
    for seed in range(3):
        data = arranged(tmp_path, seed)
        part = dict(zip(data.pictures.names, data.parts, strict=True))
        for name in "ab":
            for number in range(10):
                assert part[f"{name}/img{number}.png"] == part[f"{name}/copy{number}.jpg"]
        assert data.counts("val").tolist() == [4, 4]


def test_near_duplicates_of_no_pictures_and_of_one() -> None:
    assert near_duplicates(np.zeros((0, 8, 8, 1), np.uint8)) == []
    assert near_duplicates(np.zeros((1, 8, 8, 1), np.uint8)) == []
    assert near_duplicates(np.zeros((2, 8, 8, 3), np.uint8)) == [(0, 1)]


def test_the_look_for_near_duplicates_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    near_duplicates(np.zeros((3, 8, 8, 1), np.uint8), lambda done, count: told.append((done, count)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_split_takes_a_share_of_each_class_and_never_all_of_one() -> None:
    labels = np.repeat([0, 1, 2], [100, 10, 2])
    chosen = split(labels, [(0, 1, 2), (110, 3)], seed=1)
    assert np.bincount(labels[chosen], minlength=3).tolist()[:2] == [20, 2]
    assert np.bincount(labels[chosen], minlength=3)[2] == 1
    assert len({0, 1, 2} & set(chosen.tolist())) in {0, 3}
    assert len({110, 3} & set(chosen.tolist())) in {0, 2}


def test_a_class_of_one_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'b' has too few different pictures"):
        arranged(fill(tmp_path, {"a": 5, "b": 1}))


def test_one_class_is_none(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="at least two classes, and this has only 'a'"):
        label_folder(fill(tmp_path, {"a": 3}))


def test_labels_from_a_file(tmp_path: Path) -> None:
    folder = fill(tmp_path / "set", {"one": 3, "two": 3})
    table = tmp_path / "labels.csv"
    lines = ["path,label", "one/img0.png,cat", "one/img1.png,dog", "./two/img0.png,cat", "two\\img1.png,dog"]
    table.write_text("\n".join(lines), encoding="utf-8-sig")
    found = label_folder(folder, labels=table)
    assert found.classes == ("cat", "dog")
    assert [file.name for file in found.index.files] == [
        "one/img0.png",
        "one/img1.png",
        "two/img0.png",
        "two/img1.png",
    ]
    assert found.labels == (0, 1, 0, 1)
    assert found.unlabelled == 2
    table.write_text("path,label\nnowhere.png,cat\n", encoding="utf-8")
    with pytest.raises(
        DatasetError, match=r"1 of its 1 pictures are not in the folder, the first is 'nowhere.png'"
    ):
        label_folder(folder, labels=table)
    table.write_text("file,class\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="must name the columns path and label"):
        label_folder(folder, labels=table)


def test_what_is_excluded_is_left_out(tmp_path: Path) -> None:
    folder = fill(tmp_path / "set", {"a": 3, "b": 3})
    (tmp_path / "out.txt").write_text("# broken\na/img1.png\n\nb/img0.png\n", encoding="utf-8")
    found = label_folder(folder, exclude=tmp_path / "out.txt")
    assert [file.name for file in found.index.files] == [
        "a/img0.png",
        "a/img2.png",
        "b/img1.png",
        "b/img2.png",
    ]


def test_weights_of_classes() -> None:
    assert class_weights(np.array([10, 20])).tolist() == [1.0, 1.0]
    weights = class_weights(np.array([10, 90]))
    assert weights[0] / weights[1] == pytest.approx(9.0)
    assert weights @ np.array([10, 90]) == pytest.approx(100.0)


def test_small_pictures_are_stored_small(tmp_path: Path) -> None:
    index = label_folder(fill(tmp_path, {"a": 2, "b": 2})).index
    assert stored_side(index, 224) == SIDE
    assert stored_side(index, 64) == 64


def test_small_pictures_are_magnified_so_far_as_it_helps(tmp_path: Path) -> None:
    index = label_folder(fill(tmp_path, {"a": 2, "b": 2})).index
    assert magnified_side(index, 224) == 192, f"four times {SIDE}"
    assert magnified_side(index, 160) == 160


def test_folds_spread_classes_and_keep_alike_pictures_together() -> None:
    labels = np.repeat([0, 1], [50, 10])
    groups = [(0, 7, 55), (1, 2)]
    fold = folds(labels, groups, seed=0, count=5)
    np.testing.assert_array_equal(fold, folds(labels, groups, seed=0, count=5))
    assert fold[0] == fold[7] == fold[55]
    assert fold[1] == fold[2]
    for label, share in ((0, 10), (1, 2)):
        assert np.abs(np.bincount(fold[labels == label], minlength=5) - share).max() <= 1


def test_a_large_folder_keeps_few_pictures_to_validate_on() -> None:
    labels = np.tile(np.arange(10), 6000)
    assert len(split(labels, [], seed=0)) == 5000
    assert len(split(labels[:1000], [], seed=0)) == 200


def test_generated_pictures_come_after_the_real_ones_and_are_of_no_other_part(tmp_path: Path) -> None:
    data = arranged(fill(tmp_path / "real", {"a": 5, "b": 5}))
    fill(tmp_path / "made", {"b": 2, "a": 1})
    made = prepare_pictures(tmp_path / "made", (SIDE, SIDE))
    both = data.with_generated(made)
    assert both.counts("generated").tolist() == [1, 2]
    for part in ("train", "val", "test"):
        np.testing.assert_array_equal(both.positions(part), data.positions(part))
    mixed = np.array([11, 0, 12, 9, 10])
    expected = np.stack(
        [made.array[1], data.pictures.array[0], made.array[2], data.pictures.array[9], made.array[0]]
    )
    np.testing.assert_array_equal(both.take(mixed), expected)
    assert both.labels[10:].tolist() == [("a", "b").index(label) for label in made.labels]

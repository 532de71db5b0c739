from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.datasets import photographs
from huanjing.errors import UsageError
from huanjing.recognition.dataset import label_folder
from huanjing.recognition.evaluate import evaluate, judge, match_classes, wilson
from huanjing.runtime import Recognizer

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 2, 2])


def probabilities() -> np.ndarray:
    rows = np.full((6, 3), 0.1)
    rows[np.arange(6), PREDICTED] = 0.8
    return rows


def test_figures_by_hand() -> None:
    found = judge("model", "abc", probabilities(), LABELS, [f"{k}.png" for k in range(6)])
    assert found.top1.value == pytest.approx(4 / 6)
    assert found.top5 is None
    assert found.confusion == ((2, 1, 0), (0, 1, 1), (0, 0, 1))
    assert [one.precision.value for one in found.per_class] == [1.0, 0.5, 0.5]
    assert [one.recall.value for one in found.per_class] == pytest.approx([2 / 3, 0.5, 1.0])
    assert [one.f1.value for one in found.per_class] == pytest.approx([0.8, 0.5, 2 / 3])
    for one in found.per_class:
        assert one.f1.low <= one.f1.value <= one.f1.high
    assert found.calibration_error == pytest.approx(0.8 - 4 / 6)
    assert [doubt.path for doubt in found.mistakes] == ["2.png", "4.png"]
    assert (found.mistakes[0].label, found.mistakes[0].predicted) == ("a", "b")


def test_top5_counts_the_label_among_five() -> None:
    rows = np.array([[0.3, 0.25, 0.2, 0.1, 0.08, 0.04, 0.03]] * 3)
    found = judge("model", "abcdefg", rows, np.array([0, 4, 5]), ["x", "y", "z"])
    assert found.top1.value == pytest.approx(1 / 3)
    assert found.top5 is not None
    assert found.top5.value == pytest.approx(2 / 3)


def test_wilsons_interval_solves_its_equation() -> None:
    for right, count in ((0, 10), (3, 10), (81, 100), (10, 10)):
        share = wilson(right, count)
        for bound in (share.low, share.high):
            # The bound p is where the observed share lies 1.96 of p's own deviations away, or at 0 or 1.
            reach = 1.959964 * np.sqrt(bound * (1 - bound) / count)
            assert abs(abs(share.value - bound) - reach) < 1e-6
    assert (wilson(81, 100).low, wilson(81, 100).high) == pytest.approx((0.7222, 0.8749), abs=1e-4)


def test_planted_wrong_labels_are_suspected_first() -> None:
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 50)
    rows = draw.dirichlet([1, 1, 1], 150) * 0.3
    rows[np.arange(150), labels] += 0.7
    wrong = [3, 60, 140]
    planted = labels.copy()
    planted[wrong] = (planted[wrong] + 1) % 3
    found = judge("model", "abc", rows, planted, [str(k) for k in range(150)])
    assert {doubt.path for doubt in found.suspects[:3]} == {"3", "60", "140"}
    assert len(found.suspects) == 3


def test_names_of_folders_mean_classes() -> None:
    known = [("n01", "espresso", "意式浓缩咖啡"), ("n02", "Egyptian cat", "")]
    assert match_classes(["egyptian_cat", "意式浓缩咖啡", "n01"], known) == [1, 0, 0]
    with pytest.raises(UsageError, match="1 folders bear no class of the model: tree"):
        match_classes(["tree", "n01"], known)


def test_the_embedded_model_on_photographs(tmp_path: Path) -> None:
    for name, file in (("espresso", "espresso.jpg"), ("bison", "american-bison.jpg")):
        with Image.open(next(one.path for one in photographs() if one.file == file)) as opened:
            picture = opened.convert("RGB")
        (tmp_path / name).mkdir()
        for number in range(2):
            margin = 10 * number
            box = (margin, margin, picture.width - margin, picture.height - margin)
            picture.crop(box).save(tmp_path / name / f"{number}.jpg")
    (tmp_path / "bison" / "broken.jpg").write_bytes(b"none")
    found = evaluate(Recognizer(), label_folder(tmp_path))
    assert found.pictures == 4
    assert found.top1.value == 1.0
    assert [one.pictures for one in found.per_class] == [2, 2]
    assert [path for path, _ in found.broken] == ["bison/broken.jpg"]
    assert not found.mistakes

"""``huanjing generate`` as somebody at a shell meets it."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from .test_recognize import huanjing


def test_pictures_are_named_by_their_seeds(tmp_path: Path) -> None:
    done = huanjing("generate", "-n", 3, "--seed", 7, "--output", tmp_path / "dreams")
    assert done.returncode == 0
    names = sorted(path.name for path in (tmp_path / "dreams").iterdir())
    assert names == ["seed-00000007.png", "seed-00000008.png", "seed-00000009.png"]
    assert done.stdout.strip() == str(tmp_path / "dreams")


def test_a_generated_picture_says_so(tmp_path: Path) -> None:
    huanjing("generate", "-n", 1, "--seed", 7, "--output", tmp_path)
    with Image.open(tmp_path / "seed-00000007.png") as picture:
        record = json.loads(picture.info["Huanjing"])
        assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]
    assert record["generated"] is True
    assert record["seeds"] == [7]
    assert record["model"] == "clothing-28"
    assert len(record["model_sha256"]) == 64


def test_a_grid_holds_the_same_pictures(tmp_path: Path) -> None:
    huanjing("generate", "-n", 4, "--output", tmp_path, "--grid", tmp_path / "grid.png")
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    first = np.asarray(Image.open(tmp_path / "seed-00000000.png"))
    assert any(
        np.array_equal(grid[y : y + 28, x : x + 28], first) for y in range(4) for x in range(4)
    )  # wherever the margin ends


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    for arguments in (
        ["no-such-model"],
        ["--grid", tmp_path / "grid.jpg"],
        ["-n", 0],
        ["efficientnet-lite0"],
    ):
        done = huanjing("generate", *arguments)
        assert done.returncode in {1, 2}
        assert "Traceback" not in done.stderr
        assert done.stderr
        assert done.stdout == ""


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = huanjing("generate", "-n", 1, "--output", tmp_path / "file" / "below")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr

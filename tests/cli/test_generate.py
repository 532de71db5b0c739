"""``huanjing generate`` as somebody at a shell meets it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing import Generator
from huanjing.cli.generate import generate
from huanjing.errors import UsageError

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
    assert record["seeds"] == "7"
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
        ["--grid", tmp_path / "grid.tiff"],
        ["-n", 0],
        ["-n", 10**30],
        ["--truncation", "nan"],
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


def test_seeds_in_any_order_and_format(tmp_path: Path) -> None:
    done = huanjing("generate", "--seeds", "9,3-4", "--format", "webp", "--scale", 3, "-o", tmp_path)
    assert done.returncode == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["seed-00000003.webp", "seed-00000004.webp", "seed-00000009.webp"]
    with Image.open(tmp_path / names[0]) as picture:
        assert picture.size == (84, 84)
    assert "seeds 9,3-4" in done.stderr


def test_a_directed_and_truncated_picture_says_so_and_differs(tmp_path: Path) -> None:
    huanjing("generate", "--seeds", "3", "-o", tmp_path / "plain")
    huanjing(
        "generate",
        "--seeds",
        "3",
        "--truncation",
        0.5,
        "--direction",
        "1=2",
        "--direction",
        "2=-1.5",
        "-o",
        tmp_path,
    )
    name = "seed-00000003.png"
    with Image.open(tmp_path / name) as made, Image.open(tmp_path / "plain" / name) as plain:
        record = json.loads(made.info["Huanjing"])
        assert not np.array_equal(np.asarray(made), np.asarray(plain))
    assert record["truncation"] == 0.5
    assert record["directions"] == ["1=2", "2=-1.5"]


def test_a_file_of_the_users_is_never_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "seed-00000003.png"
    path.write_bytes(b"mine")
    done = huanjing("generate", "--seeds", "3", "-o", tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert path.read_bytes() == b"mine"
    assert huanjing("generate", "--seeds", "3", "-o", tmp_path, "--force").returncode == 0
    made = path.read_bytes()
    again = huanjing("generate", "--seeds", "3", "-o", tmp_path)
    assert again.returncode == 0  # the same picture is no other file
    assert path.read_bytes() == made


def test_a_film_goes_through_its_seeds(tmp_path: Path) -> None:
    done = huanjing("generate", "--seeds", "3-5", "--interpolate", 4, "-o", tmp_path)
    assert done.stdout.strip() == str(tmp_path / "seeds-3-5.gif")
    huanjing("generate", "--seeds", "3-5", "-o", tmp_path / "stills")
    with Image.open(tmp_path / "seeds-3-5.gif") as film:
        assert film.n_frames == 9
        for k, seed in enumerate((3, 4, 5)):
            film.seek(4 * k)
            still = np.asarray(Image.open(tmp_path / "stills" / f"seed-{seed:08d}.png"))
            assert np.abs(np.asarray(film.convert("L")).astype(int) - still).max() <= 1


def test_one_picture_or_a_film_goes_to_a_file_by_name(tmp_path: Path) -> None:
    picture, film = tmp_path / "new" / "mine.jpeg", tmp_path / "film.GIF"
    assert huanjing("generate", "--seeds", 7, "-o", picture).stdout.strip() == str(picture)
    assert huanjing("generate", "-n", 2, "--interpolate", 2, "-o", film).stdout.strip() == str(film)
    for path, format_ in ((picture, "JPEG"), (film, "GIF")):
        with Image.open(path) as opened:
            assert opened.format == format_
    for arguments, why in (
        (["-n", 2, "-o", tmp_path / "two.png"], "--grid"),
        (["-n", 1, "-o", tmp_path / "one.gif"], ".png"),
        (["-n", 1, "-o", tmp_path / "one.png", "--format", "jpg"], "another format"),
        (["-n", 2, "--interpolate", 2, "-o", tmp_path / "film.jpg"], ".gif"),
    ):
        done = huanjing("generate", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert why in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"new", "film.GIF"}


def test_a_folder_may_be_called_like_a_picture(tmp_path: Path) -> None:
    folder = tmp_path / "v2.png"
    folder.mkdir()
    huanjing("generate", "-n", 2, "-o", folder)
    assert len(list(folder.iterdir())) == 2


def test_what_cannot_be_is_explained(tmp_path: Path) -> None:
    for arguments, said in (
        (["--seeds", "5-3"], "counts down"),
        (["--seeds", "a"], "neither a number"),
        (["--seeds", "1", "-n", 3], "leave out"),
        (["--seeds", "1", "--interpolate", 3], "at least two"),
        (["-n", 500, "--interpolate", 4, "--scale", 64], "1,997 frames of 1792 by 1792, 6.0 GiB"),
        (["-n", 500, "--interpolate", 50], "at most 20,000 frames"),
        (["--format", "gif"], "add --interpolate"),
        (["--direction", "1"], "K=AMOUNT"),
        (["--direction", "99=1"], "from 1 to 64"),
        (["--class", "shoe"], "no class 'shoe' among its 10. Its classes are: ankle-boot, bag"),
        (["-n", 1, "--label", "zh"], "enlarge it with --scale"),
    ):
        with pytest.raises(UsageError, match=said):
            generate.main(["-o", str(tmp_path / "out"), *map(str, arguments)], standalone_mode=False)
    assert not (tmp_path / "out").exists()


def test_the_command_writes_what_python_gives(tmp_path: Path) -> None:
    generate.main(["--seeds", "3,4", "-o", str(tmp_path)], standalone_mode=False)
    for seed, picture in zip((3, 4), Generator().generate([3, 4]), strict=True):
        with Image.open(tmp_path / f"seed-{seed:08d}.png") as written:
            np.testing.assert_array_equal(np.asarray(written), picture[..., 0])


def test_an_mp4_without_ffmpeg_is_explained(tmp_path: Path) -> None:
    done = huanjing(
        "generate", "--seeds", "1-2", "--interpolate", 3, "--format", "mp4", "-o", tmp_path, PATH=""
    )
    assert done.returncode == 2
    assert "Install it" in done.stderr

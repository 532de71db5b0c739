"""``huanjing project``, ``mix`` and ``directions`` as somebody at a shell meets them."""

import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from huanjing import Generator
from huanjing.cli.directions import directions
from huanjing.cli.generate import generate
from huanjing.cli.mix import mix
from huanjing.cli.project import project
from huanjing.errors import UsageError
from huanjing.images import encode_png
from huanjing.runtime import projection
from huanjing.runtime.declared import read_declared


def run(command: click.Command, *arguments: object) -> Result:
    done = CliRunner().invoke(command, [*map(str, arguments)], standalone_mode=False)
    assert done.exception is None, done.exception
    return done


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is as thorough where it counts, from fewer starts."""
    for name, value in {
        "POOL": 512,
        "STARTS": 2,
        "KEPT": 1,
        "OWN": 1,
        "FEATURE_STEPS": 1,
        "STEPS": 12,
        "NEIGHBOURS": 8,
    }.items():
        monkeypatch.setattr(projection, name, value)


@pytest.mark.usefixtures("quick")
def test_a_generated_picture_is_found_back_and_a_photograph_is_not(tmp_path: Path, espresso: Path) -> None:
    (tmp_path / "made.png").write_bytes(encode_png(Generator().generate([7])[0]))
    answers = []
    for picture in (tmp_path / "made.png", espresso):
        done = run(project, picture, "-o", tmp_path / "out", "--json")
        answers.append(json.loads(done.stdout))
    made, photograph = answers
    assert made["distance"] < made["random_distance"] / 10
    assert photograph["distance"] > 10 * made["distance"]
    assert photograph["verdict"] != "found"
    assert [Path(name).name for name in made["files"]] == ["made.npz", "made.png", "made-beside.png"]

    assert read_declared(tmp_path / "out" / "made.png").generated == "yes"
    assert read_declared(tmp_path / "out" / "made-beside.png").generated == "partly"
    with np.load(tmp_path / "out" / "made.npz", allow_pickle=False) as kept:
        again = Generator().draw(kept["latent"][None], kept["classes"][None])[0]
    np.testing.assert_array_equal(again[..., 0], np.asarray(Image.open(tmp_path / "out" / "made.png")))

    records = [read_declared(tmp_path / "out" / f"made{end}.png").record for end in ("", "-beside")]
    assert records[0]["latent"] == records[1]["latent"]
    assert records[0] != records[1]

    run(mix, tmp_path / "out" / "made.npz", 9, "--steps", 3, "-o", tmp_path / "mix.png")
    assert read_declared(tmp_path / "mix.png").record["ends"] == [f"made.npz {records[0]['latent']}", "9"]
    with pytest.raises(UsageError, match="classes of its own"):
        directions.main(
            ["--start", str(tmp_path / "out" / "made.npz"), "--class", "bag"], standalone_mode=False
        )
    strip = np.asarray(Image.open(tmp_path / "mix.png"))
    assert strip.shape == (28, 3 * 28 + 2 * 2)
    np.testing.assert_array_equal(strip[:, :28], again[..., 0])


def test_what_cannot_be_written_is_said_before_the_search(tmp_path: Path, espresso: Path) -> None:
    picture = tmp_path / "cup.png"
    Image.open(espresso).save(picture)
    before = picture.read_bytes()
    (tmp_path / "there" / "cup.npz").mkdir(parents=True)
    for options, said in (
        (["-o", str(tmp_path), "--force"], "is the picture itself"),
        (["-o", str(tmp_path / "there")], "is there already"),
        (["-o", str(tmp_path / ("x" * 300))], "cannot be written"),
        (["-o", str(tmp_path / "new"), "--label", "zh"], "enlarge it with --scale"),
    ):
        with pytest.raises(UsageError, match=said):
            project.main([str(picture), *options], standalone_mode=False)
    assert picture.read_bytes() == before


def test_mix_begins_and_ends_with_its_ends(tmp_path: Path) -> None:
    run(mix, 7, 42, "--steps", 5, "-o", tmp_path / "mix.gif")
    pictures = Generator().generate([7, 42])[..., 0]
    with Image.open(tmp_path / "mix.gif") as film:
        assert film.n_frames == 5
        for frame, picture in ((0, pictures[0]), (4, pictures[1])):
            film.seek(frame)
            assert np.abs(np.asarray(film.convert("L")).astype(int) - picture).max() <= 1
    assert read_declared(tmp_path / "mix.gif").record["ends"] == ["7", "42"]


def test_directions_show_the_picture_in_the_middle_and_change_it_aside(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = run(directions, "--start", 7, "--count", 2, "--steps", 5, "-o", sheet)
    assert "2 of 64 directions" in done.stderr
    pixels = np.asarray(Image.open(sheet)).astype(int)
    assert pixels.shape == (2 * 28 + 2, 5 * 28 + 4 * 2)
    picture = Generator().generate([7])[0, :, :, 0]
    for row in range(2):
        cells = [pixels[row * 30 : row * 30 + 28, k * 30 : k * 30 + 28] for k in range(5)]
        np.testing.assert_array_equal(cells[2], picture)
        assert np.abs(cells[0] - cells[4]).mean() > 10
    assert read_declared(sheet).record["kind"] == "directions"


def test_a_direction_of_the_sheet_is_the_one_that_generate_takes(tmp_path: Path) -> None:
    run(directions, "--start", 7, "--count", 2, "--steps", 3, "--amount", 2, "-o", tmp_path / "sheet.png")
    run(generate, "--seeds", 7, "--direction", "2=2", "-o", tmp_path)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    np.testing.assert_array_equal(sheet[30:, 60:], np.asarray(Image.open(tmp_path / "seed-00000007.png")))


def test_what_is_no_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "other.npz", latent=np.zeros(64, np.float32), model_sha256=np.array("0" * 64))
    np.savez_compressed(tmp_path / "packed.npz", latent=np.zeros(9000), model_sha256=np.array("0" * 64))
    damaged = bytearray((tmp_path / "packed.npz").read_bytes())
    damaged[60:70] = bytes(range(200, 210))
    (tmp_path / "packed.npz").write_bytes(damaged)
    for start, said in (
        (tmp_path / "a.npz", "neither"),
        (tmp_path / "packed.npz", "neither"),
        ("-", "neither"),
        (tmp_path / "other.npz", "another generator"),
    ):
        with pytest.raises(UsageError, match=said):
            mix.main(["1", str(start), "-o", str(tmp_path / "mix.png")], standalone_mode=False)
    with pytest.raises(UsageError, match="must end in"):
        mix.main(["1", "2", "-o", str(tmp_path / "mix.txt")], standalone_mode=False)
    assert not (tmp_path / "mix.png").exists()

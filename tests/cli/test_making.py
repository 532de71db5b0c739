"""What the commands that make pictures share."""

from pathlib import Path

import numpy as np
import pytest

from huanjing import Generator
from huanjing.cli.making import LONGEST, Finish, encode_still, parse_seeds, wanted_kind, write_new
from huanjing.errors import UsageError
from huanjing.images import decode_bytes
from huanjing.runtime.provenance import made_by, provenance, write_seeds


@pytest.mark.parametrize("text", ["7", "0-63", "3,7,10-12", "5,4"])
def test_seeds_are_read_as_the_marks_write_them(text: str) -> None:
    assert write_seeds(parse_seeds(text)) == text


def test_more_seeds_than_memory_holds_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 10,000,000"):
        parse_seeds("0-99999999999")


def test_transparency_is_kept_or_the_format_refused() -> None:
    marks = provenance(Generator().bundle, [1])
    picture = np.full((16, 16, 4), 200, np.uint8)
    picture[:8, :, 3] = 0
    for kind in ("png", "webp"):
        kept = decode_bytes(encode_still(picture, kind, marks), channels=4)
        np.testing.assert_array_equal(kept[..., 3], picture[..., 3])
    with pytest.raises(UsageError, match="PNG or WebP"):
        encode_still(picture, "jpg", marks)


def test_a_picture_longer_than_its_format_can_hold_is_refused() -> None:
    marks = made_by("a model")
    for kind, most in LONGEST.items():
        assert encode_still(np.zeros((1, most, 3), np.uint8), kind, marks)
        with pytest.raises(UsageError, match="another format"):
            encode_still(np.zeros((1, most + 1, 3), np.uint8), kind, marks)


def test_enlarging_makes_each_pixel_a_square() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = Finish(scale=3).apply(picture)
    assert large.shape == (6, 6, 3)
    np.testing.assert_array_equal(large[1::3, 1::3], picture)
    assert (large[:3, 3:] == picture[0, 1]).all()


def test_a_name_says_the_format() -> None:
    assert wanted_kind(Path("a.JPEG"), "--grid", ("png", "jpg")) == "jpg"
    with pytest.raises(UsageError, match=r"\.png, \.jpg"):
        wanted_kind(Path("a.tiff"), "--grid", ("png", "jpg"))


def test_only_the_same_bytes_may_be_written_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a"
    write_new(path, b"one")
    write_new(path, b"one")
    with pytest.raises(UsageError, match="--force"):
        write_new(path, b"two")
    assert path.read_bytes() == b"one"
    write_new(path, b"two", force=True)
    assert path.read_bytes() == b"two"
    with pytest.raises(UsageError, match="cannot be written"):
        write_new(path / "below", b"three")

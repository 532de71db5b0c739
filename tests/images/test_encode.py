"""From arrays to files."""

import base64
import io
import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.images import (
    data_uri,
    decode_bytes,
    encode_jpeg,
    encode_png,
    encode_webp,
    to_uint8,
    write_atomically,
)


def noise(channels: int) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 256, (20, 30, channels), np.uint8)


class TestToUint8:
    """A network's -1..1 becomes 0..255."""

    def test_the_ends_the_middle_and_beyond(self) -> None:
        values = np.array(
            [-1, 0, 1, -5, 5, -np.inf, np.inf, 1 / 127.5 - 1, 0.49 / 127.5 - 1, 0.51 / 127.5 - 1]
        )
        assert to_uint8(values).tolist() == [0, 128, 255, 0, 255, 0, 255, 1, 0, 1]

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_every_value_comes_back(self, dtype: type) -> None:
        values = np.arange(256)
        assert to_uint8((values / 127.5 - 1).astype(dtype)).tolist() == values.tolist()
        assert to_uint8(np.zeros((2, 3, 4, 1), dtype)).shape == (2, 3, 4, 1)

    def test_nan_and_whole_numbers_are_refused(self) -> None:
        with pytest.raises(ValueError, match="NaN"):
            to_uint8(np.array([0.0, np.nan]))
        with pytest.raises(ValueError, match="got uint8"):
            to_uint8(np.zeros(3, np.uint8))


class TestPng:
    """Exact, and with words of its own."""

    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_every_pixel_comes_back(self, channels: int) -> None:
        assert np.array_equal(decode_bytes(encode_png(noise(channels)), channels=channels), noise(channels))

    def test_text_of_any_script_comes_back(self) -> None:
        text = {
            "Software": "Huanjing",
            "Note": "幻境, an illusory realm é",
            "Long": "x" * 100_000,
            "Empty": "",
        }
        with Image.open(io.BytesIO(encode_png(noise(3), text))) as picture:
            assert dict(picture.text) == text

    @pytest.mark.parametrize("text", [{"": "a"}, {"k" * 80: "a"}, {"幻": "a"}, {"a\nb": "c"}, {"a": "b\0c"}])
    def test_text_that_png_cannot_hold_is_refused(self, text: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="PNG text"):
            encode_png(noise(3), text)


class TestLossy:
    """JPEG and WebP look alike and are smaller."""

    @pytest.mark.parametrize(
        ("encode", "channels"), [(encode_jpeg, 1), (encode_jpeg, 3), (encode_webp, 1), (encode_webp, 3)]
    )
    def test_they_look_alike(self, encode: object, channels: int) -> None:
        smooth = np.broadcast_to(np.linspace(0, 255, 64)[:, None, None], (64, 64, channels)).astype(np.uint8)
        again = decode_bytes(encode(smooth), channels=channels)
        assert again.shape == smooth.shape
        assert np.abs(again.astype(int) - smooth).max() <= 6

    def test_webp_keeps_transparency(self) -> None:
        picture = noise(4)
        picture[..., 3] = 255
        picture[:10, :, 3] = 0
        assert np.array_equal(decode_bytes(encode_webp(picture), channels=4)[..., 3], picture[..., 3])

    @pytest.mark.parametrize("encode", [encode_jpeg, encode_webp])
    def test_quality_costs_bytes(self, encode: object) -> None:
        assert len(encode(noise(3), quality=95)) > len(encode(noise(3), quality=10))
        for quality in (0, 101):
            with pytest.raises(ValueError, match="from 1 to 100"):
                encode(noise(3), quality=quality)

    def test_a_side_too_long_for_webp(self) -> None:
        with pytest.raises(ValueError, match="16384 × 1"):
            encode_webp(np.zeros((1, 16384, 3), np.uint8))


@pytest.mark.parametrize("encode", [encode_png, encode_jpeg, encode_webp])
def test_what_is_no_picture_is_refused(encode: object) -> None:
    for wrong in (noise(3)[0], noise(2), noise(3).astype(float), noise(3)[:0]):
        with pytest.raises(ValueError, match=re.escape(f"got shape {wrong.shape}")):
            encode(wrong)


def test_jpeg_has_no_transparency() -> None:
    with pytest.raises(ValueError, match="1 or 3 channels"):
        encode_jpeg(noise(4))


def test_a_view_of_a_larger_array_is_encoded_as_it_looks() -> None:
    turned = noise(3)[::-1, ::2]
    assert np.array_equal(decode_bytes(encode_png(turned)), turned)


def test_data_uri() -> None:
    uri = data_uri(b"\x00\xff", "image/png")
    assert uri == "data:image/png;base64,AP8="
    assert base64.b64decode(uri.partition(",")[2]) == b"\x00\xff"


class TestWriteAtomically:
    """A reader sees all of the old or all of the new."""

    def test_new_and_again(self, tmp_path: Path) -> None:
        path = tmp_path / "幻境.png"
        write_atomically(path, b"first")
        write_atomically(str(path), b"second")
        assert path.read_bytes() == b"second"
        assert list(tmp_path.iterdir()) == [path]

    def test_it_may_be_read_as_any_new_file(self, tmp_path: Path) -> None:
        (tmp_path / "usual").write_bytes(b"")
        write_atomically(tmp_path / "ours", b"")
        modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "ours")]
        assert modes[0] == modes[1]

    def test_the_longest_name_is_possible(self, tmp_path: Path) -> None:
        path = tmp_path / ("n" * 255)
        write_atomically(path, b"x")
        assert path.read_bytes() == b"x"

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_a_failure_leaves_the_old_and_no_part(
        self, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"old")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os if step == "fsync" else Path, step, full)
        with pytest.raises(OSError, match="No space"):
            write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_an_interruption_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / "a", b"new")
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_in_its_place_or_none_around_it(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        with pytest.raises(OSError, match="folder"):
            write_atomically(tmp_path / "folder", b"x")
        with pytest.raises(FileNotFoundError):
            write_atomically(tmp_path / "nowhere" / "a", b"x")
        assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]

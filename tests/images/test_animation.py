"""Frames that move: what goes in is what plays."""

import io
import shutil
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from huanjing.errors import UsageError
from huanjing.images.animation import encode_gif, encode_mp4, encode_webp_animation


def moving(channels: int) -> np.ndarray:
    """A bright square that goes from left to right."""
    frames = np.full((4, 12, 15, channels), 30, np.uint8)
    for k, frame in enumerate(frames):
        frame[4:8, 3 * k : 3 * k + 3] = 220
        if channels == 4:
            frame[..., 3] = 0
            frame[4:8, 3 * k : 3 * k + 3, 3] = 255
    return frames


def played(data: bytes, mode: str) -> list[np.ndarray]:
    with Image.open(io.BytesIO(data)) as film:
        assert film.info["loop"] == 0
        frames = []
        for k in range(film.n_frames):
            film.seek(k)
            frames.append(np.asarray(film.convert(mode)))
        assert film.info["duration"] == 100
        return frames


@pytest.mark.parametrize("encode", [encode_gif, encode_webp_animation])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_frame_comes_back(encode: object, channels: int) -> None:
    frames = moving(channels)
    mode = "L" if channels == 1 else "RGB"
    for shown, frame in zip(played(encode(frames, 10), mode), frames, strict=True):
        assert np.abs(shown.reshape(frame.shape).astype(int) - frame).max() <= 1


@pytest.mark.parametrize(
    ("encode", "rate", "seconds"),
    [
        (encode_gif, 12, 2),
        (encode_gif, 30, 0.8),
        (encode_gif, 60, 0.48),  # as fast as a GIF goes
        (encode_webp_animation, 12, 2),
        (encode_webp_animation, 60, 0.4),
    ],
)
def test_a_film_lasts_as_long_as_its_rate_says(
    encode: Callable[[np.ndarray, float], bytes], rate: float, seconds: float
) -> None:
    frames = np.arange(24, dtype=np.uint8)[:, None, None, None] * np.full((1, 8, 8, 1), 10, np.uint8)
    lasted = 0
    with Image.open(io.BytesIO(encode(frames, rate))) as film:
        assert film.n_frames == 24
        for k in range(film.n_frames):
            film.seek(k)
            film.load()
            lasted += film.info["duration"]
    assert lasted / 1000 == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("encode", [encode_gif, encode_webp_animation])
def test_transparency_comes_back(encode: object) -> None:
    frames = moving(4)
    for shown, frame in zip(played(encode(frames, 10), "RGBA"), frames, strict=True):
        assert np.array_equal(shown[..., 3], frame[..., 3])


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed; CI installs it")
def test_an_mp4_of_odd_sides_shows_what_is_transparent_over_white() -> None:
    data = encode_mp4(moving(4), 10, {"AIGC": "{}"})
    assert data[4:8] == b"ftyp"
    assert b"AIGC" in data


def test_without_ffmpeg_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="Install it"):
        encode_mp4(moving(3), 10, {})

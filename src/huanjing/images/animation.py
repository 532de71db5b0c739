"""From a sequence of arrays to something that moves: GIF, WebP, and MP4 where ffmpeg is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from huanjing.errors import UsageError
from huanjing.images.encode import to_image

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""The type of the box that holds an MP4's XMP packet (XMP specification, part 3)."""

_GIF_XMP_END = bytes([1, *range(255, -1, -1), 0])
"""What lets a GIF reader that knows no XMP skip the packet: wherever it lands in here, it finds the end."""


def encode_gif(frames: np.ndarray, rate: float, xmp: str = "") -> bytes:
    """Return the GIF of NHWC uint8 frames (1, 3 or 4 channels, 0..255), ``rate`` a second, playing for ever.

    Grey stays exact; colours become at most 256 for each frame; a pixel is seen through or not. A frame lasts whole
    hundredths of a second, so that they differ where the rate asks for parts of one, and at least two, below which
    browsers take ten.
    """
    data = _encode_frames(frames, _lengths(len(frames), rate, 10, 20), "GIF", optimize=False, disposal=2)
    if not xmp:
        return data
    return data[:-1] + b"\x21\xff\x0bXMP DataXMP" + xmp.encode() + _GIF_XMP_END + data[-1:]


def encode_webp_animation(frames: np.ndarray, rate: float, xmp: str = "") -> bytes:
    """Return the lossless WebP of NHWC uint8 frames (1, 3 or 4 channels, 0..255), playing for ever."""
    return _encode_frames(frames, _lengths(len(frames), rate), "WEBP", lossless=True, xmp=xmp.encode())


def encode_mp4(frames: np.ndarray, rate: float, tags: Mapping[str, str], xmp: str = "") -> bytes:
    """Return the MP4 of NHWC uint8 frames (1, 3 or 4 channels, 0..255), made by the ffmpeg that is on the PATH.

    Transparency is shown over white; an odd side gets one more row or column, which MP4 players need. ``tags`` become
    keys of ``moov.udta.meta``. Raises UsageError where there is no ffmpeg or it fails.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise UsageError(
            "An MP4 is made by ffmpeg, which is not on the PATH. Install it (apt install ffmpeg, brew install ffmpeg, "
            "winget install ffmpeg), or ask for a GIF or WebP, which need nothing else."
        )
    pictures = _opaque(frames)
    _, height, width, _ = pictures.shape
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        command = [
            program, "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgb24",
            "-video_size", f"{width}x{height}", "-framerate", f"{rate:g}", "-i", "-",
            "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white", "-pix_fmt", "yuv420p", "-crf", "15",
            "-movflags", "+faststart+use_metadata_tags",
            *(part for key, value in tags.items() for part in ("-metadata", f"{key}={value}")),
            str(path),
        ]  # fmt: skip
        done = subprocess.run(command, input=pictures.tobytes(), capture_output=True, check=False)  # noqa: S603
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise UsageError(f"ffmpeg could not make the MP4: {said[-1] if said else 'it said nothing'}")
        data = path.read_bytes()
    if not xmp:
        return data
    packet = XMP_BOX + xmp.encode()
    return data + (8 + len(packet)).to_bytes(4, "big") + b"uuid" + packet


def _lengths(count: int, rate: float, unit: int = 1, least: int = 1) -> list[int]:
    """How long each frame lasts in milliseconds, in whole ``unit``s, so that no error adds up."""
    ends = np.round(np.arange(count + 1) * (1000 / rate / unit)) * unit
    return [max(least, int(length)) for length in np.diff(ends)]


def _encode_frames(frames: np.ndarray, lengths: list[int], kind: str, **options: object) -> bytes:
    pictures = [to_image(frame, (1, 3, 4), kind) for frame in frames]
    buffer = BytesIO()
    pictures[0].save(
        buffer,
        kind,
        save_all=True,
        append_images=pictures[1:],
        duration=lengths,
        loop=0,
        **options,
    )
    return buffer.getvalue()


def _opaque(frames: np.ndarray) -> np.ndarray:
    """Frames as NHWC uint8 RGB, over white where they are transparent."""
    if frames.shape[3] == 1:
        return frames.repeat(3, axis=3)
    if frames.shape[3] == 3:
        return np.ascontiguousarray(frames)
    shown = []
    for frame in frames:
        below = Image.new("RGBA", frame.shape[1::-1], (255, 255, 255, 255))
        below.alpha_composite(Image.fromarray(frame))
        shown.append(np.asarray(below.convert("RGB")))
    return np.stack(shown)

"""Hundreds of damaged and odd files through recognition: labels or a clear error for each, and nothing else."""

import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images.test_hostile import SAMPLES, jpeg_that_claims, png, webp_of_one_frame

SUFFIXES = (".jpg", ".png", ".webp", ".gif", ".bmp", ".tiff")


def damage(data: bytes, chance: random.Random) -> bytes:
    """One of: as it is, cut short, bytes flipped, a run inserted, a run taken out."""
    kind = chance.randrange(5)
    place = chance.randrange(1, len(data))
    if kind == 1:
        return data[:place]
    if kind == 2:
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        return bytes(broken)
    if kind == 3:
        return data[:place] + chance.randbytes(chance.randrange(1, 300)) + data[place:]
    if kind == 4:
        return data[:place] + data[place + chance.randrange(1, 100) :]
    return data


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "hostile"
    folder.mkdir()
    chance = random.Random(20)
    samples = list(SAMPLES.values())
    for number in range(400):
        data = damage(chance.choice(samples), chance)
        (folder / f"{number:04d}{chance.choice(SUFFIXES)}").write_bytes(data)
    (folder / "bomb.png").write_bytes(png(50_000, 50_000, b"\0" * 100))
    (folder / "bomb.jpg").write_bytes(jpeg_that_claims(65_000, 65_000))
    (folder / "bomb.webp").write_bytes(webp_of_one_frame(16_383, 16_383))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    (folder / "text.png").write_text("<html>not a picture</html>")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "device.jpg").symlink_to("/dev/zero")
    return folder


def test_each_file_gets_labels_or_a_clear_error(hostile: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "huanjing", "recognize", str(hostile), "--format", "json"],
        capture_output=True, text=True, check=False, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == 408
    for answer in answers:
        assert bool(answer["labels"]) != bool(answer["error"]), answer
        if answer["error"]:
            assert f"{answer['path']}: {answer['error']}" in done.stderr
        else:
            assert len(answer["labels"]) == 3
            assert 0 < answer["labels"][0]["probability"] <= 1
    recognised = sum(not answer["error"] for answer in answers)
    assert 100 < recognised < 300
    failed = {Path(answer["path"]).name for answer in answers if answer["error"]}
    assert {
        "bomb.png",
        "bomb.jpg",
        "bomb.webp",
        "empty.jpg",
        "gone.jpg",
        "text.png",
        "pipe.jpg",
        "device.jpg",
    } <= failed

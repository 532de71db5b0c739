"""What every generated file says of itself, in every format, read back by us, by Pillow and by exiftool."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing import Generator
from huanjing.errors import UsageError
from huanjing.images import encode_jpeg, encode_png, encode_webp
from huanjing.images.animation import encode_gif, encode_mp4, encode_webp_animation
from huanjing.runtime.declared import read_declared
from huanjing.runtime.provenance import (
    COMPOSITE_SOURCE_TYPE,
    DIGITAL_SOURCE_TYPE,
    PRODUCER,
    Provenance,
    provenance,
    write_seeds,
)

needs_ffmpeg = pytest.mark.skipif(
    not shutil.which("ffmpeg"), reason="ffmpeg is not installed; CI installs it"
)
needs_exiftool = pytest.mark.skipif(
    not shutil.which("exiftool"), reason="exiftool is not installed; CI installs it"
)
FORMATS = (
    *("png", "jpg", "webp", "gif", "animated.gif", "animated.webp"),
    pytest.param("mp4", marks=needs_ffmpeg),
)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator()


@pytest.fixture(scope="module")
def marks(generator: Generator) -> Provenance:
    return provenance(generator.bundle, [7, 8, 12], kind="interpolation", truncation=0.7)


@pytest.fixture(scope="module", params=FORMATS)
def marked(
    request: pytest.FixtureRequest,
    generator: Generator,
    marks: Provenance,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A marked file of each format that Huanjing writes."""
    frames = generator.generate([7, 8, 12]).repeat(2, axis=1).repeat(2, axis=2)
    kind = str(request.param)
    make = {
        "png": lambda: encode_png(frames[0], marks.png_text),
        "jpg": lambda: encode_jpeg(frames[0], xmp=marks.xmp),
        "webp": lambda: encode_webp(frames[0], xmp=marks.xmp),
        "gif": lambda: encode_gif(frames[:1], 10, marks.xmp),
        "animated.gif": lambda: encode_gif(frames, 10, marks.xmp),
        "animated.webp": lambda: encode_webp_animation(frames, 10, marks.xmp),
        "mp4": lambda: encode_mp4(frames, 10, marks.film_tags, marks.film_xmp),
    }
    path = tmp_path_factory.mktemp("marked") / f"a.{kind}"
    path.write_bytes(make[kind]())
    return path


def test_we_read_back_all_that_was_written(marked: Path, generator: Generator, marks: Provenance) -> None:
    found = read_declared(marked)
    assert found.generated == "yes"
    assert found.digital_source_type == DIGITAL_SOURCE_TYPE
    assert found.record == dict(marks.record)
    assert found.record["model_sha256"] == generator.bundle.digest
    assert found.record["seeds"] == "7-8,12"
    assert found.label == marks.label
    assert (found.width, found.height) == (56, 56)
    assert found.tool == f"Huanjing {found.record['version']}"


@needs_exiftool
def test_exiftool_reads_back_all_that_was_written(marked: Path, marks: Provenance) -> None:
    """An independent reader: Debian's libimage-exiftool-perl."""
    done = subprocess.run(
        ["exiftool", "-json", "-validate", "-warning", "-error", "-XMP:all", "-Keys:all", "-PNG:all", marked],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)[0]
    assert found["Validate"] == "OK"
    assert found["DigitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert found["CreatorTool"].startswith("Huanjing ")
    label = found.get("Aigc") or found["AIGC"]
    assert (label if isinstance(label, dict) else json.loads(label)) == marks.label
    record = found["Record"]
    assert (record if isinstance(record, dict) else json.loads(record)) == dict(marks.record)


def test_pillow_reads_every_frame_and_the_packet(marked: Path, marks: Provenance) -> None:
    if marked.suffix == ".mp4":
        assert b"ftyp" in marked.read_bytes()[:16]
        return
    with Image.open(marked) as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            picture.load()
        if marked.suffix == ".png":
            assert json.loads(picture.text["Huanjing"]) == dict(marks.record)
        if marked.suffix != ".gif":  # whose packets Pillow does not read
            assert picture.info["xmp"].decode() == marks.xmp


def test_the_label_stands_once_in_a_file(marked: Path) -> None:
    assert marked.read_bytes().count(b"ContentProducer") == 1


def test_the_label_is_as_annex_e_of_gb_45438_writes_it(marks: Provenance) -> None:
    assert list(marks.label) == [
        "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2",
    ]  # fmt: skip
    assert marks.label["Label"] == "1"
    assert all(33 <= ord(c) <= 126 and c not in '"\\' for value in marks.label.values() for c in value)
    assert marks.film_tags["AIGC"].startswith('{"Label":"1","ContentProducer":"Huanjing","ProduceID":"')


def test_a_contents_number_is_its_own(generator: Generator) -> None:
    numbers = {provenance(generator.bundle, [seed]).label["ProduceID"] for seed in range(50)}
    assert len(numbers) == 50
    assert provenance(generator.bundle, [3]).label["ProduceID"] in numbers


def test_who_offers_a_service_names_itself(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRODUCER, "001191110000000000000000001")
    assert provenance(generator.bundle, [1]).label["ContentPropagator"] == "001191110000000000000000001"
    for wrong in ("", "my company", 'a"b', "幻境"):
        monkeypatch.setenv(PRODUCER, wrong)
        with pytest.raises(UsageError, match="GB 45438"):
            _ = provenance(generator.bundle, [1]).label


def test_half_of_it_generated_is_said_so(generator: Generator, tmp_path: Path) -> None:
    both = provenance(generator.bundle, source_type=COMPOSITE_SOURCE_TYPE)
    path = tmp_path / "both.jpg"
    path.write_bytes(encode_jpeg(np.zeros((8, 8, 3), np.uint8), xmp=both.xmp))
    assert read_declared(path).generated == "partly"


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([], ""), ([7], "7"), (range(64), "0-63"), ([3, 7, 10, 11, 12], "3,7,10-12"), ([5, 4], "5,4")],
)
def test_seeds_are_written_as_they_are_typed(seeds: list[int], text: str) -> None:
    assert write_seeds(seeds) == text

"""Other programs' marks, forged and damaged ones, and files that say nothing."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.errors import PictureError
from huanjing.images import encode_jpeg, encode_png
from huanjing.images.metadata import XMP_KEY, carried_xmp, read_metadata
from huanjing.runtime.declared import read_declared

GREY = np.full((8, 8, 3), 90, np.uint8)
LABEL = {"Label": "2", "ContentProducer": "001191110000000000000000001", "ProduceID": "A1"}
SETTINGS = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42"
C2PA_BOX = bytes.fromhex("6a756d620000001e6a756d646332706100110010800000aa00389b7103") + b"c2pa\0"


def packet(properties: str, namespaces: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {namespaces}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )


def source_type(term: str) -> str:
    return packet(
        f"<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
        "</Iptc4xmpExt:DigitalSourceType>",
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
    )


def png(path: Path, **text: str) -> Path:
    path.write_bytes(encode_png(GREY, text))
    return path


@pytest.mark.parametrize(
    ("term", "answer"),
    [
        ("trainedAlgorithmicMedia", "yes"),
        ("compositeWithTrainedAlgorithmicMedia", "partly"),
        ("digitalCapture", "no"),
        ("somethingNew", "unsaid"),
    ],
)
def test_iptc_terms_of_other_programs(term: str, answer: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_jpeg(GREY, xmp=source_type(term)))
    assert read_declared(path).generated == answer


def test_the_parameters_of_stable_diffusion_programs(tmp_path: Path) -> None:
    found = read_declared(png(tmp_path / "a.png", parameters=SETTINGS))
    assert (found.generated, found.tool) == ("yes", "Stable Diffusion WebUI")
    assert found.parameters == {"parameters": SETTINGS}
    assert read_declared(png(tmp_path / "b.png", prompt='{"3": {}}', workflow="{}")).tool == "ComfyUI"

    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + SETTINGS.encode("utf-16-be")
    Image.fromarray(GREY).save(tmp_path / "c.jpg", exif=exif)
    found = read_declared(tmp_path / "c.jpg")
    assert found.parameters == {"EXIF UserComment": SETTINGS}


def test_the_label_of_gb_45438_wherever_the_guides_allow_it(tmp_path: Path) -> None:
    in_xmp = packet(
        f"<TC260:AIGC>{json.dumps(LABEL).replace(chr(34), '&quot;')}</TC260:AIGC>",
        'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"',
    )
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + json.dumps({"AIGC": LABEL}).encode()
    Image.fromarray(GREY).save(tmp_path / "exif.jpg", exif=exif)
    for path in (
        png(tmp_path / "xmp.png", **{XMP_KEY: in_xmp}),
        png(tmp_path / "text.png", AIGC=json.dumps({"AIGC": LABEL})),
        tmp_path / "exif.jpg",
    ):
        found = read_declared(path)
        assert found.label == LABEL, path
        assert found.generated == "possibly"


def test_content_credentials_are_noticed(tmp_path: Path) -> None:
    plain = encode_png(GREY)
    chunk = b"caBX" + C2PA_BOX
    box = struct.pack(">I", len(C2PA_BOX)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(plain[:33] + box + plain[33:])
    found = read_declared(tmp_path / "a.png")
    assert found.c2pa
    assert found.generated == "unsaid"  # what they say is signed, and not ours to read
    assert not read_declared(png(tmp_path / "b.png")).c2pa


def test_text_behind_the_pixels_is_found(tmp_path: Path) -> None:
    plain = encode_png(GREY)
    chunk = b"tEXtparameters\0" + SETTINGS.encode()
    box = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(plain[:-12] + box + plain[-12:])
    assert read_declared(tmp_path / "a.png").parameters == {"parameters": SETTINGS}


def test_a_photograph_says_nothing(espresso: Path) -> None:
    found = read_declared(espresso)
    assert (found.generated, found.record, found.label, found.parameters) == ("unsaid", None, None, {})
    assert (found.width, found.height) == (600, 400)


@pytest.mark.parametrize(
    "xmp",
    [
        "not XML",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        packet("<TC260:AIGC>[1, 2</TC260:AIGC>", 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'),
        packet("<h:Record>" + "[" * 100_000 + "</h:Record>", 'xmlns:h="urn:huanjing:provenance:1/"'),
    ],
)
def test_marks_that_make_no_sense_are_no_marks(xmp: str, tmp_path: Path) -> None:
    found = read_declared(png(tmp_path / "a.png", **{XMP_KEY: xmp}))
    assert (found.generated, found.record, found.label) == ("unsaid", None, None)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    (tmp_path / "b.png").write_bytes(encode_png(GREY)[:20])
    for name in ("a.png", "b.png", "none.png"):
        with pytest.raises(PictureError, match=name):
            read_declared(tmp_path / name)


@pytest.mark.parametrize("end", [16, 40, 100])
def test_a_film_cut_short_is_read_as_far_as_it_goes(end: int, tmp_path: Path) -> None:
    film = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\x10free\0\0\0\0\0\0\0\0\xff\xff\xff\xffmoov" + bytes(60)
    (tmp_path / "a.mp4").write_bytes(film[:end])
    assert read_metadata(tmp_path / "a.mp4").text == {}


def test_a_heic_picture_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(PictureError, match="is a HEIC picture, which cannot be read"):
        read_declared(tmp_path / "a.heic")


def test_boxes_without_end_are_no_trap(tmp_path: Path) -> None:
    nested = b""
    for _ in range(5000):
        nested = (len(nested) + 8).to_bytes(4, "big") + b"moov" + nested
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + nested)
    assert read_metadata(tmp_path / "a.mp4").text == {}


def test_damaged_exif_hides_nothing_beside_it(tmp_path: Path) -> None:
    xmp = source_type("trainedAlgorithmicMedia")
    Image.fromarray(GREY).save(tmp_path / "a.webp", exif=b"Exif\0\0MM\0*\xff\xff", xmp=xmp.encode())
    assert read_declared(tmp_path / "a.webp").generated == "yes"


def test_a_smaller_copy_carries_the_packet_on(tmp_path: Path) -> None:
    xmp = source_type("trainedAlgorithmicMedia")
    first = png(tmp_path / "a.png", **{XMP_KEY: xmp})
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(encode_jpeg(GREY[::2, ::2], xmp=carried_xmp(first)))
    assert read_declared(copy).generated == "yes"
    assert carried_xmp(png(tmp_path / "long.png", **{XMP_KEY: xmp + " " * 70_000})) == ""
    assert carried_xmp(tmp_path / "none.png") == ""

"""Which kinds of picture are read, told by their first bytes and never by their names.

Left out on purpose, though Pillow knows them: EPS, PostScript and WMF (they run another program or the
system's renderer); ICO, CUR, ICNS, PSD and other containers (the true size of what they hold is not known
before it is decoded); TGA, PCX and others without a signature worth the name (any file could pass for one);
and what is not a picture (MPEG, HDF5, GRIB and their like).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class PictureFormat:
    """One format as Pillow calls it, the module of Pillow that reads it, and the suffixes its files go by."""

    name: str
    plugin: str
    suffixes: tuple[str, ...]


AVIF = PictureFormat("AVIF", "AvifImagePlugin", (".avif", ".avifs"))
BMP = PictureFormat("BMP", "BmpImagePlugin", (".bmp", ".dib"))
GIF = PictureFormat("GIF", "GifImagePlugin", (".gif",))
JPEG = PictureFormat("JPEG", "JpegImagePlugin", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"))
JPEG2000 = PictureFormat("JPEG2000", "Jpeg2KImagePlugin", (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"))
PNG = PictureFormat("PNG", "PngImagePlugin", (".png", ".apng"))
PPM = PictureFormat("PPM", "PpmImagePlugin", (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"))
QOI = PictureFormat("QOI", "QoiImagePlugin", (".qoi",))
TIFF = PictureFormat("TIFF", "TiffImagePlugin", (".tif", ".tiff"))
WEBP = PictureFormat("WEBP", "WebPImagePlugin", (".webp",))

FORMATS = (AVIF, BMP, GIF, JPEG, JPEG2000, PNG, PPM, QOI, TIFF, WEBP)

PICTURE_SUFFIXES: frozenset[str] = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
"""Lower-case suffixes, with their dot, of the files that a walk through a folder takes for pictures."""

_SIGNATURES: tuple[tuple[bytes, PictureFormat], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"BM", BMP),
    (b"qoif", QOI),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\xff\x4f\xff\x51", JPEG2000),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG2000),
)

_BRANDS = {b"avif": AVIF, b"avis": AVIF}

_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = 0xD9
# Within a scan, 0xFF is data where 0 follows, and a restart where 0xD0..0xD7 do.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd8\xff]")

_UNREADABLE: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript drawing"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript drawing"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\1\0", "an icon file"),
    (b"<svg", "an SVG drawing"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\0\0\1\xba", "a video"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
)

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})


def find_format(data: bytes) -> PictureFormat | None:
    """Return the format that the first bytes announce, or None where it is none of :data:`FORMATS`."""
    for signature, announced in _SIGNATURES:
        if data.startswith(signature):
            return announced
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        brands = _brands(data)
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    if data[:1] == b"P" and data[1:2] in tuple(b"%c" % c for c in b"123456f") and data[2:3].isspace():
        return PPM
    return None


def is_film(data: bytes) -> bool:
    """Whether data that :func:`find_format` does not know is built as MP4 films are, and is no HEIC picture."""
    return data[4:8] == b"ftyp" and not _HEIF_BRANDS.intersection(_brands(data))


def describe_unreadable(data: bytes) -> str:
    """Say in plain words what data that :func:`find_format` does not know seems to be."""
    readable = ", ".join(known.name for known in FORMATS)
    if data[4:8] == b"ftyp":
        what = "a video" if is_film(data) else "a HEIC picture"
        return f"is {what}, which cannot be read; convert it to one of {readable}"
    start = data[:64].lstrip()
    for signature, what in _UNREADABLE:
        if start.startswith(signature):
            return f"is {what}, which cannot be read; convert it to one of {readable}"
    if not any(data[:4096]):
        return "is not a picture: it begins with nothing but zeros"
    return f"is not a picture in a format that can be read ({readable})"


def jpeg_has_more_passes(data: bytes, most: int) -> bool:
    """Whether the first picture of a JPEG is stored in more than ``most`` passes (scans).

    Counted by walking its segments: small pictures inside its metadata and a film after its end do not count.
    """
    if data.count(_START_OF_SCAN) <= most:
        return False
    passes, position = 0, 2
    while (found := _MARKER.search(data, position)) is not None and passes <= most:
        marker = data[found.end() - 1]
        if marker == _END_OF_IMAGE:
            break
        passes += marker == _START_OF_SCAN[1]
        position = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
    return passes > most


def jpeg2000_is_cut_short(data: bytes) -> bool:
    """Whether a JPEG 2000 lacks its end marker; its reader would fill what is missing with black."""
    start = max(0, data.find(b"\xff\x4f\xff\x51"))
    return data.find(b"\xff\xd9", start) < 0


def _brands(data: bytes) -> list[bytes]:
    """The brands of an ISO media file, the major one first; at most those in its first 256 bytes."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    return [data[8:12], *(data[start : start + 4] for start in range(16, end, 4))]

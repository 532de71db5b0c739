"""Files that are damaged, odd or made to harm: a picture comes out, or a PictureError, and nothing else."""

import io
import os
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from huanjing.errors import PictureError
from huanjing.images import PICTURE_SUFFIXES, DecodeLimits, decode_bytes, decode_file, load_picture_bytes

SMALL = DecodeLimits(max_bytes=1 << 20, max_pixels=1 << 20)


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def make_samples() -> dict[str, bytes]:
    """A small picture in every format and mode, plain and with all the extras that readers look at."""
    across = np.linspace(0, 255, 23)
    picture = np.zeros((17, 23, 4), np.uint8)
    picture[..., 0], picture[..., 1] = across, across[::-1]
    picture[..., 2], picture[..., 3] = np.linspace(0, 255, 17)[:, None], 255 - across / 2
    rgba = Image.fromarray(picture)
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    real = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x011A] = 6, "a note", 72.0
    extras = {"exif": exif.tobytes(), "icc_profile": rgb_profile()}

    def frames(kind: str) -> bytes:
        return encode(rgb.copy(), kind, save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)])

    samples = {
        "avif": encode(rgba, "AVIF", **extras),
        "bmp": encode(rgb, "BMP"),
        "bmp palette": encode(rgb.quantize(16), "BMP"),
        "gif": encode(rgb.quantize(16), "GIF", transparency=3),
        "gif frames": frames("GIF"),
        "jpeg": encode(rgb, "JPEG", comment=b"a comment", **extras),
        "jpeg cmyk": encode(rgb.convert("CMYK"), "JPEG"),
        "jpeg frames": frames("MPO"),
        "jpeg grey": encode(grey, "JPEG"),
        "jpeg progressive": encode(rgb, "JPEG", progressive=True),
        "jpeg2000": encode(rgb, "JPEG2000"),
        "png": encode(rgba, "PNG", **extras),
        "png 1 bit": encode(rgb.convert("1"), "PNG"),
        "png 16 bit": encode(deep, "PNG", transparency=0),
        "png frames": frames("PNG"),
        "png palette": encode(rgb.quantize(16), "PNG", transparency=bytes(range(16))),
        "ppm": encode(rgb, "PPM"),
        "ppm 1 bit": encode(rgb.convert("1"), "PPM"),
        "ppm float": encode(real, "PPM"),
        "ppm text": b"P3 3 2 100\n" + b"100 20 1 " * 6,
        "qoi": encode(rgba, "QOI"),
        "tiff": encode(rgba, "TIFF", **extras),
        "tiff 16 bit": encode(deep, "TIFF"),
        "tiff float": encode(real, "TIFF"),
        "tiff frames": frames("TIFF"),
        "tiff jpeg": encode(rgb, "TIFF", compression="jpeg"),
        "tiff palette": encode(rgb.quantize(16), "TIFF"),
        "webp": encode(rgba, "WEBP", **extras),
        "webp frames": frames("WEBP"),
        "webp lossless": encode(rgba, "WEBP", lossless=True),
    }
    compressions = [
        "RGB tiff_lzw",
        "RGB tiff_adobe_deflate",
        "1 group3",
        "1 group4",
        "L packbits",
        "CMYK lzma",
    ]
    for mode, compression in (each.split() for each in [*compressions, "RGBA zstd"]):
        samples[f"tiff {compression}"] = encode(rgba.convert(mode), "TIFF", compression=compression)
    return samples


def rgb_profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


SAMPLES = make_samples()
OUTCOMES = {"pictures": 0, "errors": 0}


def check(data: bytes, channels: int = 3, minimum: tuple[int, int] | None = None) -> np.ndarray | None:
    """Decode; assert that the outcome is a proper picture, returned, or a proper error, and then None."""
    try:
        picture = decode_bytes(data, name="a name", channels=channels, minimum_size=minimum, limits=SMALL)
    except PictureError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        OUTCOMES["errors"] += 1
        assert refused.path == "a name"
        assert str(refused) == f"a name: {refused.reason}"
        assert refused.reason.isprintable()
        assert 8 < len(refused.reason) < 300
        assert "object at" not in refused.reason
        return None
    OUTCOMES["pictures"] += 1
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == channels
    assert 0 < picture.size <= SMALL.max_pixels * channels
    assert picture.flags.owndata or picture.base.flags.owndata
    return picture


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_whole(name: str) -> None:
    for channels in (1, 3, 4):
        assert check(SAMPLES[name], channels) is not None


class TestDamage:
    """Whatever happens to a file on its way, hundreds of times over, silently."""

    profile = settings(
        derandomize=True,
        deadline=None,
        max_examples=700,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    sample = st.sampled_from(sorted(SAMPLES))
    options = st.tuples(st.sampled_from([1, 3, 4]), st.sampled_from([None, (1, 1), (2, 11)]))
    # The header is where damage does most, so half of all places lie there.
    place = st.one_of(st.integers(0, 120), st.integers(0, 1 << 14))

    @profile
    @given(sample, st.lists(st.tuples(place, st.integers(1, 255)), min_size=1, max_size=8), options)
    def test_flipped_bits(
        self,
        capfd: pytest.CaptureFixture[str],
        name: str,
        flips: list[tuple[int, int]],
        options: tuple[int, tuple[int, int] | None],
    ) -> None:
        data = bytearray(SAMPLES[name])
        for position, bits in flips:
            data[position % len(data)] ^= bits
        check(bytes(data), *options)
        assert capfd.readouterr() == ("", "")

    @profile
    @given(sample, place, st.binary(max_size=40), st.integers(0, 30))
    def test_inserted_and_missing_runs(
        self, capfd: pytest.CaptureFixture[str], name: str, at: int, run: bytes, missing: int
    ) -> None:
        data = SAMPLES[name]
        at %= len(data)
        check(data[:at] + run + data[at + missing :])
        assert capfd.readouterr() == ("", "")

    @profile
    @given(sample, place, st.sampled_from([b"\0", b"\xff", b"\x7f", b"\x80"]), st.integers(1, 8))
    def test_extreme_numbers(
        self, capfd: pytest.CaptureFixture[str], name: str, at: int, byte: bytes, length: int
    ) -> None:
        data = SAMPLES[name]
        at %= len(data)
        check((data[:at] + byte * length + data[at + length :])[: len(data)])
        assert capfd.readouterr() == ("", "")

    @profile
    @given(sample, sample, st.integers(4, 60), place)
    def test_the_head_of_one_on_the_body_of_another(
        self, capfd: pytest.CaptureFixture[str], head: str, body: str, length: int, start: int
    ) -> None:
        check(SAMPLES[head][:length] + SAMPLES[body][start % len(SAMPLES[body]) :])
        assert capfd.readouterr() == ("", "")

    @profile
    @given(st.binary(max_size=200), sample)
    def test_noise_after_a_signature(
        self, capfd: pytest.CaptureFixture[str], noise: bytes, name: str
    ) -> None:
        check(noise or b"?")
        check(SAMPLES[name][:12] + noise)
        assert capfd.readouterr() == ("", "")

    def test_both_outcomes_were_met(self) -> None:
        for name, data in SAMPLES.items():
            assert check(data) is not None, name
            assert check(data[:20]) is None, name
        assert min(OUTCOMES.values()) >= len(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_cut_at_any_byte_it_is_an_error_or_still_the_whole_picture(name: str) -> None:
    data = SAMPLES[name]
    whole = check(data)
    cuts = {*range(1, 300), *range(1, len(data), 23), *range(len(data) - 60, len(data))}
    for cut in sorted(cuts & set(range(1, len(data)))):
        picture = check(data[:cut])
        assert picture is None or np.array_equal(picture, whole), f"{cut} of {len(data)} bytes"


class TestFilesystem:
    """What has a name and is no file. None of it may block: each test would hang for ever."""

    @pytest.mark.parametrize(
        ("path", "reason"),
        [("/dev/zero", "device"), ("/dev/null", "device"), ("/dev/stdin", "is"), ("/proc/self/mem", "read")],
    )
    def test_devices(self, path: str, reason: str) -> None:
        if not Path(path).exists():
            pytest.skip(f"this system has no {path}")
        with pytest.raises(PictureError, match=reason):
            decode_file(path)

    def test_a_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.png")
        with pytest.raises(PictureError, match="named pipe"):
            decode_file(tmp_path / "a.png")

    def test_a_pipe_behind_a_link(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "a.png").symlink_to("pipe")
        with pytest.raises(PictureError, match="named pipe"):
            decode_file(tmp_path / "a.png")

    def test_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("a.png")
            with pytest.raises(PictureError, match="socket"):
                decode_file("a.png")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(PictureError, match="is a folder"):
            decode_file(tmp_path)

    def test_names_that_lead_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "dangling").symlink_to("gone")
        (tmp_path / "circle").symlink_to("circle")
        (tmp_path / "file").write_bytes(b"x")
        for name, reason in [
            ("vanished.png", "does not exist"),
            ("dangling", "link to a file that does not exist"),
            ("circle", "cannot be read"),
            ("file/inside", "cannot be read"),
            ("n" * 300, "cannot be read"),
            ("nul\0", "cannot be read"),
        ]:
            with pytest.raises(PictureError, match=reason) as caught:
                decode_file(tmp_path / name)
            assert caught.value.path == str(tmp_path / name)

    def test_a_file_without_permission(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.png"
        path.write_bytes(SAMPLES["png"])
        path.chmod(0)
        # An administrator may read everything, so the one who tries is nobody in particular. All is imported
        # before, since nobody may not read this installation perhaps.
        program = (
            "import os, sys; import huanjing.images as images; from huanjing.errors import PictureError\n"
            "folder = os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY); os.fchdir(folder)\n"
            "os.getuid() == 0 and os.setuid(65534)\n"
            "try: images.decode_file('secret.png')\n"
            "except PictureError as error: print(error)\n"
        )
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("secret.png: may not be read: permission denied\n", "")

    def test_an_empty_file_and_no_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").touch()
        with pytest.raises(PictureError, match="the file is empty"):
            decode_file(tmp_path / "a.png")
        with pytest.raises(PictureError, match="no bytes"):
            decode_bytes(b"")

    def test_more_bytes_than_allowed(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(SAMPLES["png"])
        limits = DecodeLimits(max_bytes=len(SAMPLES["png"]) - 1)
        with pytest.raises(PictureError, match="too large"):
            decode_file(tmp_path / "a.png", limits=limits)
        with pytest.raises(PictureError, match="too large"):
            decode_bytes(SAMPLES["png"], limits=limits)
        sparse = tmp_path / "sparse.png"
        with sparse.open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(PictureError, match="1,099,511,627,776 bytes"):
            decode_file(sparse)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"just some words, and more of them", "not a picture"),
        (bytes(1000), "nothing but zeros"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript drawing"),
        (b"\n <svg xmlns=''/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "a video"),
        (b"\xd7\xcd\xc6\x9a\0\0" + bytes(40), "a Windows metafile"),
        (b"8BPS\0\1" + bytes(40), "a Photoshop document"),
        (b"P", "not a picture"),
        (b"\0", "nothing but zeros"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        decode_bytes(data)


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICO", "TGA", "PCX", "SGI", "DDS", "ICNS", "SPIDER", "XBM"])
def test_formats_left_out_stay_out(kind: str) -> None:
    data = encode(Image.new("1" if kind == "XBM" else "L" if kind == "SPIDER" else "RGB", (16, 16)), kind)
    with pytest.raises(PictureError, match=r"cannot be read|not a picture"):
        decode_bytes(data)
    assert f".{kind.lower()}" not in PICTURE_SUFFIXES


def png(width: int, height: int, pixels: bytes, extra: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    extra = chunk(extra[:4], extra[4:]) if extra else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def zeros(count: int) -> bytes:
    """``count`` zeros (a multiple of a mebibyte), deflated a thousand to one."""
    packer = zlib.compressobj(9)
    first, again = (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * ((count >> 20) - 1)


def gif(screen: tuple[int, int], frame: tuple[int, int], control: bytes = b"") -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    return head + control + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\2\2D\1\0;"


def tiff(**changes: tuple[int, int]) -> bytes:
    """A TIFF of 100 × 100 grey pixels that are not there; ``changes`` are counts and values by tag."""
    tags = {256: (1, 100), 257: (1, 100), 258: (1, 8), 259: (1, 1), 262: (1, 1), 273: (1, 8), 277: (1, 1),
            278: (1, 100), 279: (1, 100)}  # fmt: skip
    tags |= {int(name[1:]): change for name, change in changes.items()}
    entries = [struct.pack("<HHII", tag, 4, count, value) for tag, (count, value) in sorted(tags.items())]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def webp_of_one_frame(width: int, height: int) -> bytes:
    """An animated WebP that claims a canvas of any size for a frame of 16 × 16."""
    frame = encode(Image.new("RGB", (16, 16)), "WEBP", lossless=True)[12:]
    sides = (15).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0"
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", 16 + len(frame)) + bytes(6) + sides + bytes(4) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = bytearray(encode(Image.new("RGB", (16, 16)), "JPEG"))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_many_passes(passes: int) -> bytes:
    data = encode(Image.new("L", (2000, 2000)), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * passes + data[-2:]


def bmp(width: int, height: int, compression: int, body: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54) + header + bytes(1024) + body


REFUSED_BOMBS = {
    "png of 50000 x 50000": lambda: png(50000, 50000, zeros(1 << 20)),
    "png between Pillow's warning and its error": lambda: png(13000, 13000, zeros(1 << 20)),
    "png with a gibibyte of text": lambda: png(9, 9, zeros(1 << 20), b"zTXta\0\0" + zeros(1 << 30)),
    "png with a gibibyte of profile": lambda: png(9, 9, zeros(1 << 20), b"iCCPa\0\0" + zeros(1 << 30)),
    "gif with a giant screen": lambda: gif((65535, 65535), (1, 1)),
    "gif with a giant frame": lambda: gif((1, 1), (65535, 65535)),
    "gif with a giant frame to dispose of": lambda: gif((1, 1), (13000, 13000), b"!\xf9\4\x08\0\0\0\0"),
    "jpeg that claims 65500 x 65500": lambda: jpeg_that_claims(65500, 65500),
    "jpeg of 3000 passes": lambda: jpeg_of_many_passes(3000),
    "webp with a giant canvas": lambda: webp_of_one_frame(16383, 16383),
    "webp with a large canvas": lambda: webp_of_one_frame(12000, 12000),
    "tiff of two billion columns": lambda: tiff(t256=(1, 0x7FFFFFFF), t257=(1, 0x7FFFFFFF)),
    "tiff with a billion strips": lambda: tiff(t273=(0x3FFFFFFF, 0), t279=(0x7FFFFFFF, 8)),
    "tiff with 60000 samples a pixel": lambda: tiff(t277=(1, 60000)),
    "tiff with a strip as long as the world": lambda: tiff(
        t259=(1, 8), t278=(1, 2**32 - 1), t279=(1, 2**32 - 1)
    ),
    "tiff with giant tiles": lambda: tiff(
        t259=(1, 8), t322=(1, 12992), t323=(1, 12992), t324=(1, 8), t325=(1, 90)
    ),
    "bmp of runs, one row at a time": lambda: bmp(1, 99_999_999, 1, b"\1\1" * 1_000_000),
    "bmp that ends after its header": lambda: bmp(9999, 9999, 0, b""),
    "ppm that ends after its header": lambda: b"P5 9999 9999 255\n",
    "ppm as a long text": lambda: b"P2 9999 9999 255\n" + b"0 " * 5_000_000,
    "ppm with an odd range": lambda: b"P6 5000 5000 77\n" + bytes(75_000_000),
    "qoi of many runs": lambda: b"qoif" + struct.pack(">IIBB", 9999, 9999, 4, 0) + b"\xfd" * 2_000_000,
}

TRY_IT = """
import sys, time
from pathlib import Path
from huanjing.errors import PictureError
from huanjing.images import decode_file
start = time.process_time()
try:
    print(decode_file(sys.argv[1]).shape)
except PictureError as error:
    print("PictureError:", error.reason)
print(time.process_time() - start)
# Not getrusage, which also counts the process that this one was started from.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) // 1024)
"""


def run_apart(data: bytes, folder: Path) -> tuple[str, float, int]:
    """Decode in a process of its own: the outcome, seconds of processor, the most memory held in MiB."""
    path = folder / "bomb"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRY_IT, str(path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    outcome, seconds, mebibytes = done.stdout.splitlines()
    return outcome, float(seconds), int(mebibytes)


class TestBombs:
    """Small files that would grow to gibibytes or take for ever."""

    @pytest.mark.skipif(sys.platform != "linux", reason="the most memory held is read from /proc")
    @pytest.mark.parametrize("name", REFUSED_BOMBS)
    def test_refused_before_they_grow(self, name: str, tmp_path: Path) -> None:
        data = REFUSED_BOMBS[name]()
        outcome, seconds, mebibytes = run_apart(data, tmp_path)
        assert outcome.startswith("PictureError: ")
        assert seconds < 5
        assert mebibytes < 400 + 2 * len(data) / (1 << 20)

    @pytest.mark.skipif(sys.platform != "linux", reason="the most memory held is read from /proc")
    def test_data_beyond_the_picture_is_not_unpacked(self, tmp_path: Path) -> None:
        outcome, seconds, mebibytes = run_apart(png(10, 10, zeros(1 << 30)), tmp_path)
        assert outcome == "(10, 10, 3)"
        assert seconds < 5
        assert mebibytes < 200

    @pytest.mark.parametrize(
        "data",
        [png(1024, 1025, b""), gif((1024, 1025), (1, 1)), jpeg_that_claims(1024, 1025)],
        ids=["png", "gif", "jpeg"],
    )
    def test_one_row_over_the_limit_is_refused_by_its_header(self, data: bytes) -> None:
        with pytest.raises(PictureError, match="1024 × 1025 pixels, and the limit is 1,048,576 pixels"):
            decode_bytes(data, limits=SMALL)

    def test_pillows_own_limit_is_left_as_it_was(self) -> None:
        before = Image.MAX_IMAGE_PIXELS
        with pytest.raises(PictureError, match="too large"):
            decode_bytes(png(50000, 50000, b""))
        assert before == Image.MAX_IMAGE_PIXELS
        with pytest.raises(Image.DecompressionBombError):
            Image.open(io.BytesIO(png(50000, 50000, b"")))

    def test_small_previews_and_a_film_behind_a_jpeg_are_no_passes(self) -> None:
        plain = SAMPLES["jpeg grey"]
        preview = b"\xff\xe5" + struct.pack(">H", 1002) + b"\xff\xda\0\2\0" * 200
        film = b"\xff\xda" * 5000
        assert np.array_equal(decode_bytes(plain[:2] + preview + plain[2:] + film), decode_bytes(plain))

    def test_a_picture_of_as_many_passes_as_encoders_make_is_read(self) -> None:
        assert decode_bytes(jpeg_of_many_passes(20)).shape == (2000, 2000, 3)

    def test_a_slow_kind_is_read_while_it_is_small(self) -> None:
        start = time.process_time()
        assert decode_bytes(b"P2 100 100 9\n" + b"9 " * 10_000).min() == 255
        assert time.process_time() - start < 5


def test_a_damaged_picture_after_another_leaves_no_trace() -> None:
    whole = decode_bytes(SAMPLES["png"])
    for data in SAMPLES.values():
        check(data[:-30])
        check(data[: len(data) // 2])
    assert np.array_equal(decode_bytes(SAMPLES["png"]), whole)
    assert load_picture_bytes(SAMPLES["png"]).info == {}

"""What a picture looks like once decoded, whatever it was stored as."""

import io
import struct
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image, ImageCms

from huanjing.errors import PictureError
from huanjing.images import (
    PICTURE_SUFFIXES,
    DecodeLimits,
    decode_bytes,
    decode_file,
    load_picture,
    load_picture_bytes,
)

HEIGHT, WIDTH = 48, 64
# Clockwise from the upper left; far apart in every channel that a format may spoil.
CORNERS = [(220, 30, 30), (30, 200, 30), (230, 220, 40), (30, 30, 220)]
GREYS = [87, 130, 202, 52]
ORIENTATION = 0x0112


def four_corners(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    picture = np.empty((height, width, 3), np.uint8)
    middle, centre = height // 2, width // 2
    picture[:middle, :centre], picture[:middle, centre:] = CORNERS[0], CORNERS[1]
    picture[middle:, centre:], picture[middle:, :centre] = CORNERS[2], CORNERS[3]
    return picture


def corners_of(picture: np.ndarray) -> np.ndarray:
    """The colours a sixth of the way in from each corner, clockwise from the upper left, as integers."""
    height, width = picture.shape[0] // 6, picture.shape[1] // 6
    return picture[[height, height, -height, -height], [width, -width, -width, width]].astype(int)


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


RGB = Image.fromarray(four_corners())


@pytest.mark.parametrize(
    ("kind", "mode", "options", "tolerance"),
    [
        ("AVIF", "RGB", {"quality": 95}, 4),
        ("BMP", "RGB", {}, 0),
        ("GIF", "P", {}, 0),
        ("JPEG", "RGB", {"quality": 95}, 6),
        ("JPEG", "CMYK", {"quality": 95}, 6),
        ("JPEG", "RGB", {"quality": 95, "progressive": True}, 6),
        ("JPEG2000", "RGB", {}, 0),
        ("PNG", "P", {}, 0),
        ("PNG", "RGB", {}, 0),
        ("PNG", "RGBA", {}, 0),
        ("PPM", "RGB", {}, 0),
        ("QOI", "RGB", {}, 0),
        ("TIFF", "CMYK", {}, 0),
        ("TIFF", "P", {}, 0),
        ("TIFF", "PA", {}, 0),
        ("TIFF", "RGB", {}, 0),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}, 0),
        ("TIFF", "RGBA", {"compression": "tiff_adobe_deflate"}, 0),
        ("TIFF", "YCbCr", {}, 4),
        ("WEBP", "RGB", {"lossless": True}, 0),
        ("WEBP", "RGBA", {"lossless": True}, 0),
    ],
)
def test_every_format_and_mode_gives_the_same_colours(
    kind: str, mode: str, options: dict[str, object], tolerance: int
) -> None:
    stored = RGB.quantize(4).convert(mode) if mode in ("P", "PA") else RGB.convert(mode)
    picture = decode_bytes(encode(stored, kind, **options))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    assert np.abs(corners_of(picture) - CORNERS).max() <= tolerance


def test_lab_is_converted_with_its_own_white() -> None:
    lab = ImageCms.profileToProfile(
        RGB, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert np.abs(corners_of(decode_bytes(encode(lab, "TIFF"))) - CORNERS).max() <= 10


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "L"), ("PNG", "LA"), ("JPEG", "L"), ("TIFF", "L"), ("TIFF", "LA"), ("PPM", "L"), ("GIF", "L")],
)
def test_grey_is_the_same_in_every_channel(kind: str, mode: str) -> None:
    data = encode(RGB.convert(mode), kind)
    expected = np.repeat(np.array(GREYS)[:, None], 3, axis=1)
    assert np.abs(corners_of(decode_bytes(data)) - expected).max() <= 3
    assert np.abs(corners_of(decode_bytes(data, channels=1))[:, 0] - GREYS).max() <= 3


@pytest.mark.parametrize(("kind"), ["PNG", "TIFF", "BMP", "PPM", "GIF"])
def test_one_bit_is_black_and_white(kind: str) -> None:
    data = encode(Image.fromarray(four_corners()[..., 0] > 100), kind)
    assert corners_of(decode_bytes(data)).tolist() == [[255] * 3, [0] * 3, [255] * 3, [0] * 3]


class TestOrientation:
    """The camera's note which way is up, in all eight ways, is followed once and only once."""

    # What the standard says of each: where the stored picture's first row and first column are to be seen.
    AS_STORED: ClassVar = {
        1: lambda upright: upright,
        2: lambda upright: upright[:, ::-1],
        3: lambda upright: upright[::-1, ::-1],
        4: lambda upright: upright[::-1],
        5: lambda upright: upright.transpose(1, 0, 2),
        6: lambda upright: upright.transpose(1, 0, 2)[::-1],
        7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],
    }

    @staticmethod
    def encode(upright: np.ndarray, orientation: int, kind: str, **options: object) -> bytes:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        stored = np.ascontiguousarray(TestOrientation.AS_STORED[orientation](upright))
        return encode(Image.fromarray(stored), kind, exif=exif, **options)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_upright(self, orientation: int, kind: str) -> None:
        picture = decode_bytes(self.encode(four_corners(), orientation, kind, quality=95))
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert np.abs(corners_of(picture) - CORNERS).max() <= 6

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_the_smaller_jpeg_is_upright_and_large_enough(self, orientation: int) -> None:
        data = self.encode(four_corners(480, 640), orientation, "JPEG", quality=95)
        picture = decode_bytes(data, minimum_size=(100, 160))
        assert picture.shape == (120, 160, 3)
        assert np.abs(corners_of(picture) - CORNERS).max() <= 6
        assert decode_bytes(data, minimum_size=(121, 100)).shape == (240, 320, 3)

    def test_a_loaded_picture_does_not_say_again_that_it_is_to_be_turned(self) -> None:
        for orientation in (1, 6):
            for kind in ("JPEG", "PNG", "TIFF"):
                picture = load_picture_bytes(self.encode(four_corners(), orientation, kind))
                assert picture.info == {}
                assert ORIENTATION not in picture.getexif()

    @pytest.mark.parametrize(
        "note", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\x11" * 90]
    )
    def test_a_damaged_note_is_no_reason_to_refuse(self, note: bytes) -> None:
        data = encode(RGB, "JPEG", exif=note, quality=95)
        assert np.abs(corners_of(decode_bytes(data)) - CORNERS).max() <= 6

    def test_an_orientation_that_does_not_exist_is_ignored(self) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 77
        assert decode_bytes(encode(RGB, "PNG", exif=exif)).shape == (HEIGHT, WIDTH, 3)


class TestMinimumSize:
    """A JPEG larger than needed is decoded at a fraction of its size."""

    @pytest.mark.parametrize(
        ("minimum", "expected"),
        [
            ((601, 1), (1200, 1600)),
            ((400, 400), (600, 800)),
            ((400, 800), (600, 800)),
            ((300, 300), (300, 400)),
            ((1, 1), (150, 200)),
        ],
    )
    def test_scale(self, minimum: tuple[int, int], expected: tuple[int, int]) -> None:
        data = encode(Image.fromarray(four_corners(1200, 1600)), "JPEG")
        assert decode_bytes(data, minimum_size=minimum).shape[:2] == expected

    @pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
    def test_every_mode_keeps_its_colours(self, mode: str) -> None:
        data = encode(Image.fromarray(four_corners(480, 640)).convert(mode), "JPEG", quality=95)
        small, whole = decode_bytes(data, minimum_size=(120, 160)), decode_bytes(data)
        assert small.shape == (120, 160, 3)
        assert np.abs(corners_of(small) - corners_of(whole)).max() <= 3

    def test_smaller_pictures_and_other_formats_come_as_they_are(self) -> None:
        assert decode_bytes(encode(RGB, "JPEG"), minimum_size=(500, 500)).shape == (HEIGHT, WIDTH, 3)
        assert decode_bytes(encode(RGB, "PNG"), minimum_size=(5, 5)).shape == (HEIGHT, WIDTH, 3)

    def test_the_limit_is_about_the_true_size(self) -> None:
        data = encode(Image.fromarray(four_corners(480, 640)), "JPEG")
        with pytest.raises(PictureError, match="640 × 480 pixels"):
            decode_bytes(data, minimum_size=(10, 10), limits=DecodeLimits(max_pixels=640 * 480 - 1))
        assert decode_bytes(data, limits=DecodeLimits(max_pixels=640 * 480)).shape == (480, 640, 3)


class TestTransparency:
    """What is transparent shows the background, or stays so."""

    @staticmethod
    def left_half_clear(mode: str = "RGBA") -> Image.Image:
        picture = RGB.convert(mode)
        alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
        alpha[:, : WIDTH // 2] = 0
        picture.putalpha(Image.fromarray(alpha))
        return picture

    @pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
    def test_alpha_over_white_or_another_background(self, kind: str, options: dict[str, object]) -> None:
        data = encode(self.left_half_clear(), kind, **options)
        assert corners_of(decode_bytes(data)).tolist() == [[255] * 3, [*CORNERS[1]], [*CORNERS[2]], [255] * 3]
        over_blue = decode_bytes(data, background=(10, 20, 200))
        assert corners_of(over_blue)[0].tolist() == [10, 20, 200]
        assert corners_of(over_blue)[1].tolist() == [*CORNERS[1]]

    def test_half_transparent_is_half_way_to_the_background(self) -> None:
        data = encode(Image.new("RGBA", (8, 8), (200, 100, 0, 128)), "PNG")
        assert np.abs(decode_bytes(data, background=(0, 0, 0))[0, 0].astype(int) - (100, 50, 0)).max() <= 1

    def test_grey_with_alpha(self) -> None:
        data = encode(self.left_half_clear("L"), "PNG")
        assert corners_of(decode_bytes(data, background=(9, 9, 9)))[:, 0].tolist() == [9, *GREYS[1:3], 9]
        assert corners_of(decode_bytes(data, background=(9, 9, 9), channels=1)).tolist()[0] == [9]

    @pytest.mark.parametrize("kind", ["PNG", "GIF"])
    def test_a_transparent_palette_entry(self, kind: str) -> None:
        stored = RGB.quantize(4)
        clear = stored.getpixel((2, 2))
        data = encode(stored, kind, transparency=clear)
        assert corners_of(decode_bytes(data)).tolist() == [[255] * 3, *map(list, CORNERS[1:])]
        assert corners_of(decode_bytes(data, channels=4))[:, 3].tolist() == [0, 255, 255, 255]

    def test_a_palette_of_half_transparent_entries(self) -> None:
        stored = RGB.quantize(4)
        data = encode(stored, "PNG", transparency=bytes([0, 85, 170, 255]))
        expected = [85 * stored.getpixel(at) for at in ((2, 2), (62, 2), (62, 46), (2, 46))]
        assert corners_of(decode_bytes(data, channels=4))[:, 3].tolist() == expected

    @pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
    def test_one_colour_declared_transparent(self, mode: str) -> None:
        if mode == "I;16":
            stored = Image.fromarray(np.asarray(RGB.convert("L")).astype(np.uint16) * 257)
        else:
            stored = RGB.convert(mode)
        data = encode(stored, "PNG", transparency=stored.getpixel((2, 2)))
        assert corners_of(decode_bytes(data, channels=4))[:, 3].tolist() == [0, 255, 255, 255]
        assert corners_of(decode_bytes(data))[0].tolist() == [255, 255, 255]

    def test_four_channels_keep_it_and_opaque_is_255(self) -> None:
        kept = decode_bytes(encode(self.left_half_clear(), "PNG"), channels=4)
        assert kept.shape == (HEIGHT, WIDTH, 4)
        assert corners_of(kept)[:, 3].tolist() == [0, 255, 255, 0]
        assert corners_of(kept)[0, :3].tolist() == [*CORNERS[0]]
        assert (decode_bytes(encode(RGB, "JPEG"), channels=4)[..., 3] == 255).all()


class TestDeepGrey:
    """More than 8 bits a pixel are scaled, not cut off."""

    RAMP = np.linspace(0, 65535, 256 * 4).reshape(4, 256)
    EXPECTED = np.rint(RAMP.astype(np.uint16) / 257)

    @pytest.mark.parametrize(
        ("kind", "stored_as"),
        [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2"), ("TIFF", "<i4"), ("PPM", "<i4")],
    )
    def test_sixteen_bits(self, kind: str, stored_as: str) -> None:
        data = encode(Image.fromarray(self.RAMP.astype(np.uint16).astype(stored_as)), kind)
        picture = decode_bytes(data)
        assert np.abs(picture - self.EXPECTED[..., None]).max() <= 1
        assert np.array_equal(decode_bytes(data, channels=1)[..., 0], picture[..., 0])

    def test_whole_numbers_beyond_16_bits_are_stretched(self) -> None:
        data = encode(Image.fromarray(np.array([[-1000, 0, 1000]], np.int32)), "TIFF")
        assert decode_bytes(data, channels=1)[0, :, 0].tolist() == [0, 128, 255]

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([0, 0.5, 1], [0, 128, 255]),
            ([0, 100, 255], [0, 100, 255]),
            ([-1, 0, 1], [0, 128, 255]),
            ([0, 500, 1000], [0, 128, 255]),
            ([7, 7, 7], [7, 7, 7]),
            ([-3, -3, -3], [0, 0, 0]),
            ([np.nan, 0.5, np.inf], [128, 128, 128]),
            ([np.nan, np.nan, np.nan], [0, 0, 0]),
            ([-3e38, 0, 3e38], [0, 128, 255]),
        ],
    )
    def test_floating_point(self, values: list[float], expected: list[int]) -> None:
        data = encode(Image.fromarray(np.array([values], np.float32)), "TIFF")
        assert decode_bytes(data, channels=1)[0, :, 0].tolist() == expected


class TestColourProfile:
    """Colours come out as sRGB."""

    SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    @classmethod
    def red_and_green_swapped(cls) -> bytes:
        """A valid profile whose red primary is sRGB's green and the other way round."""
        count = struct.unpack(">I", cls.SRGB[128:132])[0]
        swap = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
        profile = bytearray(cls.SRGB)
        for entry in range(132, 132 + 12 * count, 12):
            name = cls.SRGB[entry : entry + 4]
            profile[entry : entry + 4] = swap.get(name, name)
        return bytes(profile)

    @staticmethod
    def linear_grey() -> bytes:
        """The smallest profile of grey whose values are proportional to light."""
        white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
        curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
        start = 132 + 2 * 12
        tags = struct.pack(">I", 2)
        tags += b"wtpt" + struct.pack(">II", start, len(white))
        tags += b"kTRC" + struct.pack(">II", start + len(white), len(curve))
        body = tags + white + curve
        header = bytearray(128)
        header[0:4] = struct.pack(">I", 128 + len(body))
        header[8:12] = b"\x02\x40\0\0"
        header[12:24] = b"mntrGRAYXYZ "
        header[36:40] = b"acsp"
        header[68:80] = struct.pack(">3i", 63190, 65536, 54061)
        return bytes(header) + body

    @pytest.mark.parametrize(
        ("kind", "options"), [("JPEG", {"quality": 95}), ("PNG", {}), ("TIFF", {}), ("WEBP", {})]
    )
    def test_an_embedded_profile_is_applied(self, kind: str, options: dict[str, object]) -> None:
        data = encode(RGB, kind, icc_profile=self.red_and_green_swapped(), **options)
        swapped = [(green, red, blue) for red, green, blue in CORNERS]
        assert np.abs(corners_of(decode_bytes(data)) - swapped).max() <= 12

    def test_transparency_passes_through(self) -> None:
        stored = TestTransparency.left_half_clear()
        picture = decode_bytes(encode(stored, "PNG", icc_profile=self.red_and_green_swapped()), channels=4)
        assert corners_of(picture)[:, 3].tolist() == [0, 255, 255, 0]
        assert np.abs(corners_of(picture)[1, :3] - (200, 30, 30)).max() <= 3

    def test_a_profile_of_grey(self) -> None:
        data = encode(Image.new("L", (8, 8), 55), "PNG", icc_profile=self.linear_grey())
        for channels in (1, 3):
            assert abs(int(decode_bytes(data, channels=channels)[0, 0, 0]) - 128) <= 2

    def test_srgb_changes_nothing(self) -> None:
        everything = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        data = encode(Image.fromarray(everything), "PNG", icc_profile=self.SRGB)
        assert np.array_equal(decode_bytes(data), everything)

    def test_nor_does_one_that_differs_from_it_by_rounding(self) -> None:
        profile = bytearray(self.SRGB)
        for entry in range(132, 132 + 12 * struct.unpack(">I", profile[128:132])[0], 12):
            if profile[entry : entry + 4] == b"gXYZ":
                green = struct.unpack(">I", profile[entry + 4 : entry + 8])[0] + 12
                value = struct.unpack(">i", profile[green : green + 4])[0]
                profile[green : green + 4] = struct.pack(">i", value - 20)
        everything = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        applied = ImageCms.profileToProfile(
            Image.fromarray(everything), io.BytesIO(bytes(profile)), ImageCms.createProfile("sRGB")
        )
        assert not np.array_equal(np.asarray(applied), everything)
        data = encode(Image.fromarray(everything), "PNG", icc_profile=bytes(profile))
        assert np.array_equal(decode_bytes(data), everything)

    @pytest.mark.parametrize(
        "profile",
        [b"", b"\0", b"not a profile", SRGB[:200], SRGB[:-40], b"\xff" * 5000],
        ids=["empty", "zero", "text", "cut early", "cut late", "ones"],
    )
    def test_a_damaged_one_is_ignored(self, profile: bytes) -> None:
        data = encode(RGB, "PNG", icc_profile=profile)
        assert np.abs(corners_of(decode_bytes(data)) - CORNERS).max() <= 2

    def test_one_for_other_colours_is_ignored(self) -> None:
        for mode in ("RGB", "L", "CMYK"):
            data = encode(
                RGB.convert(mode), "TIFF", icc_profile=self.linear_grey() if mode != "L" else self.SRGB
            )
            plain = encode(RGB.convert(mode), "TIFF")
            assert np.array_equal(decode_bytes(data), decode_bytes(plain))


@pytest.mark.parametrize(
    ("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("AVIF", {})]
)
def test_of_an_animated_picture_it_is_the_first_frame(kind: str, options: dict[str, object]) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in CORNERS]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert np.abs(decode_bytes(data)[16, 16].astype(int) - CORNERS[0]).max() <= 4


class TestFiles:
    """Decoding what lies on a disk."""

    def test_the_content_decides_not_the_name(self, tmp_path: Path) -> None:
        for kind, name in [
            ("PNG", "a.jpg"),
            ("JPEG", "b.png"),
            ("GIF", "c.tiff"),
            ("TIFF", "d"),
            ("BMP", "e.eps"),
        ]:
            path = tmp_path / name
            path.write_bytes(encode(RGB, kind))
            assert decode_file(path).shape == (HEIGHT, WIDTH, 3)

    def test_a_path_may_be_text_and_hold_any_script(self, tmp_path: Path) -> None:
        path = tmp_path / "幻境 é.png"
        path.write_bytes(encode(RGB, "PNG"))
        assert np.array_equal(decode_file(str(path)), decode_file(path))

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "real.png").write_bytes(encode(RGB, "PNG"))
        (tmp_path / "link.png").symlink_to("real.png")
        assert np.array_equal(decode_file(tmp_path / "link.png"), np.asarray(RGB))

    def test_an_array_has_its_own_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "a.bmp"
        path.write_bytes(encode(RGB, "BMP"))
        first = decode_file(path)
        first[:] = 0
        assert first.flags.c_contiguous
        assert corners_of(decode_file(path)).tolist() == [list(corner) for corner in CORNERS]

    def test_a_loaded_picture_outlives_its_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tiff"
        path.write_bytes(encode(RGB, "TIFF"))
        picture = load_picture(path)
        path.unlink()
        assert type(picture) is Image.Image
        assert np.array_equal(np.asarray(picture), np.asarray(RGB))

    @pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
    def test_channels(self, channels: int, mode: str) -> None:
        for kind in ("PNG", "JPEG"):
            for stored in ("L", "RGB"):
                data = encode(RGB.convert(stored), kind)
                assert load_picture_bytes(data, channels=channels).mode == mode
                assert decode_bytes(data, channels=channels).shape == (HEIGHT, WIDTH, channels)

    def test_suffixes_are_lower_case_with_their_dot(self) -> None:
        assert {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"} <= PICTURE_SUFFIXES
        assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in PICTURE_SUFFIXES)
        assert PICTURE_SUFFIXES.isdisjoint({".eps", ".ps", ".pdf", ".wmf", ".emf", ".svg", ".txt"})


class TestArguments:
    """A mistake of the caller is a ValueError, not the picture's fault."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"channels": 2},
            {"background": (0, 0)},
            {"background": (0, 0, 256)},
            {"minimum_size": (0, 5)},
            {"minimum_size": (5,)},
        ],
    )
    def test_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError, match="must be"):
            decode_bytes(encode(RGB, "PNG"), **wrong)

    def test_limits_must_allow_something(self) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            DecodeLimits(max_pixels=0)


class TestManyThreads:
    """Decoding is quiet on its own threads only, and alters nothing that other users of Pillow see."""

    # Its directory of notes claims more entries than there are, which Pillow warns about.
    TALKATIVE = encode(
        RGB, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12\x01\x02\0\xff\0\0\0\xff\0\0\0"
    )

    def test_pillow_does_warn_about_this_picture(self) -> None:
        with pytest.warns(UserWarning, match="EXIF|Tag data|buffer"):
            Image.open(io.BytesIO(self.TALKATIVE)).getexif()

    def test_decoding_it_is_silent_while_others_still_hear(self) -> None:
        stop = threading.Event()
        heard = []

        def decode_on() -> int:
            count = 0
            while not stop.is_set():
                decode_bytes(self.TALKATIVE)
                count += 1
            return count

        with ThreadPoolExecutor(4) as pool:
            decoded = [pool.submit(decode_on) for _ in range(4)]
            try:
                for _ in range(50):
                    try:
                        Image.open(io.BytesIO(self.TALKATIVE)).getexif()
                    except UserWarning as warning:
                        heard.append(warning)
            finally:
                stop.set()
            assert sum(future.result() for future in decoded) > 0
        assert len(heard) == 50

    def test_the_list_of_filters_does_not_grow(self) -> None:
        for _ in range(20):
            decode_bytes(self.TALKATIVE)
            warnings.filterwarnings("ignore", message="this one is put in front")
        decode_bytes(self.TALKATIVE)
        before = len(warnings.filters)
        decode_bytes(self.TALKATIVE)
        assert len(warnings.filters) == before
        ours = [entry for entry in warnings.filters if type(entry[1]).__name__ == "_WhileDecoding"]
        assert len(ours) == 1

    def test_every_thread_gets_the_right_pixels(self) -> None:
        kinds = ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "QOI", "JPEG2000"]
        stored = [encode(RGB, kind, **({"lossless": True} if kind == "WEBP" else {})) for kind in kinds] * 10
        expected = [decode_bytes(data) for data in stored[: len(kinds)]] * 10
        with ThreadPoolExecutor(8) as pool:
            for picture, right in zip(pool.map(decode_bytes, stored), expected, strict=True):
                assert np.array_equal(picture, right)


def test_importing_loads_no_reader_of_pictures_and_no_colour_management() -> None:
    program = (
        "import sys; before = set(sys.modules); import huanjing.images; "
        "print(*[n for n in sys.modules if n.endswith('Plugin') or n in ('PIL.ImageCms', 'PIL.ImageFile')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

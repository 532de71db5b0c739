"""The perceptual hash: the same for what looks the same, another for what does not."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.images import load_picture, load_picture_bytes
from huanjing.images.perceptual import Look, look_of, thumbnail_difference


def bits(one: Look, other: Look) -> int:
    return (one.hash ^ other.hash).bit_count()


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return load_picture_bytes(buffer.getvalue())


@pytest.fixture
def picture(bison: Path) -> Image.Image:
    return load_picture(bison)


def test_the_hash_has_a_bit_for_each_step_to_the_right() -> None:
    ramp = np.repeat(np.linspace(0, 255, 90, dtype=np.uint8)[None], 80, axis=0)
    assert look_of(Image.fromarray(ramp)).hash == 2**64 - 1
    assert look_of(Image.fromarray(ramp[:, ::-1].copy())).hash == 0
    upper = ramp.copy()
    upper[40:] = upper[40:, ::-1]
    assert look_of(Image.fromarray(upper)).hash == (2**32 - 1) << 32


def test_re_encoding_and_resizing_change_little(picture: Image.Image) -> None:
    look = look_of(picture)
    for changed in (
        as_jpeg(picture, 30),
        picture.resize((picture.width // 3, picture.height // 3)),
        picture.resize((picture.width * 2, picture.height)),
    ):
        assert bits(look, look_of(changed)) <= 2
        assert thumbnail_difference(look.thumbnail, look_of(changed).thumbnail) < 2


def test_mirrored_turned_and_other_pictures_are_far(picture: Image.Image, espresso: Path) -> None:
    look = look_of(picture)
    for other in (
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        picture.transpose(Image.Transpose.ROTATE_90),
        load_picture(espresso),
    ):
        assert bits(look, look_of(other)) > 12


def test_noise_of_an_even_area_sets_no_bits() -> None:
    noise = np.random.default_rng(0).integers(126, 130, (200, 300, 3)).astype(np.uint8)
    assert look_of(Image.fromarray(noise)).hash == 0


def test_grey_and_transparent_pictures_have_a_look(picture: Image.Image) -> None:
    for mode in ("L", "RGBA"):
        look = look_of(picture.convert(mode))
        assert look.thumbnail.shape == (12, 12, 3)
        assert look.thumbnail.dtype == np.uint8
        assert bits(look, look_of(picture)) <= 2
    with pytest.raises(ValueError, match="CMYK"):
        look_of(picture.convert("CMYK"))


def test_one_pixel_is_enough() -> None:
    assert look_of(Image.new("RGB", (1, 1), (9, 8, 7))).hash == 0

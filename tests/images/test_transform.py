"""Bringing pictures to the size that a network takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from huanjing.images import center_crop_box, decode_bytes, encode_jpeg, fit, minimum_source_size
from huanjing.images.transform import FitMode

EXACT = settings(derandomize=True, deadline=None, max_examples=200, database=None)


def stripes(height: int, widths: dict[tuple[int, int, int], int]) -> Image.Image:
    """Upright stripes of the given colours and widths, from the left."""
    row = np.concatenate([np.tile(np.uint8(colour), (width, 1)) for colour, width in widths.items()])
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(row, (height, *row.shape))))


def gradient(height: int, width: int) -> Image.Image:
    """Red grows to the right and green downwards, as a share of the whole."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 255, width)
    picture[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(picture)


class TestCenterCropBox:
    """The square that recognition looks at."""

    def test_the_published_crop(self) -> None:
        assert center_crop_box(256, 256, 224 / 256) == (16, 16, 240, 240)
        assert center_crop_box(640, 480, 1.0) == (80, 0, 560, 480)
        assert center_crop_box(480, 640, 0.5) == (120, 200, 360, 440)

    @EXACT
    @given(st.integers(1, 70000), st.integers(1, 70000), st.floats(0, 1, exclude_min=True))
    def test_it_is_a_centred_square_inside_the_picture(
        self, width: int, height: int, fraction: float
    ) -> None:
        left, upper, right, lower = center_crop_box(width, height, fraction)
        assert 0 <= left <= right <= width
        assert 0 <= upper <= lower <= height
        assert right - left == pytest.approx(lower - upper, abs=1e-9 * max(width, height))
        assert right - left == pytest.approx(fraction * min(width, height), abs=1e-9 * max(width, height))
        assert left + right == pytest.approx(width)
        assert upper + lower == pytest.approx(height)

    @pytest.mark.parametrize("fraction", [0, -1, 1.01, float("nan")])
    def test_fractions_that_are_none(self, fraction: float) -> None:
        with pytest.raises(ValueError, match="fraction"):
            center_crop_box(10, 10, fraction)


class TestCrop:
    """The middle, in the target's aspect ratio."""

    def test_a_square_of_a_wide_picture_is_its_middle(self) -> None:
        wide = stripes(10, {(255, 0, 0): 10, (0, 255, 0): 10, (0, 0, 255): 10})
        square = np.asarray(fit(wide, 10, 10, mode="crop"))
        assert (square == (0, 255, 0)).all()

    def test_a_wide_target_keeps_its_aspect_ratio(self) -> None:
        tall = np.asarray(gradient(400, 200))
        cropped = np.asarray(fit(Image.fromarray(tall), 50, 100, mode="crop"))
        assert cropped.shape == (50, 100, 3)
        expected = tall[150:250].reshape(50, 2, 100, 2, 3).mean((1, 3))
        assert np.abs(cropped - expected).max() <= 2

    def test_the_fraction_is_of_each_side(self) -> None:
        picture = gradient(256, 256)
        cropped = np.asarray(fit(picture, 224, 224, mode="crop", crop_fraction=224 / 256))
        assert np.array_equal(cropped, np.asarray(picture)[16:240, 16:240])


def test_squash_shows_the_whole() -> None:
    wide = stripes(10, {(255, 0, 0): 20, (0, 0, 255): 20})
    squashed = np.asarray(fit(wide, 10, 10, mode="squash", resample="box"))
    assert (squashed[:, :5] == (255, 0, 0)).all()
    assert (squashed[:, 5:] == (0, 0, 255)).all()


class TestPad:
    """The whole, with borders."""

    def test_a_wide_picture_gets_them_above_and_below(self) -> None:
        padded = np.asarray(
            fit(Image.new("RGB", (40, 20), (1, 2, 3)), 10, 10, mode="pad", background=(9, 8, 7))
        )
        assert (padded[[0, 1, 8, 9]] == (9, 8, 7)).all()
        assert (padded[2:7] == (1, 2, 3)).all()

    def test_a_tall_one_at_the_sides(self) -> None:
        padded = np.asarray(fit(Image.new("L", (20, 40), 5), 8, 8, mode="pad"))
        assert (padded[:, [0, 1, 6, 7]] == 255).all()
        assert (padded[:, 2:6] == 5).all()

    def test_borders_are_opaque(self) -> None:
        padded = np.asarray(fit(Image.new("RGBA", (40, 20), (1, 2, 3, 0)), 10, 10, mode="pad"))
        assert padded[0, 0].tolist() == [255, 255, 255, 255]
        assert padded[5, 5, 3] == 0

    def test_a_line_stays_visible(self) -> None:
        padded = np.asarray(fit(Image.new("L", (1000, 1), 0), 10, 10, mode="pad"))
        assert (padded == 0).any()


class TestResampling:
    """Shrinking looks at every pixel."""

    @pytest.mark.parametrize("resample", ["bilinear", "bicubic", "lanczos", "box"])
    def test_fine_stripes_become_grey(self, resample: str) -> None:
        fine = np.zeros((512, 512), np.uint8)
        fine[:, ::2] = 255
        small = np.asarray(fit(Image.fromarray(fine), 64, 64, mode="crop", resample=resample))
        assert np.abs(small[4:-4, 4:-4].astype(int) - 127.5).max() <= 3

    def test_nearest_does_not(self) -> None:
        fine = np.zeros((512, 512), np.uint8)
        fine[:, ::2] = 255
        small = np.asarray(fit(Image.fromarray(fine), 64, 64, mode="crop", resample="nearest"))
        assert set(np.unique(small)) <= {0, 255}

    def test_shrinking_first_by_whole_factors_changes_little(self) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)
        ours = np.asarray(fit(Image.fromarray(noise), 64, 64, mode="crop")).astype(int)
        exact = np.asarray(Image.fromarray(noise).resize((64, 64), Image.Resampling.BILINEAR))
        assert np.abs(ours - exact).max() <= 8

    def test_colour_behind_transparency_does_not_leak(self) -> None:
        picture = np.zeros((64, 64, 4), np.uint8)
        picture[:, ::2] = (0, 255, 0, 255)
        picture[:, 1::2] = (255, 0, 0, 0)
        small = np.asarray(fit(Image.fromarray(picture), 8, 8, mode="crop"))
        assert (small[..., 0] == 0).all()
        assert (small[..., 1] == 255).all()


SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))


@EXACT
@given(SIZES, SIZES, st.sampled_from(["crop", "squash", "pad"]), st.sampled_from(["L", "RGB", "RGBA"]))
def test_any_size_becomes_any_other(
    size: tuple[int, int], target: tuple[int, int], mode: FitMode, pixels: str
) -> None:
    fitted = fit(Image.new(pixels, size), target[1], target[0], mode=mode)
    assert fitted.size == target
    assert fitted.mode == pixels


class TestMinimumSourceSize:
    """How large a decoded picture must be so that nothing is enlarged."""

    def test_the_published_crop_needs_the_published_size(self) -> None:
        assert minimum_source_size(224, 224, crop_fraction=224 / 256) == (256, 256)
        assert minimum_source_size(32, 64) == (32, 64)
        assert minimum_source_size(32, 64, mode="squash", crop_fraction=0.5) == (32, 64)

    @EXACT
    @given(st.integers(1, 300), st.integers(1, 300), st.floats(0.1, 1))
    def test_the_crop_from_it_is_no_smaller_than_the_target(
        self, height: int, width: int, part: float
    ) -> None:
        least_height, least_width = minimum_source_size(height, width, crop_fraction=part)
        assert part * min(least_width / width, least_height / height) >= 1 - 1e-9

    def test_a_reduced_jpeg_looks_the_same_to_the_network(self) -> None:
        data = encode_jpeg(np.asarray(gradient(1200, 1600)))
        size = minimum_source_size(224, 224, crop_fraction=224 / 256)
        reduced = decode_bytes(data, minimum_size=size)
        assert reduced.shape == (300, 400, 3)
        options = {"mode": "crop", "crop_fraction": 224 / 256}
        one = np.asarray(fit(Image.fromarray(reduced), 224, 224, **options)).astype(int)
        other = np.asarray(fit(Image.fromarray(decode_bytes(data)), 224, 224, **options))
        assert np.abs(one - other).max() <= 3


@pytest.mark.parametrize(
    ("picture", "options", "complaint"),
    [
        (Image.new("P", (5, 5)), {"mode": "crop"}, "mode L, RGB or RGBA"),
        (Image.new("L", (5, 5)), {"mode": "stretch"}, "crop, squash or pad"),
        (Image.new("L", (5, 5)), {"mode": "crop", "resample": "best"}, "bilinear, bicubic"),
        (Image.new("L", (5, 5)), {"mode": "crop", "height": 0}, "at least 1"),
        (Image.new("L", (5, 5)), {"mode": "crop", "crop_fraction": 2}, "at most 1"),
        (Image.new("L", (5, 5)), {"mode": "squash", "crop_fraction": 0.5}, "goes with mode 'crop'"),
    ],
)
def test_wrong_arguments_are_named(picture: Image.Image, options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fit(picture, **{"height": 4, "width": 4, **options})

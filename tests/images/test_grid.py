"""Many pictures on one sheet."""

import numpy as np
import pytest

from huanjing.images import picture_grid


def numbered(count: int, height: int = 4, width: int = 5, channels: int = 3) -> np.ndarray:
    """Pictures of one colour each: the first all 1, the second all 2, and so on."""
    values = np.arange(1, count + 1, dtype=np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, height, width, channels)).copy()


def test_rows_are_filled_from_the_left_with_gaps_between_only() -> None:
    sheet = picture_grid(numbered(5), columns=3, gap=2, background=200)
    assert sheet.shape == (4 + 2 + 4, 5 + 2 + 5 + 2 + 5, 3)
    assert sheet.dtype == np.uint8
    assert (sheet[:4, :5] == 1).all()
    assert (sheet[:4, 7:12] == 2).all()
    assert (sheet[:4, 14:] == 3).all()
    assert (sheet[6:, :5] == 4).all()
    assert (sheet[4:6] == 200).all()
    assert (sheet[:, 5:7] == 200).all()
    assert (sheet[6:, 14:] == 200).all()


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (9, 3, 3), (10, 3, 4), (12, 3, 4)]
)
def test_it_is_near_square_by_itself(count: int, rows: int, columns: int) -> None:
    assert picture_grid(numbered(count), gap=0).shape == (rows * 4, columns * 5, 3)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_stay(channels: int) -> None:
    sheet = picture_grid(numbered(3, channels=channels), background=0)
    assert sheet.shape[2] == channels
    assert (sheet[-1, -1, :3] == 0).all()


def test_the_background_is_opaque() -> None:
    assert picture_grid(numbered(3, channels=4), background=7)[-1, -1].tolist() == [7, 7, 7, 255]


def test_more_columns_than_pictures_make_no_empty_ones() -> None:
    assert picture_grid(numbered(2), columns=10, gap=0).shape == (4, 10, 3)


def test_the_pictures_are_not_touched() -> None:
    pictures = numbered(4)
    sheet = picture_grid(pictures)
    sheet[:] = 0
    assert np.array_equal(pictures, numbered(4))


@pytest.mark.parametrize(
    ("pictures", "options"),
    [
        (numbered(0), {}),
        (numbered(2, height=0), {}),
        (numbered(2)[0], {}),
        (numbered(2, channels=2), {}),
        (numbered(2).astype(np.float32), {}),
        (numbered(2), {"columns": 0}),
        (numbered(2), {"gap": -1}),
        (numbered(2), {"background": 256}),
    ],
    ids=["none", "no pixels", "only one", "two channels", "floats", "columns", "gap", "background"],
)
def test_what_cannot_be_laid_out_is_refused(pictures: np.ndarray, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        picture_grid(pictures, **options)

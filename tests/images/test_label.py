"""The label that a person sees."""

import numpy as np
import pytest

from huanjing.images.label import draw_label


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (700, 400)])
@pytest.mark.parametrize("words", ["zh", "en"])
def test_it_stands_in_the_corner_and_is_tall_enough(
    channels: int, height: int, width: int, words: str
) -> None:
    plain = np.full((height, width, channels), 120, np.uint8)
    labelled = draw_label(plain, words)
    assert labelled.shape == plain.shape
    rows, columns = np.nonzero((labelled != plain).any(axis=2))
    assert rows.max() == height - 1
    assert columns.max() == width - 1
    letters = np.nonzero((labelled[height // 2 :, :, 0] > 125).any(axis=1))[0]
    assert letters.max() - letters.min() + 1 >= max(9, 0.05 * min(height, width)) - 1
    assert (labelled[: height // 2] == plain[: height // 2]).all()
    assert (plain == 120).all()


def test_a_picture_too_small_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="needs"):
        draw_label(np.zeros((28, 28, 1), np.uint8))

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huanjing.datasets import batch_positions


@given(st.integers(1, 50), st.integers(0, 2**31), st.integers(0, 200), st.integers(1, 60))
def test_stream_does_not_depend_on_how_it_is_cut(count: int, seed: int, start: int, size: int) -> None:
    whole = batch_positions(count, seed, start, size)
    singly = [batch_positions(count, seed, start + k, 1)[0] for k in range(size)]
    np.testing.assert_array_equal(whole, singly)


def test_every_epoch_shows_every_picture_once_in_another_order() -> None:
    first, second = batch_positions(100, 3, 0, 100), batch_positions(100, 3, 100, 100)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first.tolist() != second.tolist()
    assert first.tolist() != batch_positions(100, 4, 0, 100).tolist()

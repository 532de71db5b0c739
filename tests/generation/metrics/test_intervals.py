"""How far chance moves a score."""

import numpy as np
import pytest

from huanjing.generation.metrics.intervals import mean_score


def test_where_all_pictures_are_alike_doubt_is_left() -> None:
    """Wilson's interval of n of n ends at n / (n + z²)."""
    score = mean_score(np.ones(20, bool))
    assert (score.value, score.high) == (1.0, 1.0)
    assert score.low == pytest.approx(20 / (20 + 1.959964**2))


def test_for_many_pictures_resampling_agrees() -> None:
    truths = np.random.default_rng(0).random(2000) < 0.3
    share, mean = mean_score(truths), mean_score(truths.astype(np.float64))
    assert (share.value, share.low, share.high) == pytest.approx((mean.value, mean.low, mean.high), abs=4e-3)

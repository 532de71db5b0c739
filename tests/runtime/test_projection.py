"""The search for a picture among many, a few at a time."""

import numpy as np

from huanjing.runtime.projection import _apart


def test_a_few_at_a_time_are_as_far_as_all_at_once() -> None:
    pictures = np.random.default_rng(0).uniform(-1, 1, (150, 6, 5, 3)).astype(np.float16)
    apart = _apart(pictures, pictures[130].astype(np.float32))
    assert apart.argmin() == 130
    whole = np.square(pictures.astype(np.float32) - pictures[130]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(apart, whole, rtol=1e-6)

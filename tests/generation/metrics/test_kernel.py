from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics.pairwise import polynomial_kernel

from huanjing.generation.metrics import kernel_distance, kernel_score

Features = NDArray[np.float64]


def by_scikit_learn(a: Features, b: Features) -> float:
    """The unbiased estimate with scikit-learn's polynomial kernel."""
    within_a, within_b, across = (
        polynomial_kernel(x, y, degree=3, gamma=1 / x.shape[1], coef0=1) for x, y in ((a, a), (b, b), (a, b))
    )
    n, m = len(a), len(b)
    pairs_a = (within_a.sum() - np.trace(within_a)) / (n * (n - 1))
    pairs_b = (within_b.sum() - np.trace(within_b)) / (m * (m - 1))
    return float(pairs_a + pairs_b - 2 * across.mean())


@pytest.mark.parametrize(("count_a", "count_b"), [(30, 50), (1500, 40)])
def test_agrees_with_scikit_learn(count_a: int, count_b: int) -> None:
    random = np.random.default_rng(0)
    a, b = random.standard_normal((count_a, 20)), 1.3 * random.standard_normal((count_b, 20)) + 0.2
    assert kernel_distance(a, b) == pytest.approx(by_scikit_learn(a, b), rel=1e-9)


def draw(seed: int, shift: float, count: int = 60) -> tuple[Features, Features]:
    random = np.random.default_rng([seed, 1])
    return random.standard_normal((count, 10)), random.standard_normal((count, 10)) + shift


def test_few_pictures_do_not_raise_it() -> None:
    """Between sets from one source it is nothing on average, however small they are."""
    few = [kernel_distance(*draw(seed, 0.0, count=5)) for seed in range(2000)]
    assert abs(np.mean(few)) < 4 * np.std(few) / np.sqrt(len(few))
    assert min(few) < 0


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_interval_holds_the_truth(shift: float) -> None:
    truth = kernel_distance(*draw(0, shift, count=3000))
    scores = [kernel_score(*draw(seed, shift), seed=seed) for seed in range(1, 101)]
    assert 88 <= sum(score.low <= truth <= score.high for score in scores) <= 100


def test_wrong_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="of one width"):
        kernel_distance(np.zeros((4, 3)), np.zeros((4, 2)))

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from huanjing.generation.metrics import frechet_distance, frechet_score, metric_name

Features = NDArray[np.float64]


def by_square_root(a: Features, b: Features) -> float:
    """The definition, with scipy's matrix square root."""
    sigma_a, sigma_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.real(scipy.linalg.sqrtm(sigma_a @ sigma_b))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sigma_a + sigma_b - 2 * root))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(20, 200), st.integers(20, 200))
def test_agrees_with_the_definition(seed: int, count_a: int, count_b: int) -> None:
    random = np.random.default_rng(seed)
    a = random.standard_normal((count_a, 8)) @ random.standard_normal((8, 8))
    b = random.standard_normal((count_b, 8)) + 0.5
    assert frechet_distance(a, b) == pytest.approx(by_square_root(a, b), rel=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


def test_gaussians_known_in_closed_form() -> None:
    """Diagonal covariances: d² = Σ (μ difference)² + Σ (σ difference)²."""
    random = np.random.default_rng(1)
    x = random.standard_normal((5000, 6))
    x = (x - x.mean(0)) / np.sqrt(np.diag(np.cov(x, rowvar=False)))
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
    x = x @ vectors / np.sqrt(values)  # exactly white
    sigma, shift = np.array([1, 2, 3, 0.5, 1, 4.0]), np.array([0, 1, 0, 0, -2, 0.0])
    assert frechet_distance(x, x * sigma + shift) == pytest.approx(((sigma - 1) ** 2).sum() + 5.0, rel=1e-9)


def test_fewer_pictures_than_features() -> None:
    random = np.random.default_rng(2)
    a, b = random.standard_normal((20, 60)), random.standard_normal((30, 60)) + 1
    sigma_a, sigma_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    half = scipy.linalg.eigh(sigma_a)
    root = half[1] @ np.diag(np.sqrt(half[0].clip(0))) @ half[1].T
    trace = np.sqrt(scipy.linalg.eigvalsh(root @ sigma_b @ root).clip(0)).sum()
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sigma_a + sigma_b) - 2 * trace
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("count", [5, 500])
def test_a_set_is_at_no_distance_from_itself(count: int) -> None:
    a = np.random.default_rng(3).standard_normal((count, 50)).astype(np.float32)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_wrong_sets_are_refused() -> None:
    a = np.zeros((4, 3))
    with pytest.raises(ValueError, match="of one width"):
        frechet_distance(a, np.zeros((4, 2)))
    with pytest.raises(ValueError, match="at least two rows"):
        frechet_distance(a, a[:1])
    with pytest.raises(ValueError, match="finite"):
        frechet_distance(a, a * np.nan)


@pytest.mark.parametrize("count", [20, 150])
def test_the_interval_is_as_wide_as_chance_moves_the_distance(count: int) -> None:
    """Drawn again and again from the same two sources, with fewer and with more pictures than features."""

    def draw(seed: int) -> tuple[Features, Features]:
        random = np.random.default_rng([count, seed])
        return random.standard_normal((count, 30)), 1.5 * random.standard_normal((count, 30)) + 0.5

    drawn = [frechet_distance(*draw(seed)) for seed in range(150)]
    scores = [frechet_score(*draw(seed)) for seed in range(20)]
    widths = [score.high - score.low for score in scores]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(drawn), rel=0.25)
    assert all(score.low < score.value < score.high for score in scores)
    assert scores[3].value == pytest.approx(drawn[3], rel=1e-9)


def test_name_carries_the_protocol() -> None:
    assert metric_name("frechet", "lite0", 2000) == "frechet_lite0_2k_test"
    assert metric_name("kernel", "inception", 500, "train") == "kernel_inception_500_train"

from __future__ import annotations

import math

import numpy as np
import pytest

from huanjing.generation.forecast import Forecast, Range


def curve(
    level: float, factor: float, exponent: float, steps: list[int], noise: float = 0.0
) -> dict[int, float]:
    random = np.random.default_rng(0)
    return {
        step: (level + factor * step**-exponent) * (1 + noise * random.standard_normal()) for step in steps
    }


EARLY = [500, 700, 980, 1372, 1921, 2690]


def test_a_power_law_is_carried_on() -> None:
    forecast = Forecast(curve(20, 4000, 0.7, EARLY))
    truth = 20 + 4000 * 8000**-0.7
    found = forecast.score_at(8000)
    assert found.low < truth < found.high
    assert found.middle == pytest.approx(truth, rel=0.1)
    steps = forecast.steps_to(30.0)
    assert steps.low < (4000 / 10) ** (1 / 0.7) < steps.high


def test_the_range_holds_about_eight_tenths_of_noisy_curves() -> None:
    inside = 0
    for number in range(100):
        random = np.random.default_rng(number)
        level, exponent = random.uniform(5, 40), random.uniform(0.3, 1.2)
        factor = random.uniform(50, 200) * 500**exponent
        noisy = {
            step: (level + factor * step**-exponent) * (1 + 0.03 * random.standard_normal()) for step in EARLY
        }
        found = Forecast(noisy).score_at(5400)
        came = (level + factor * 5400**-exponent) * (1 + 0.03 * random.standard_normal())
        inside += found.low <= came <= found.high
    assert 70 <= inside <= 97


def test_no_curve_goes_below_what_real_pictures_get() -> None:
    scores = curve(30, 3000, 0.8, EARLY, noise=0.02)
    assert Forecast(scores, floor=25.0).score_at(1e9).middle >= 25.0
    assert Forecast(scores, floor=25.0).steps_to(20.0) == Range(math.inf, math.inf, math.inf)
    assert Forecast(scores).steps_to(1e-9).middle == math.inf


def test_scores_that_stand_still_are_expected_to_stay() -> None:
    forecast = Forecast(dict.fromkeys(EARLY, 50.0))
    assert forecast.score_at(10_000).middle == pytest.approx(50.0, rel=0.05)
    assert forecast.steps_to(25.0).middle == math.inf


def test_scores_that_get_worse_promise_nothing() -> None:
    forecast = Forecast({step: 40.0 + step / 50 for step in EARLY})
    assert forecast.score_at(10_000).middle >= 40.0
    assert forecast.steps_to(20.0).middle == math.inf


def test_more_scores_narrow_the_range() -> None:
    few = Forecast(curve(20, 4000, 0.7, EARLY[:4], 0.01)).score_at(8000)
    many = Forecast(curve(20, 4000, 0.7, [*EARLY, 3766, 5272], 0.01)).score_at(8000)
    assert many.high - many.low < few.high - few.low


def test_a_floor_above_the_scores_is_no_obstacle() -> None:
    found = Forecast(curve(20, 4000, 0.7, EARLY), floor=1000.0).score_at(4000)
    assert math.isfinite(found.middle)
    assert found.middle > 0

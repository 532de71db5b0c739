from __future__ import annotations

import math

import pytest

from huanjing.generation.outlook import forecast_points, look_ahead, number, result_text
from huanjing.generation.scoring import Scores, Until
from huanjing.training.clock import Clock

STEPS = [500, 700, 980, 1372, 1921]


def scores(until: Until, steps: list[int] = STEPS) -> Scores:
    found = Scores(until)
    for step in steps:
        found.take(step, 20 + 4000 * step**-0.7)
    return found


def clock(step: int, steps: int | None = 4000, budget: float = math.inf) -> Clock:
    """A training that takes a tenth of a second a step."""
    return Clock(steps, budget, step, seconds=step / 10)


def test_the_score_at_the_end_is_told_from_the_fourth_score_on() -> None:
    early = look_ahead(scores("end", STEPS[:3]), clock(980), 52.2)
    assert early.at_end is None
    assert early.text.en == "Score 52.2 at step 980; not enough scores yet for a forecast."
    later = look_ahead(scores("end"), clock(1921), 40.1)
    assert later.seconds_left == pytest.approx(207.9)
    assert later.at_end is not None
    assert later.at_end.low < 20 + 4000 * 4000**-0.7 < later.at_end.high
    assert later.seconds_to_target is None
    assert "At the end probably" in later.text.en
    assert "结束时大约" in later.text.zh


def test_minutes_are_turned_into_steps_by_the_pace_so_far() -> None:
    by_time = look_ahead(scores("good"), clock(1921, None, 400.0), 40.1)
    by_steps = look_ahead(scores("good"), clock(1921, 4000), 40.1)
    assert by_time.at_end is not None
    assert by_steps.at_end is not None
    assert by_time.at_end.middle == pytest.approx(by_steps.at_end.middle)


def test_the_time_to_a_score_is_told_and_whether_it_is_left() -> None:
    truth = (4000 / 12) ** (1 / 0.7) / 10 - 192.1  # seconds until 32
    near = look_ahead(scores(32.0), clock(1921, 100_000), 40.1)
    assert near.seconds_to_target is not None
    assert near.seconds_to_target.low < truth < near.seconds_to_target.high
    assert near.text.en.startswith("Score 40.1 at step 1,921. 32.0 in about ")
    late = look_ahead(scores(32.0), clock(1921, 2000), 40.1)
    assert "but 0:08 is left" in late.text.en
    assert "而只剩 0:08" in late.text.zh
    never = look_ahead(scores(1.0), clock(1921, 4000), 40.1)
    assert "1.00 is not to be reached, as it looks" in never.text.en
    assert never.to_dict()["seconds_to_target"]["middle"] is None


def test_a_score_that_was_reached_needs_no_forecast() -> None:
    outlook = look_ahead(scores(45.0), clock(1921), 40.1)
    assert outlook.seconds_to_target is None
    assert outlook.text.en == "Score 40.1 at step 1,921: 45.0 is reached."


def test_at_the_end_there_is_nothing_left_to_forecast() -> None:
    outlook = look_ahead(scores("end"), clock(1921, 1921), 40.1)
    assert outlook.to_dict() == {}
    assert outlook.text.en == "Score 40.1 at step 1,921."


def test_the_result_says_whether_the_score_was_reached() -> None:
    assert result_text("good", 30.0) is None
    reached, missed, never = (result_text(40.0, best) for best in (39.0, 44.0, math.inf))
    assert reached is not None
    assert reached.en == "The score 40.0 was reached: 39.0."
    assert missed is not None
    assert "not reached; the best was 44.0" in missed.en
    assert never is not None
    assert "No score was taken" in never.en


def test_the_chart_shows_each_forecast_when_it_was_made() -> None:
    later = look_ahead(scores("end"), clock(1921), 40.1)
    assert later.at_end is not None
    log = [{"seconds": 1.0}, {"seconds": 120.0, "forecast": later.to_dict()}]
    assert forecast_points(log, 1 / 60) == [(2.0, pytest.approx(later.at_end.middle, abs=1e-3))]


@pytest.mark.parametrize(
    ("value", "text"), [(7.254, "7.25"), (9.999, "10.0"), (45.23, "45.2"), (160.7, "161")]
)
def test_scores_are_shown_with_three_digits(value: float, text: str) -> None:
    assert number(value) == text

from __future__ import annotations

from huanjing.generation.scoring import Scores


def test_scores_are_taken_at_steps_that_grow_by_a_factor() -> None:
    scores = Scores()
    taken = []
    for step in range(0, 10_001, 100):
        if scores.due(step):
            scores.take(step, 1.0 / (step + 1))
            taken.append(step)
    assert taken[:6] == [500, 700, 1000, 1400, 2000, 2800]
    assert taken[-1] > 7000
    assert len(taken) < 15


def test_it_has_settled_after_three_without_a_better_one_and_remembers_over_a_resume() -> None:
    scores = Scores()
    for step, value in enumerate((100.0, 50.0, 49.5, 60.0), start=1):
        scores.take(step, value)
    assert scores.best == 50.0
    assert not scores.settled
    resumed = Scores()
    resumed.restore(scores.numbers())
    resumed.take(5, 49.1)
    assert resumed.settled
    better = Scores()
    better.restore(scores.numbers())
    better.take(5, 48.0)
    assert not better.settled
    assert better.best == 48.0


def test_one_that_was_never_taken_can_be_remembered() -> None:
    fresh = Scores()
    fresh.restore(Scores().numbers())
    assert not fresh.settled
    assert fresh.due(500)
    assert not fresh.due(499)


def test_what_it_knows_of_the_curve_survives_a_resume() -> None:
    scores = Scores(20.0)
    scores.floor = 7.0
    for step in (500, 700, 980, 1372):
        scores.take(step, 20_000 / step)
    resumed = Scores(20.0)
    resumed.restore(scores.numbers())
    assert resumed.curve == scores.curve
    assert resumed.floor == 7.0
    assert resumed.numbers() == scores.numbers()
    assert scores.forecast is not None
    assert resumed.forecast is not None
    assert resumed.forecast.score_at(3000) == scores.forecast.score_at(3000)


def test_a_score_to_reach_ends_it_and_is_looked_for_more_often_once_near() -> None:
    scores = Scores(14.0)
    taken = []
    for step in range(500, 10_000):
        if scores.due(step):
            scores.take(step, 20_000 / step)
            taken.append(step)
        if scores.satisfied:
            break
    exact = 20_000 / 14  # 1,429 steps; by the factor alone it would be seen at 1,921
    assert taken[:4] == [500, 700, 980, 1372]
    assert exact <= taken[-1] < 1.15 * exact
    assert not Scores(14.0).satisfied


def test_going_back_forgets_what_came_after() -> None:
    scores = Scores("good")
    for step in (500, 700, 980):
        scores.take(step, 20_000 / step)
    then = scores.numbers()
    scores.take(1372, 90.0)
    assert scores.forecast is not None
    scores.restore(then)
    assert list(scores.curve) == [500, 700, 980]
    assert scores.forecast is None

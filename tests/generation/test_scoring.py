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

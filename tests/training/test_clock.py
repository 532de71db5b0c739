from __future__ import annotations

import pytest

from huanjing.training import clock as module
from huanjing.training.clock import Clock


class Time:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_by_steps_the_time_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    monkeypatch.setattr(module, "time", time)
    clock = Clock(4)
    for _ in range(3):
        time.now += 1000
        clock.advance()
    assert (clock.step, clock.progress, clock.done) == (3, 0.75, False)
    clock.advance()
    assert clock.done


def test_by_time_it_goes_on_from_what_a_checkpoint_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    monkeypatch.setattr(module, "time", time)
    clock = Clock(None, budget=60)
    time.now += 15
    clock.advance()
    numbers = clock.numbers()
    assert numbers == {"seconds": 15, "progress": 0.25}
    time.now += 5000  # the process was gone
    resumed = Clock(None, 60, clock.step, **numbers)
    assert resumed.progress == 0.25
    time.now += 15
    resumed.advance()
    assert (resumed.step, resumed.seconds, resumed.progress) == (2, 30, 0.5)


def test_going_back_takes_back_steps_but_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    monkeypatch.setattr(module, "time", time)
    clock = Clock(None, budget=60)
    time.now += 30
    clock.go_to(10)
    clock.go_to(2)
    assert (clock.step, clock.progress) == (2, 0.5)
    both = Clock(10, budget=60)
    time.now += 6
    both.go_to(5)
    assert both.progress == 0.5

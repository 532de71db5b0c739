from __future__ import annotations

import threading

import pytest

from huanjing.training.prefetch import Prefetch


def test_steps_come_in_order_and_from_where_one_asks() -> None:
    with Prefetch(lambda step: step * 10, 3) as prefetch:
        assert [prefetch.next(), prefetch.next()] == [30, 40]
        assert prefetch.step == 5
        prefetch.go_to(1)
        assert [prefetch.next(), prefetch.next()] == [10, 20]


def test_the_next_step_is_made_while_this_one_is_worked_on() -> None:
    begun = threading.Event()

    def gather(step: int) -> int:
        if step == 1:
            begun.set()
        return step

    with Prefetch(gather, 0) as prefetch:
        assert prefetch.next() == 0
        assert begun.wait(10)


def test_what_goes_wrong_in_the_thread_is_raised_where_it_is_waited_for() -> None:
    def gather(step: int) -> int:
        raise OSError(f"no step {step}")

    with Prefetch(gather, 7) as prefetch, pytest.raises(OSError, match="no step 7"):
        prefetch.next()

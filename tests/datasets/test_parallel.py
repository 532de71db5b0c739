"""Reading side by side: the order, how far ahead, and what an error or an early end does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from huanjing.datasets.parallel import AHEAD, in_parallel
from huanjing.runtime.engine import processors


def counted(taken: list[int]) -> Iterator[int]:
    for number in range(10_000):
        taken.append(number)
        yield number


def test_answers_come_in_order_from_other_threads() -> None:
    threads = set()

    def square(number: int) -> int:
        threads.add(threading.get_ident())
        return number * number

    assert list(in_parallel(square, range(500))) == [number * number for number in range(500)]
    assert threading.get_ident() not in threads
    assert list(in_parallel(square, [])) == []


def test_only_a_few_are_taken_ahead() -> None:
    taken: list[int] = []
    answers = in_parallel(abs, counted(taken))
    for _ in range(10):
        next(answers)
    answers.close()
    assert len(taken) <= AHEAD * processors() + 10


def test_an_error_comes_where_its_answer_would() -> None:
    def refuse(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    answers = in_parallel(refuse, range(100))
    assert [next(answers), next(answers), next(answers)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(answers)

from __future__ import annotations

import io

import pytest
from rich.console import Console

from huanjing.training import Progress
from huanjing.training.progress import duration


def test_plain_lines_off_a_terminal() -> None:
    stream = io.StringIO()
    with Progress("Training", unit="pictures", console=Console(file=stream, width=40)) as progress:
        progress.update(0.1, step=1, rate=0, values={}, seconds_left=None)
        assert stream.getvalue() == ""
        progress.update(1.0, step=1200, rate=321.5, values={"loss": 0.25}, seconds_left=62, last=True)
    assert stream.getvalue() == "Training: 100%, step 1,200, 322 pictures/s, loss 0.250, 1:02 left\n"


def test_bar_on_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    with Progress("Training", console=console) as progress:
        progress.update(0.5, step=7, rate=99, values={"loss": 0.5}, seconds_left=5)
        progress.say("a word")
    assert "99 pictures/s" in stream.getvalue()
    assert "a word" in stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.4, "1:01"), (3723, "1:02:03"), (-3, "0:00")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text

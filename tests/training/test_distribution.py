"""What does not need several processes; those are in ``tests/generation/test_workers.py``."""

from __future__ import annotations

import time

import pytest

from huanjing.training.cluster import Cluster
from huanjing.training.launcher import WORKER_LOST

pytestmark = pytest.mark.training


def test_one_process_computes_what_it_is_given_and_nothing_else() -> None:
    import tensorflow as tf

    from huanjing.training.distribution import Distribution

    alone = Distribution()
    value = tf.constant([1.0, 2.0])
    assert alone.rows(value) is value
    assert alone.part(value) is value
    assert alone.mean(value)[0] is value
    assert alone.gather(value)[0] is value
    assert alone.agree([1.0, 2.5], stop=True) == ([1.0, 2.5], True)
    assert alone.chief
    assert alone.replicas == 1
    step = alone.compile(lambda x: x + 1)
    assert step(value).numpy().tolist() == [2.0, 3.0]
    assert {operation.type for operation in step.get_concrete_function(value).graph.get_operations()} == {
        "Placeholder",
        "Const",
        "AddV2",
        "Identity",
    }


def test_a_worker_that_hears_nothing_ends(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from huanjing.training import distribution

    codes: list[int] = []
    monkeypatch.setattr(distribution.os, "_exit", codes.append)
    watch = distribution._Watch(Cluster(("a:1", "b:1"), 1), silence=0.2)
    time.sleep(0.5)
    assert not codes
    with watch.waiting():
        deadline = time.monotonic() + 60
        while not codes and time.monotonic() < deadline:
            time.sleep(0.02)
    assert codes[0] == WORKER_LOST
    assert "Worker 1 of 2: another worker has not answered for" in capfd.readouterr().err

from __future__ import annotations

import json

import pytest

from huanjing.errors import UsageError
from huanjing.training.cluster import Cluster, read_cluster

TWO = ["10.0.0.1:4711", "10.0.0.2:4711"]


def config(cluster: dict[str, list[str]], kind: str = "worker", index: int = 0) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_without_the_variable_or_with_one_worker_there_is_no_cluster() -> None:
    assert read_cluster({}) is None
    assert read_cluster({"TF_CONFIG": ""}) is None
    assert read_cluster({"TF_CONFIG": "{}"}) is None
    assert read_cluster(config({"worker": TWO[:1]})) is None


def test_worker_0_is_the_chief_unless_the_cluster_has_one() -> None:
    assert read_cluster(config({"worker": TWO})) == Cluster(tuple(TWO), 0)
    assert read_cluster(config({"worker": TWO}, index=1)) == Cluster(tuple(TWO), 1)
    named = {"chief": TWO[:1], "worker": TWO[1:]}
    assert read_cluster(config(named, "chief")) == Cluster(tuple(TWO), 0)
    assert read_cluster(config(named, "worker")) == Cluster(tuple(TWO), 1)


def test_what_a_worker_is_given_is_what_it_reads() -> None:
    for number in (0, 1):
        cluster = Cluster(tuple(TWO), number)
        assert read_cluster({"TF_CONFIG": cluster.variable()}) == cluster


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("worker 0", "malformed"),
        ('["10.0.0.1:4711"]', "Expected `object`"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "missing required field `task`"),
        (config({"worker": TWO}, index=2)["TF_CONFIG"], "number 2, and the cluster has 2"),
        (config({"worker": TWO}, "evaluator")["TF_CONFIG"], "'evaluator' number 0, and the cluster has 0"),
        (config({"worker": TWO, "ps": ["c:1"]})["TF_CONFIG"], "the job 'ps'"),
        (config({"worker": ["here", "there:1"]})["TF_CONFIG"], "'here' is not an address"),
        (config({"worker": [TWO[0], TWO[0]]})["TF_CONFIG"], "an address of its own"),
        (config({"worker": TWO}, index=-1)["TF_CONFIG"], "`int` >= 0"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_an_example(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"TF_CONFIG cannot be understood.*10\.0\.0\.2:4711") as caught:
        read_cluster({"TF_CONFIG": text})
    assert why in str(caught.value)

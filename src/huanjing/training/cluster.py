"""Which worker of several this process is, by the environment variable TF_CONFIG, as TensorFlow has it.

``{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}``: the cluster is the same for all
workers, the task each one's own. Worker 0 is the chief; where the cluster has a job ``chief``, that is worker 0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from huanjing.errors import UsageError

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:4711", "10.0.0.2:4711"]}, "task": {"type": "worker", "index": 0}}'
)


class _Task(msgspec.Struct):
    type: str
    index: Annotated[int, msgspec.Meta(ge=0)]


class _Config(msgspec.Struct):
    cluster: dict[str, list[str]]
    task: _Task


@dataclass(frozen=True)
class Cluster:
    """The workers of a training, and which of them this process is."""

    addresses: tuple[str, ...]
    """``host:port`` of each, the chief first."""
    number: int
    """This process's, from 0 on."""

    @property
    def workers(self) -> int:
        """How many there are."""
        return len(self.addresses)

    @property
    def chief(self) -> bool:
        """Whether this process is the one that writes the run folder."""
        return self.number == 0

    def variable(self) -> str:
        """What TF_CONFIG must hold for this worker."""
        task = {"type": "worker", "index": self.number}
        return msgspec.json.encode({"cluster": {"worker": self.addresses}, "task": task}).decode()


def read_cluster(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster that TF_CONFIG describes; None where it is not set, or names no other worker.

    :raises UsageError: where it cannot be understood.
    """
    text = environment.get(VARIABLE, "").strip()
    if not text or text == "{}":
        return None
    try:
        config = msgspec.json.decode(text, type=_Config)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _malformed(str(error)) from None
    strange = sorted(set(config.cluster) - {"chief", "worker"})
    if strange:
        raise _malformed(f"its cluster has the job {strange[0]!r}, and there are only 'chief' and 'worker'")
    chiefs, workers = config.cluster.get("chief", []), config.cluster.get("worker", [])
    addresses = (*chiefs, *workers)
    for address in addresses:
        if not re.fullmatch(r"[^\s:/]+:[0-9]{1,5}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}", address):
            raise _malformed(f"{address!r} is not an address such as '10.0.0.1:4711'")
    if len(set(addresses)) < len(addresses) or len(chiefs) > 1:
        raise _malformed("each worker needs an address of its own, and there is one chief at most")
    job = config.cluster.get(config.task.type, [])
    if config.task.index >= len(job):
        raise _malformed(
            f"its task is {config.task.type!r} number {config.task.index}, and the cluster has {len(job)} of these"
        )
    number = config.task.index + (len(chiefs) if config.task.type == "worker" else 0)
    return Cluster(addresses, number) if len(addresses) > 1 else None


def _malformed(why: str) -> UsageError:
    return UsageError(
        f"{VARIABLE} cannot be understood: {why}. It looks like {EXAMPLE}; unset it to train in one process."
    )

"""What every format is asked for, and gives: a job, and a way to run the file that came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from huanjing.bundle import Bundle

Format = Literal["onnx", "openvino", "saved_model", "litert"]
Precision = Literal["fp32", "fp16", "int8"]

Answers = dict[str, NDArray[Any]]
"""A network's outputs by name."""
Inputs = dict[str, NDArray[Any]]
"""A network's inputs by name: ``picture``, or a generator's ``latent``, and its ``classes`` where it knows any."""
Run = Callable[[Inputs], Answers]
"""Runs an exported network on inputs ``[1, ...]``; those that take more say so."""


@dataclass(frozen=True)
class Job:
    """One export."""

    bundle: Bundle
    precision: Precision
    calibration: NDArray[Any]
    """Pictures ``[N, ...]`` from which int8 learns the range of each value."""
    description: dict[str, str]
    """What travels with the network: labels, preprocessing, licence, origin, digest, versions."""

    @property
    def name(self) -> str:
        """The model's name, for the file."""
        return self.bundle.manifest.name


def count(inputs: Inputs) -> int:
    """How many rows there are."""
    return len(next(iter(inputs.values())))

"""What a recogniser's ``config.json`` holds: all that is needed to repeat the run."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from huanjing.bundle import GeneratedData

SCRATCH = "scratch"
"""What ``--from`` calls the small network that starts from nothing."""


class LabelledSummary(Struct, frozen=True):
    """The pictures that a run was started on."""

    folder: str
    pictures: int
    classes: list[str]
    digest: str
    """SHA-256 over the pictures as trained on, their classes and their parts."""


class RecognizerConfig(Struct, frozen=True, kw_only=True):
    """A run, whole."""

    kind: Literal["recognizer"] = "recognizer"
    start: str
    """The model that training begins with, or ``scratch``."""
    start_digest: str = ""
    """The identity of that model."""
    weights: str = ""
    """The Keras file that it was taken from, where ``--weights`` names one."""
    side: int
    """Height and width of the network's input."""
    channels: Literal[1, 3]
    seed: int
    batch: Annotated[int, Meta(gt=0)]
    epochs: Annotated[int, Meta(ge=0)] | None = None
    """At most so many passes over the training pictures; 0 fits the head alone."""
    minutes: Annotated[float, Meta(gt=0)] | None = None
    """At most so long, everything included. The schedule then follows the clock."""
    precision: Literal["float32", "mixed_bfloat16"]
    data: LabelledSummary
    add_generated: str = ""
    """The generator that ``--add-generated`` names."""
    share: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """Of the pictures of each class that are learned from, the part that it makes."""
    generated: GeneratedData | None = None
    """What it made."""
    command: str = ""
    """The command line that repeats the run."""

    @property
    def scratch(self) -> bool:
        """The network starts from nothing."""
        return self.start == SCRATCH

    @property
    def head_only(self) -> bool:
        """Only the head is fitted; the network stays as it is."""
        return not self.scratch and self.epochs == 0

"""What a generator's ``config.json`` holds: all that is needed to repeat the run."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from huanjing.generation.recipes import Recipe
from huanjing.generation.shape import Shape


class DataSummary(Struct, frozen=True):
    """The pictures that a run was started on."""

    folder: str
    pictures: int
    digest: str
    """SHA-256 over the pictures as trained on."""


class TrainedClass(Struct, frozen=True):
    """A class that the generator is told to make: the subfolder's name, and how many pictures it holds."""

    name: str
    pictures: Annotated[int, Meta(gt=0)]


class PrivateTraining(Struct, frozen=True, kw_only=True):
    """How a run keeps each of its pictures private; see :mod:`huanjing.generation.private`."""

    epsilon: Annotated[float, Meta(gt=0)]
    """The ε asked for; the whole run spends no more."""
    delta: Annotated[float, Meta(gt=0, lt=1)]
    noise_multiplier: Annotated[float, Meta(gt=0)]
    """σ: the noise's standard deviation, as a multiple of ``clip_norm``."""
    clip_norm: Annotated[float, Meta(gt=0)]
    """C: the greatest length of what one picture adds to a gradient."""
    generator_every: Annotated[int, Meta(gt=0)]
    """Updates of the discriminator in a step, each on a sample and with noise of its own."""


class GeneratorConfig(Struct, frozen=True, kw_only=True):
    """A run, whole. Exactly one of ``steps`` and ``minutes`` is given."""

    kind: Literal["generator"] = "generator"
    recipe: Recipe
    height: int
    width: int
    channels: Literal[1, 3, 4]
    seed: int
    steps: Annotated[int, Meta(gt=0)] | None = None
    minutes: Annotated[float, Meta(gt=0)] | None = None
    checkpoint_every: Annotated[int, Meta(gt=0)] | None = None
    """Steps between checkpoints; None is once a minute."""
    precision: Literal["float32", "mixed_bfloat16"]
    data: DataSummary
    classes: list[TrainedClass] = []
    """What the generator is conditional on, in the order of its one-hot input; empty where it is not."""
    augment: Literal["adaptive"] | Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """The probability of each transformation of what the discriminator sees; ``adaptive`` lets it follow."""
    mirror: bool = False
    """Whether half of the real pictures are shown as a mirror would."""
    held_out: Annotated[int, Meta(ge=0)] = 0
    """Pictures that training leaves out, to compare with."""
    until: Literal["end", "good"] | Annotated[float, Meta(gt=0)] = "end"
    """``good``: training may end before its steps or minutes, once the score no longer gets better; a number: once
    the score is that or lower."""
    private: PrivateTraining | None = None
    """None: training is not private."""
    command: str = ""
    """The command line that repeats the run."""

    @property
    def watched(self) -> bool:
        """Whether the strength of augmentation follows the scores of pictures that are held out."""
        return self.augment == "adaptive" and self.held_out > 0

    @property
    def shape(self) -> Shape:
        """The pictures' shape."""
        return Shape(self.height, self.width, self.channels)

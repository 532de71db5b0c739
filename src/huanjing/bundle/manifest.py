"""What ``model.json`` holds: all that is needed to use a model rightly.

The structures are checked on reading: a missing field, a wrong type or an unknown kind is an error that names
the place (``$.input.height``). Fields that a newer minor revision adds are ignored, so that older versions of
Huanjing keep reading; a change that they could not read raises :data:`FORMAT`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

FORMAT = 1
"""The bundle format that this version writes, and the newest that it reads."""

Positive = Annotated[int, Meta(gt=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Name = Annotated[str, Meta(pattern=NAME)]


class PictureInput(Struct, frozen=True, tag_field="type", tag="picture"):
    """A recogniser's input: pictures as uint8 NHWC, 0..255, RGB; what normalisation there is, the graph does.

    ``fit`` is how a picture of any size becomes ``height`` × ``width``: ``crop`` takes the centre, of
    ``crop_fraction`` of the longest box that has the target's shape; ``squash`` takes the whole picture; ``pad``
    takes the whole and fills the rest.
    """

    height: Positive
    width: Positive
    channels: Literal[1, 3, 4] = 3
    fit: Literal["crop", "squash", "pad"] = "crop"
    crop_fraction: Annotated[float, Meta(gt=0, le=1)] = 1.0
    resample: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] = "bilinear"
    normalisation: str = ""
    """For the reader: what the graph does with 0..255, e.g. ``(x - 127) / 128``."""


class LatentInput(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="latent"):
    """A generator's input: ``latent`` as float32 ``[N, size]``, standard normal.

    One that was taught classes also takes ``classes``, float32 ``[N, K]``, one-hot in the order of the manifest's
    classes. Its output is pictures as float32 NHWC ``[N, height, width, channels]``, -1..1; with 4 channels red, green
    and blue are multiplied by the fourth, how opaque they are.
    """

    size: Positive
    height: Positive
    width: Positive
    channels: Literal[1, 3, 4]
    frequencies: list[Annotated[float, Meta(gt=0, le=1)]] = []
    """The part of the training pictures that each class has; empty where there is no input ``classes``."""


class ClassName(Struct, frozen=True, omit_defaults=True):
    """One class that a model knows: a stable id (a WordNet id, or the folder's name) and what people call it."""

    id: str
    en: str
    zh: str = ""


class Figure(Struct, frozen=True):
    """A measured or published figure with the protocol that makes it comparable."""

    name: str
    value: float
    protocol: str


NOVELTY = "novelty.npz"
"""The file of what a recogniser stores of the pictures that it knows."""


class Novelty(Struct, frozen=True):
    """How a recogniser tells what it was not taught: by what :data:`NOVELTY` holds, and these numbers.

    A picture's novelty is (distance - ``centre``) / ``scale``: 0 is the usual known picture, above 1 is unknown.
    """

    method: str
    """``mahalanobis``: the distance is the logarithm of the squared Mahalanobis distance of the picture's features, at
    length 1, to the nearest class's mean, with one covariance for all classes.
    """
    centre: float
    scale: Annotated[float, Meta(gt=0)]
    share: Annotated[float, Meta(gt=0, lt=1)]
    """Of known pictures, the part that has a novelty of at most 1."""
    pictures: Positive
    """Validation pictures that ``centre`` and ``scale`` come from."""


class GeneratedData(Struct, frozen=True):
    """Pictures that a generator made, which a recogniser learned from beside real ones."""

    generator: str
    """Its name."""
    sha256: Sha256
    """Its identity."""
    share: Annotated[float, Meta(gt=0, lt=1)]
    """Of the pictures of each class that were learned from, the part that was generated."""
    pictures: Positive
    seeds: dict[str, str]
    """The seeds of each class, as ``huanjing generate --seeds`` takes them."""
    digest: str
    """SHA-256 over the pictures as trained on."""


class TrainingSummary(Struct, frozen=True, omit_defaults=True):
    """What the model was trained on, and the command that did it."""

    data: str
    pictures: Annotated[int, Meta(ge=0)] = 0
    classes: Annotated[int, Meta(ge=0)] = 0
    digest: str = ""
    """SHA-256 over the pictures as trained on, where known."""
    command: str = ""
    seed: int | None = None
    generated: GeneratedData | None = None
    """Pictures that a generator made, which are not among ``pictures``; None where there were none."""


class Privacy(Struct, frozen=True):
    """What a generator's training promises each of its pictures: (ε, δ)-differential privacy."""

    epsilon: Annotated[float, Meta(ge=0)]
    """Spent by all updates together."""
    delta: Annotated[float, Meta(gt=0, lt=1)]
    noise_multiplier: Annotated[float, Meta(gt=0)]
    """The noise's standard deviation, as a multiple of ``clip_norm``."""
    clip_norm: Annotated[float, Meta(gt=0)]
    """The greatest length of what one picture adds to a gradient."""
    sampling: str
    """How pictures come into a batch."""
    sampling_rate: Annotated[float, Meta(gt=0, le=1)]
    """The probability with which each does."""
    updates: Annotated[int, Meta(ge=0)]
    """Noised updates that were made."""
    adjacency: str
    """By what sets of pictures differ that the promise says cannot be told apart."""
    accountant: str
    """What reckoned ``epsilon``."""


class FileEntry(Struct, frozen=True):
    """One file of the bundle."""

    sha256: Sha256
    bytes: Annotated[int, Meta(ge=0)]


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``model.json`` as a whole."""

    format: Literal[1]
    kind: Literal["recognizer", "generator"]
    name: Name
    architecture: str
    preset: str = ""
    input: PictureInput | LatentInput
    classes: list[ClassName] = []
    temperature: Annotated[float, Meta(gt=0)] = 1.0
    """What a recogniser's logits are divided by before the softmax, fitted on validation pictures."""
    novelty: Novelty | None = None
    """None where the model cannot tell what it was not taught."""
    figures: list[Figure] = []
    training: TrainingSummary
    privacy: Privacy | None = None
    """None where training was not private."""
    licence: Annotated[str, Meta(min_length=1)]
    origin: Annotated[str, Meta(min_length=1)]
    versions: dict[str, str] = {}
    """Name and version of what made the bundle: huanjing, keras, openvino, …"""
    files: dict[str, FileEntry] = {}

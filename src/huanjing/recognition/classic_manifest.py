"""What the bundle of a converted network says of itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from huanjing.bundle import ClassName, Figure, Manifest, PictureInput, TrainingSummary
from huanjing.recognition.presets import NORMALISATION, PROTOCOL, Preset

_FIT = (
    "; pictures are squashed to the input's size as Keras's load_img does, but bilinear with antialiasing, where "
    "load_img picks the nearest pixels: a picture then counts as a whole, however large it is"
)
"""How pictures of other sizes come to the input's, and why so."""


@dataclass(frozen=True)
class Source:
    """The file that weights come from, and whether it is the official one (None: Keras states no hash)."""

    file: str
    digest: str
    official: bool | None


def source_of(preset: Preset, weights: Path) -> Source:
    """Tell the official file by its hash."""
    method = "sha256" if preset.hash and len(preset.hash) == 64 else "md5"
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, method).hexdigest()
    named = None if preset.hash is None and weights.name == preset.file else False
    return Source(weights.name, f"{method} {digest}", True if digest == preset.hash else named)


def manifest_of(
    preset: Preset,
    source: Source,
    name: str,
    classes: list[ClassName],
    imagenet: bool,
    differences: tuple[float, float],
) -> Manifest:
    """The manifest, still without files.

    :param imagenet: the classes are ImageNet's 1,000, which the published figures are about.
    :param differences: the largest from Keras in float32, and with kernels in float16.
    """
    figures = []
    if source.official is not False and imagenet:
        stated = (("imagenet_top1", preset.top1), ("imagenet_top5", preset.top5))
        figures += [Figure(key, value, PROTOCOL) for key, value in stated if value is not None]
    against = (
        "largest difference from Keras on photographs of the package, share of an output's spread, float32"
    )
    figures.append(Figure("difference_float32", float(f"{differences[0]:.3g}"), against))
    figures.append(
        Figure("difference_float16", float(f"{differences[1]:.3g}"), against + ", kernels in float16")
    )
    origin = {
        True: f"The official file of keras.applications.{preset.keras}, {preset.url}",
        None: f"A file of the official name of keras.applications.{preset.keras}; Keras states no hash to tell by",
        False: f"One's own weights for keras.applications.{preset.keras}, not the official ones",
    }[source.official]
    return Manifest(
        format=1,
        kind="recognizer",
        name=name,
        architecture=preset.name,
        preset=preset.name,
        input=PictureInput(
            height=preset.side,
            width=preset.side,
            fit="squash",
            resample="bilinear",
            normalisation=NORMALISATION[preset.preprocessing] + _FIT,
        ),
        classes=classes,
        figures=figures,
        training=TrainingSummary(
            data="one's own; see origin" if source.official is False else preset.training,
            classes=len(classes),
        ),
        licence="the weights' owner decides" if source.official is False else preset.licence,
        origin=f"{origin} ({source.file}, {source.digest}); converted with kernels in float16.",
        versions={part: _version(part) for part in ("huanjing", "keras", "tensorflow", "openvino")},
    )


def _version(package: str) -> str:
    for name in (package, f"{package}-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"

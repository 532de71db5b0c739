"""From a trained recogniser to a bundle: its classes, its figures, its temperature, and what it learned from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.bundle import Bundle, ClassName, Figure, Manifest, PictureInput, TrainingSummary, write_bundle
from huanjing.bundle.folder import GRAPH, MANIFEST
from huanjing.errors import BundleError
from huanjing.images import fit
from huanjing.recognition.config import RecognizerConfig
from huanjing.recognition.dataset import LabelledPictures
from huanjing.recognition.novelty import FittedNovelty
from huanjing.runtime.silent import ov

REFERENCES = 4
TOLERANCE = 0.1
"""How far a logit of the graph as written, with kernels in float16, may lie from the one in float32, as a share of the
logits' own spread (and never less than 1)."""


@dataclass(frozen=True)
class Description:
    """What the manifest says beside the configuration."""

    architecture: str
    name: str
    figures: Sequence[Figure]
    temperature: float = 1.0
    origin: str = ""
    normalisation: str = ""
    licence: str = "the pictures' owner decides"


def write_recognizer(
    folder: Path,
    config: RecognizerConfig,
    description: Description,
    pictures: NDArray[np.uint8],
    save: Callable[[Path], ov.Model],
) -> Bundle:
    """Write a bundle.

    :param pictures: some pictures, NHWC uint8 of the input's shape, for the reference.
    :param save: writes the graph to the path given, and returns it as it was in float32.
    :raises BundleError: where the graph as written does not compute what it should.
    """

    def write_files(aside: Path) -> None:
        exact = save(aside / GRAPH)
        expected = _logits(exact, pictures)
        written = _logits(ov.Core().read_model(aside / GRAPH), pictures)
        difference = float(np.abs(written - expected).max())
        allowed = TOLERANCE * max(1.0, float(expected.std()))
        if not difference <= allowed:
            raise BundleError(
                f"{folder}: the network as written gives logits that differ by {difference:.3g}, and at most "
                f"{allowed:.3g} is allowed; the model was not written. Please report this."
            )
        np.savez(aside / "reference.npz", input=pictures, output=written)

    manifest = Manifest(
        format=1,
        kind="recognizer",
        name=description.name,
        architecture=description.architecture,
        preset=Path(config.start).name,
        input=PictureInput(
            config.side,
            config.side,
            config.channels,
            normalisation=description.normalisation,
        ),
        classes=[ClassName(name, name) for name in config.data.classes],
        temperature=description.temperature,
        figures=list(description.figures),
        training=TrainingSummary(
            data=config.data.folder,
            pictures=config.data.pictures,
            classes=len(config.data.classes),
            digest=config.data.digest,
            command=config.command,
            seed=config.seed,
            generated=config.generated,
        ),
        licence=description.licence,
        origin=description.origin,
        versions={part: found for part in ("huanjing", "keras", "openvino") if (found := _version(part))},
    )
    return write_bundle(folder, manifest, write_files)


def describe_again(
    bundle: Bundle, *, temperature: float, figures: Sequence[Figure], novelty: FittedNovelty
) -> Bundle:
    """Give a bundle that was just written what was measured with it: temperature, figures, and what is known to it."""
    manifest = msgspec.structs.replace(
        bundle.manifest, temperature=temperature, figures=list(figures), novelty=novelty.told
    )

    def copy(aside: Path) -> None:
        for path in bundle.folder.iterdir():
            if path.name != MANIFEST:
                (aside / path.name).write_bytes(path.read_bytes())
        novelty.save(aside)

    return write_bundle(bundle.folder, manifest, copy)


def reference_pictures(config: RecognizerConfig, data: LabelledPictures) -> NDArray[np.uint8]:
    """The first validation pictures, at the size of the network's input."""
    found = []
    for position in data.positions("val")[:REFERENCES]:
        pixels = data.pictures.array[position]
        picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        picture = picture.convert("L" if config.channels == 1 else "RGB")
        fitted = np.asarray(fit(picture, config.side, config.side, mode="crop"))
        found.append(fitted.reshape(config.side, config.side, config.channels))
    return np.stack(found)


def saver(graph: ov.Model) -> Callable[[Path], ov.Model]:
    """What writes a graph as it is."""

    def save(path: Path) -> ov.Model:
        ov.save_model(graph, path, compress_to_fp16=False)
        return graph

    return save


def _logits(graph: ov.Model, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    compiled = ov.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled(pictures)["logits"], np.float32)


def _version(package: str) -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version(package)
    return ""

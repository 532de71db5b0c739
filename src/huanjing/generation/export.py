"""From a trained network to a bundle that OpenVINO runs: the averaged generator, in half precision."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import (
    Bundle,
    ClassName,
    Figure,
    LatentInput,
    Manifest,
    TrainingSummary,
    write_bundle,
)
from huanjing.errors import BundleError
from huanjing.generation.budget import privacy_spent
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.networks import build_generator, call
from huanjing.runtime.engine import core
from huanjing.runtime.generator import latents
from huanjing.runtime.silent import converting, ov

REFERENCES = 8
TOLERANCE = 0.02
"""How far a picture from the bundle may lie from what Keras computes in float32, of -1..1: two and a half steps of 255.
Weights are stored in half precision where that stays within it, else as they are."""


def export_generator(
    folder: Path,
    config: GeneratorConfig,
    generator: keras.Model,
    *,
    name: str,
    licence: str = "the pictures' owner decides",
    origin: str = "trained with huanjing train generator",
    data: str | None = None,
    figures: Sequence[Figure] = (),
    keep_weights: bool = True,
) -> Bundle:
    """Write ``generator`` as a bundle.

    :param data: what the pictures were, for the reader; the folder's name unless told.
    :param keep_weights: also store the float32 weights, from which training can go on.
    :raises BundleError: where what OpenVINO computes differs from Keras by more than :data:`TOLERANCE`.
    """
    count = len(config.classes)
    plain = build_generator(config.recipe, config.shape, "float32", config.seed, count)
    plain.set_weights(generator.get_weights())
    given = {"latent": latents(range(REFERENCES), config.recipe.latent)}
    if count:
        given["classes"] = np.eye(count, dtype=np.float32)[np.arange(REFERENCES) % count]
    expected = np.asarray(call(plain, given["latent"], given.get("classes")))

    def write_files(aside: Path) -> None:
        graph = to_openvino(plain)
        made = _run(graph, given)
        difference = float(np.abs(made - expected).max())
        if not difference <= TOLERANCE:
            raise BundleError(
                f"{folder}: the exported graph differs from the trained network by {difference:.4f}, "
                f"and at most {TOLERANCE} is allowed; the model was not written. Please report this."
            )
        ov.save_model(graph, aside / "graph.xml", compress_to_fp16=True)
        halved = _run(core().read_model(aside / "graph.xml"), given)
        if not np.abs(halved - expected).max() <= TOLERANCE:
            # Weights that half precision is too coarse for: a file of twice the size, and the pictures of the training.
            ov.save_model(graph, aside / "graph.xml", compress_to_fp16=False)
        np.savez(aside / "reference.npz", allow_pickle=False, **given, picture=expected)
        if keep_weights:
            plain.save_weights(aside / "weights.weights.h5")

    shape = config.shape
    whole = sum(each.pictures for each in config.classes)
    manifest = Manifest(
        format=1,
        kind="generator",
        name=name,
        architecture=config.recipe.generator,
        preset=config.recipe.name,
        input=LatentInput(
            config.recipe.latent,
            shape.height,
            shape.width,
            config.channels,
            [each.pictures / whole for each in config.classes],
        ),
        classes=[ClassName(each.name, each.name) for each in config.classes],
        figures=list(figures),
        training=TrainingSummary(
            data=data or Path(config.data.folder).name,
            pictures=config.data.pictures,
            classes=count,
            # It would tell for certain whether a set is the one: more than private training promises.
            digest=config.data.digest if config.private is None else "",
            command=config.command,
            seed=config.seed,
        ),
        privacy=None if config.steps is None else privacy_spent(config, config.steps),
        licence=licence,
        origin=origin,
        versions={package: _version(package) for package in ("huanjing", "keras", "tensorflow", "openvino")},
    )
    return write_bundle(folder, manifest, write_files)


def to_openvino(network: keras.Model) -> ov.Model:
    """The network as a graph with input ``latent``, ``classes`` too where it knows any, and output ``picture``.

    float32, batch free.
    """
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place) / "graph.xml")
        with contextlib.redirect_stdout(io.StringIO()), converting():
            network.export(path, format="openvino", verbose=False)
        # Cloned, so that the numbers are in memory when the file goes.
        exported = ov.Core().read_model(path).clone()
    # Resizing leaves sizes among the outputs, which nobody needs.
    pictures = next(
        output for output in exported.outputs if output.get_partial_shape().rank.get_length() == 4
    )
    graph = ov.Model([pictures], exported.get_parameters(), "generator")
    for given in graph.inputs:
        given.get_tensor().set_names({"classes" if "classes" in given.get_any_name() else "latent"})
    graph.output().get_tensor().set_names({"picture"})
    return graph


def _run(graph: ov.Model, given: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    compiled = ov.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    pictures: NDArray[np.float32] = np.array(compiled(given)[0])
    return pictures


def _version(package: str) -> str:
    for name in (package, f"{package}-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"

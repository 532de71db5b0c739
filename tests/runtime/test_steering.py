"""Ways through a latent space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from huanjing import Generator
from huanjing.runtime import latents
from huanjing.runtime.steering import class_path, find_directions, latent_path, slerp

if TYPE_CHECKING:
    import keras

    from huanjing.bundle import Bundle


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator()


def test_the_arc_keeps_the_length_that_a_line_would_lose() -> None:
    start, end = np.eye(2, dtype=np.float32) * 3
    arc = slerp(start, end, np.linspace(0, 1, 5, dtype=np.float32))
    np.testing.assert_allclose(np.linalg.norm(arc, axis=1), 3, rtol=1e-5)
    np.testing.assert_allclose(arc[2], [3 / 2**0.5] * 2, rtol=1e-5)
    np.testing.assert_allclose(arc[[0, -1]], [start, end], atol=1e-5)


@pytest.mark.parametrize("end", [[2.0, 0.0], [-2.0, 0.0], [0.0, 0.0]], ids=["same way", "opposite", "zero"])
def test_ends_without_an_arc_are_joined_by_a_line(end: list[float]) -> None:
    path = slerp(np.float32([1, 0]), np.float32(end), np.float32([0, 0.5, 1]))
    np.testing.assert_allclose(path, [[1, 0], [(1 + end[0]) / 2, end[1] / 2], end], atol=1e-6)


def test_a_path_stops_at_every_stop() -> None:
    stops = latents([1, 2, 3], 16)
    path = latent_path(stops, 5)
    assert path.shape == (11, 16)
    np.testing.assert_allclose(path[::5], stops, atol=1e-5)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.max() < 2 * steps.min()


def test_classes_change_evenly_along_a_path() -> None:
    path = class_path(np.eye(2, dtype=np.float32), 4)
    np.testing.assert_allclose(path[:, 1], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(path.sum(axis=1), 1)
    assert class_path(None, 4) is None


def test_directions_are_orthonormal_and_ordered_by_what_they_change(generator: Generator) -> None:
    found, strengths = find_directions(generator.bundle)
    assert found.shape == (64, 64)
    np.testing.assert_allclose(found @ found.T, np.eye(64), atol=1e-4)
    assert (np.diff(strengths) <= 0).all()
    z, classes = latents(range(32), 64), generator.class_rows(range(32))
    before = generator.pictures(z, classes)
    changes = [
        np.square(generator.pictures(z + 2 * row, classes) - before).mean()
        for row in found[[0, 1, 2, -3, -2, -1]]
    ]
    assert min(changes[:3]) > 5 * max(changes[3:])


@pytest.mark.training
def test_directions_of_layers_that_are_known(tmp_path: Path) -> None:
    """The directions are the singular vectors of the weights that take the latent, but for those that draw grain."""
    import keras

    z = keras.Input((3,), name="latents")
    dense, style, grain = (keras.layers.Dense(16) for _ in range(3))
    styled = keras.layers.Multiply()([keras.layers.LeakyReLU()(dense(z)), style(z)])
    grained = keras.layers.Add()([styled, keras.ops.sin(grain(z))])
    network = keras.Model(z, keras.layers.Reshape((4, 4, 1))(grained))
    check_directions(bundle_of(network, tmp_path), [dense, style])


@pytest.mark.training
def test_directions_of_a_modulated_generator(tmp_path: Path) -> None:
    import keras

    from huanjing.generation.networks import modulated
    from huanjing.generation.shape import Shape

    network = modulated.generator(Shape(8, 8, 1), 3, (8, 4), "float32")
    takers = [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense) and layer.trainable and layer.input is network.inputs[0]
    ]
    assert len(takers) == 2
    check_directions(bundle_of(network, tmp_path), takers)


def bundle_of(network: keras.Model, folder: Path) -> Bundle:
    import openvino as ov

    from huanjing.bundle import LatentInput, Manifest, TrainingSummary, write_bundle
    from huanjing.generation.export import to_openvino

    graph = to_openvino(network)
    manifest = Manifest(
        format=1, kind="generator", name="known", architecture="dense",
        input=LatentInput(network.input_shape[1], *network.output_shape[1:]),
        training=TrainingSummary("none"), licence="none", origin="a test",
    )  # fmt: skip
    return write_bundle(
        folder / "model", manifest, lambda aside: ov.save_model(graph, aside / "graph.xml", False)
    )


def check_directions(bundle: Bundle, takers: list[keras.layers.Dense]) -> None:
    """They are the singular vectors of the weights of ``takers``, one above the other."""
    found, strengths = find_directions(bundle)
    first = np.concatenate([np.asarray(layer.kernel).T for layer in takers])
    _, values, rows = np.linalg.svd(first, full_matrices=False)
    np.testing.assert_allclose(strengths, values, rtol=1e-4)
    np.testing.assert_allclose(np.abs(found @ rows.T), np.eye(3), atol=1e-3)

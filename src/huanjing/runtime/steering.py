"""Moving about in a latent space: from one picture to another, and along directions found without labels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
from huanjing.errors import BundleError
from huanjing.runtime.engine import core
from huanjing.runtime.silent import ov


def slerp(
    start: NDArray[np.float32], end: NDArray[np.float32], parts: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Latents ``[len(parts), size]`` on the arc from ``start`` (part 0) to ``end`` (part 1), both ``[size]``.

    Normal latents of many dimensions all lie about √size from zero; a straight line would leave that shell half way,
    the arc stays in it (Shoemake, "Animating rotation with quaternion curves", 1985; White, "Sampling generative
    networks", 2016). Lengths go evenly from one to the other, so that any two latents can be joined.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    line = start + parts[:, None] * (end - start)
    if min(lengths) == 0:
        return line.astype(np.float32)
    angle = np.arccos(np.clip(start @ end / (lengths[0] * lengths[1]), -1, 1))
    if not 1e-4 < angle < np.pi - 1e-4:
        return line.astype(np.float32)
    arc = np.sin((1 - parts) * angle)[:, None] * (start / lengths[0])
    arc = arc + np.sin(parts * angle)[:, None] * (end / lengths[1])
    length = lengths[0] + parts * (lengths[1] - lengths[0])
    return np.asarray(arc / np.sin(angle) * length[:, None], np.float32)


def latent_path(stops: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Latents from each of ``stops`` ``[N, size]`` to the next by :func:`slerp`: ``frames`` for each pair.

    The first of each pair is a stop itself; the last stop ends the path: ``[(N - 1) · frames + 1, size]``.
    """
    parts = np.arange(frames, dtype=np.float32) / np.float32(frames)
    legs = [slerp(start, end, parts) for start, end in pairwise(stops)]
    return np.concatenate([*legs, stops[-1:]])


def class_path(stops: NDArray[np.float32] | None, frames: int) -> NDArray[np.float32] | None:
    """Classes ``[N, K]`` along the same path, evenly mixed from one stop to the next; None stays None."""
    if stops is None:
        return None
    parts = np.arange(frames, dtype=np.float32)[:, None] / frames
    return np.concatenate([*(start + parts * (end - start) for start, end in pairwise(stops)), stops[-1:]])


def find_directions(bundle: Bundle) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The latent directions that move the generator's first layers most, most first: unit rows, and how much each does.

    They are the eigenvectors of AᵀA, where A holds the weights of all linear layers that take the latent: SeFa's closed
    form (Shen and Zhou, "Closed-form factorization of latent semantics in GANs", CVPR 2021), and, since latents are
    normal, the principal components of these layers' activations too (Härkönen and others, "GANSpace", NeurIPS 2020).
    The largest part of each is positive, so that a direction does not turn round.

    :returns: ``[D, size]`` and the singular values ``[D]``; D is the latent's size, or the layer's where that is less.
    :raises BundleError: where the latent does not go into a linear layer first.
    """
    weights = _first_layers(bundle)
    _, values, rows = np.linalg.svd(weights.astype(np.float64), full_matrices=False)
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])
    return (rows * signs[:, None]).astype(np.float32), values.astype(np.float32)


def _first_layers(bundle: Bundle) -> NDArray[np.float32]:
    """A of the linear layers that take the latent, ``[units, size]``: how they change with each of its numbers."""
    try:
        graph = core().read_model(bundle.graph)
        products = _next_products(graph.input("latent").get_node())
        if products:
            outputs = [product.output(0) for product in products]
            compiled = core().compile_model(
                ov.Model(outputs, graph.get_parameters()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
            )
    except RuntimeError as error:
        raise BundleError(f"{bundle.folder}: OpenVINO cannot use this graph: {error}") from error
    if not products:
        raise BundleError(
            f"{bundle.folder}: the latent does not go into a linear layer first, so that no directions can be found."
        )
    size = bundle.latent_input.size
    steps = np.concatenate([np.zeros((1, size), np.float32), np.eye(size, dtype=np.float32)])
    given = {"latent": steps}
    if bundle.latent_input.frequencies:
        given["classes"] = np.zeros((len(steps), len(bundle.latent_input.frequencies)), np.float32)
    answers = np.concatenate([each.reshape(len(steps), -1) for each in compiled(given).values()], axis=1)
    return np.asarray((answers[1:] - answers[0]).T, np.float32)


def _next_products(node: ov.Node) -> list[ov.Node]:
    """The first matrix products that ``node`` goes into, through what only joins or reshapes.

    Not those whose sine is taken: they only draw the grain (``generation/networks/modulated.py``), and no direction
    means anything to them.
    """
    following = _uses(node, {"Concat", "Reshape", "Convert"})
    products = [each for each in following if each.get_type_name() == "MatMul"]
    return [
        each
        for each in products
        if all(use.get_type_name() != "Sin" for use in _uses(each, {"Add", "Reshape", "Convert"}))
    ]


def _uses(node: ov.Node, through: set[str]) -> list[ov.Node]:
    """What takes ``node``, or what nodes of the kinds ``through`` make of it."""
    reached, found = [node], []
    while reached:
        following = [use.get_node() for each in reached for use in each.output(0).get_target_inputs()]
        found += [each for each in following if each.get_type_name() not in through]
        reached = [each for each in following if each.get_type_name() in through]
    return found

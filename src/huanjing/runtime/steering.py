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
    """The latent directions that move the generator's first layer most, most first: unit rows, and how much each does.

    They are the eigenvectors of AᵀA, where A holds the first layer's weights: SeFa's closed form (Shen and Zhou,
    "Closed-form factorization of latent semantics in GANs", CVPR 2021), and, since latents are normal, the principal
    components of that layer's activations too (Härkönen and others, "GANSpace", NeurIPS 2020). The largest part of
    each is positive, so that a direction does not turn round.

    :returns: ``[D, size]`` and the singular values ``[D]``; D is the latent's size, or the layer's where that is less.
    :raises BundleError: where the latent does not go into a linear layer first.
    """
    weights = _first_layer(bundle)
    _, values, rows = np.linalg.svd(weights.astype(np.float64), full_matrices=False)
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])
    return (rows * signs[:, None]).astype(np.float32), values.astype(np.float32)


def _first_layer(bundle: Bundle) -> NDArray[np.float32]:
    """A of the first linear layer, ``[units, size]``: how its output changes with each of the latent's numbers."""
    try:
        graph = core().read_model(bundle.graph)
        layer = _next_product(graph.input("latent").get_node())
        if layer is not None:
            inputs = graph.get_parameters()
            compiled = core().compile_model(
                ov.Model([layer.output(0)], inputs), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
            )
    except RuntimeError as error:
        raise BundleError(f"{bundle.folder}: OpenVINO cannot use this graph: {error}") from error
    if layer is None:
        raise BundleError(
            f"{bundle.folder}: the latent does not go into a linear layer first, so that no directions can be found."
        )
    size = bundle.latent_input.size
    steps = np.concatenate([np.zeros((1, size), np.float32), np.eye(size, dtype=np.float32)])
    given = {"latent": steps}
    if bundle.latent_input.frequencies:
        given["classes"] = np.zeros((len(steps), len(bundle.latent_input.frequencies)), np.float32)
    answers = np.array(compiled(given)[0]).reshape(len(steps), -1)
    return np.asarray((answers[1:] - answers[0]).T, np.float32)


def _next_product(node: ov.Node) -> ov.Node | None:
    """The first matrix product that ``node`` goes into, through what only joins or reshapes."""
    reached = [node]
    while reached:
        following = [use.get_node() for each in reached for use in each.output(0).get_target_inputs()]
        for each in following:
            if each.get_type_name() == "MatMul":
                return each
        reached = [each for each in following if each.get_type_name() in {"Concat", "Reshape", "Convert"}]
    return None

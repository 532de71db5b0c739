"""Generation: seeds in, pictures out, without the libraries that trained the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from os import PathLike

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from huanjing.bundle import Bundle, find_model
from huanjing.images import to_uint8
from huanjing.runtime.engine import Precision, compile_graph

BATCH = 32
"""Pictures per inference. Fixed, so that a picture never depends on how many are asked for."""


class Generator:
    """A generator, ready to use.

    >>> Generator().generate([7, 8]).shape                # the embedded network, pictures of seeds 7 and 8
    (2, 28, 28, 1)

    :param model: a name, or the path of a bundle or run folder; None is the embedded model.
    :raises ModelNotFoundError, BundleError: where the model cannot be had or used.
    """

    def __init__(
        self, model: str | PathLike[str] | Bundle | None = None, *, precision: Precision = "f32"
    ) -> None:
        self.bundle = model if isinstance(model, Bundle) else find_model(model, "generator")
        self.precision: Precision = precision
        self.latent = self.bundle.latent_input

    def generate(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """The pictures of ``seeds``: NHWC uint8, 0..255. Each depends on its own seed alone."""
        batches = [to_uint8(batch) for batch in self._batches(latents(seeds, self.latent.size))]
        if not batches:
            return np.empty((0, self.latent.height, self.latent.width, self.latent.channels), np.uint8)
        return np.concatenate(batches)

    def pictures(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """The pictures of given latents ``[N, size]``: NHWC float32, about -1..1."""
        return np.concatenate(list(self._batches(latent)))

    def _batches(self, latent: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(latent), BATCH):
            chunk = latent[start : start + BATCH]
            padded = np.zeros((BATCH, self.latent.size), np.float32)
            padded[: len(chunk)] = chunk
            yield np.array(self._compiled(padded)[0][: len(chunk)])

    @cached_property
    def _compiled(self) -> ov.CompiledModel:
        return compile_graph(self.bundle, outputs=("picture",), batch=BATCH, precision=self.precision)


def latents(seeds: Sequence[int], size: int) -> NDArray[np.float32]:
    """Standard normal latents ``[N, size]``, row k drawn from ``seeds[k]`` alone (Philox, counter-based)."""
    rows = [
        np.random.Generator(np.random.Philox(key=seed % 2**64)).standard_normal(size, np.float32)
        for seed in seeds
    ]
    return np.stack(rows) if rows else np.empty((0, size), np.float32)

"""Generation: seeds in, pictures out, without the libraries that trained the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle, ClassName, find_model
from huanjing.errors import UsageError
from huanjing.images import to_uint8, unpremultiply
from huanjing.runtime.engine import Precision, compile_graph
from huanjing.runtime.silent import ov

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

    @property
    def classes(self) -> list[ClassName]:
        """What this generator can be told to make, in order; empty where it was taught no classes."""
        return self.bundle.manifest.classes if self.latent.frequencies else []

    def generate(
        self, seeds: Sequence[int], class_: str | int | None = None, *, truncation: float = 1.0
    ) -> NDArray[np.uint8]:
        """The pictures of ``seeds``: NHWC uint8, 0..255. Each depends on its own seed, and class, alone.

        With 4 channels the colours are as PNG stores them, not multiplied by their opacity.

        :param class_: the class's id, name or position. Without it, the classes come as often as in training, each
            seed with a class of its own.
        :param truncation: what latents are multiplied by: below 1 they move towards their mean, which is zero, and
            the pictures towards what is usual.
        :raises UsageError: where the generator does not know the class.
        """
        latent = latents(seeds, self.latent.size) * np.float32(truncation)
        return self.draw(latent, self.class_rows(seeds, class_))

    def draw(
        self, latent: NDArray[np.float32], classes: NDArray[np.float32] | None = None
    ) -> NDArray[np.uint8]:
        """The finished pictures of given latents ``[N, size]``: NHWC uint8, 0..255, as :meth:`generate` gives them."""
        made = [unpremultiply(to_uint8(batch)) for batch in self._batches(latent, classes)]
        if not made:
            return np.empty((0, self.latent.height, self.latent.width, self.latent.channels), np.uint8)
        return np.concatenate(made)

    def pictures(
        self, latent: NDArray[np.float32], classes: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """The pictures of given latents ``[N, size]``: NHWC float32, about -1..1, premultiplied where transparent.

        :param classes: for a generator that was taught classes, ``[N, K]``: one-hot as :meth:`class_rows` gives them,
            or mixtures whose parts make 1.
        :raises UsageError: where these are missing, or not wanted.
        """
        expected = (len(latent), len(self.classes)) if self.classes else None
        if (None if classes is None else classes.shape) != expected:
            received = "none" if classes is None else f"shape {classes.shape}"
            raise UsageError(
                f"{self.bundle.manifest.name} takes {f'classes of shape {expected}' if expected else 'no classes'}, "
                f"and was given {received}."
            )
        return np.concatenate(list(self._batches(latent, classes)))

    def class_rows(self, seeds: Sequence[int], class_: str | int | None = None) -> NDArray[np.float32] | None:
        """One-hot classes ``[N, K]`` for ``seeds``, as :meth:`generate` takes them; None where there are none."""
        if not self.classes and class_ is None:
            return None
        if class_ is None:
            positions = seed_classes(seeds, self.latent.frequencies)
        else:
            positions = np.full(len(seeds), self.class_position(class_))
        return np.eye(len(self.classes), dtype=np.float32)[positions]

    def class_position(self, class_: str | int) -> int:
        """The position of a class that is named by its id, its English or Chinese name, or by its position.

        :raises UsageError: where there is none, with those that there are.
        """
        known = self.classes
        if isinstance(class_, int) and 0 <= class_ < len(known):
            return class_
        wanted = str(class_).casefold()
        for position, each in enumerate(known):
            if wanted in {each.id.casefold(), each.en.casefold(), each.zh.casefold()} - {""}:
                return position
        model = self.bundle.manifest.name
        if not known:
            raise UsageError(f"{model} was taught no classes, so that {class_!r} cannot be asked of it.")
        names = [each.id for each in known]
        near = get_close_matches(str(class_), names, n=8, cutoff=0.5) if len(names) > 20 else names
        said = f"Its classes are: {', '.join(names)}." if near is names else f"Near to it: {', '.join(near)}."
        raise UsageError(
            f"{model} has no class {class_!r} among its {len(names)}. {said if near else 'None is like it.'}"
        )

    def _batches(
        self, latent: NDArray[np.float32], classes: NDArray[np.float32] | None
    ) -> Iterator[NDArray[np.float32]]:
        given = {"latent": latent} | ({} if classes is None else {"classes": classes})
        for start in range(0, len(latent), BATCH):
            count = len(latent[start : start + BATCH])
            padded = {}
            for name, rows in given.items():
                padded[name] = np.zeros((BATCH, rows.shape[1]), np.float32)
                padded[name][:count] = rows[start : start + BATCH]
            yield np.array(self._compiled(padded)[0][:count])

    @cached_property
    def _compiled(self) -> ov.CompiledModel:
        return compile_graph(self.bundle, outputs=("picture",), batch=BATCH, precision=self.precision)


def seed_classes(seeds: Sequence[int], frequencies: Sequence[float]) -> NDArray[np.int64]:
    """The class of each seed ``[N]``, as often as ``frequencies`` say; drawn independently of the seed's latent."""
    bounds = np.cumsum(frequencies) / np.sum(frequencies)
    draws = [np.random.Generator(np.random.Philox(key=2**64 + seed % 2**64)).random() for seed in seeds]
    return np.minimum(np.searchsorted(bounds, draws, side="right"), len(bounds) - 1).astype(np.int64)


def latents(seeds: Sequence[int], size: int) -> NDArray[np.float32]:
    """Standard normal latents ``[N, size]``, row k drawn from ``seeds[k]`` alone (Philox, counter-based)."""
    rows = [
        np.random.Generator(np.random.Philox(key=seed % 2**64)).standard_normal(size, np.float32)
        for seed in seeds
    ]
    return np.stack(rows) if rows else np.empty((0, size), np.float32)

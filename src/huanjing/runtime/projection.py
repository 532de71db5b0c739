"""Projection: the latent whose picture is nearest to a given one, by pixels and by what a recogniser sees.

Many random pictures first, then damped Gauss-Newton steps from the nearest of them (Levenberg, 1944; Marquardt, 1963):
a small generator's derivatives cost no more than two pictures for each number of the latent, so they are taken by
differences, through the engine that also draws, and nothing that trains is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from huanjing.images import to_uint8, write_atomically
from huanjing.runtime.engine import cache_folder
from huanjing.runtime.generator import Generator, latents
from huanjing.runtime.recognizer import Recognizer

POOL = 4096
"""Random pictures among which the search begins."""
FIRST_SEED = 2**48
"""Their first seed: out of the way of those that people use."""
STARTS = 6
EARLY_STEPS = 5
KEPT = 2
STEPS = 20
FEATURE_STEPS = 3
OWN = 4
"""Pictures of the generator that are projected once for each model, to know how near it comes to what it can make."""
NEIGHBOURS = 64
"""Pictures of the pool whose distance to their nearest in the pool is the other yardstick."""
PRIOR = 1e-3
"""The weight of the latent's length: what pixels do not decide stays as likely as can be."""
DIFFERENCE = 0.05
_ENOUGH = 1e-3
"""Steps end where they gain less than this part of what remains."""

Array = NDArray[np.float32]
Residuals = Callable[[Array], Array]
"""Latents ``[N, size]`` to what is left of the difference, ``[N, M]``; the sum of its squares is the distance."""


@dataclass(frozen=True)
class Yardsticks:
    """Distances that tell what a distance means, for one generator."""

    own: tuple[float, ...]
    """What remains where the picture is the generator's own: how well the search works."""
    neighbours: tuple[float, ...]
    """From generated pictures to the nearest of :data:`POOL` others."""


@dataclass(frozen=True)
class Projection:
    """What was found. Distances are 0 for equal pictures and 1 for what two random ones of the generator have
    between them: half of it by pixels, half by features.
    """

    latent: Array
    classes: Array | None
    picture: NDArray[np.uint8]
    """The picture of the latent, HWC uint8."""
    distance: float
    pixel_distance: float
    feature_distance: float
    random_distance: float
    """Of the nearest among :data:`POOL` random pictures."""
    yardsticks: Yardsticks

    @property
    def percentile(self) -> float:
        """How many of 100 generated pictures have a nearer neighbour among the pool than this picture has now."""
        nearer = sum(value < self.distance for value in self.yardsticks.neighbours)
        return 100 * nearer / len(self.yardsticks.neighbours)

    @property
    def found(self) -> bool:
        """Whether it came as near as the generator's own pictures come, give or take a factor of three."""
        return self.distance <= 3 * max(self.yardsticks.own)


class Projector:
    """Projects pictures into one generator; what does not depend on the picture is computed once."""

    def __init__(self, generator: Generator, recognizer: Recognizer, class_: str | None = None) -> None:
        self.generator = generator
        self.recognizer = recognizer
        self.class_ = class_

    def project(self, picture: Array) -> Projection:
        """Find the latent for a picture.

        :param picture: HWC float32, -1..1, of the generator's size and channels, premultiplied where transparent.
        """
        latent, classes, random = self._search(picture)
        made = self.generator.pictures(latent[None], None if classes is None else classes[None])
        pixel, feature = self._distances(made, picture)
        return Projection(
            latent,
            classes,
            self.generator.draw(latent[None], None if classes is None else classes[None])[0],
            (pixel + feature) / 2,
            pixel,
            feature,
            random,
            self.yardsticks,
        )

    @cached_property
    def yardsticks(self) -> Yardsticks:
        """The generator's yardsticks, from the cache where they were measured before."""
        search = (POOL, STARTS, EARLY_STEPS, KEPT, STEPS, FEATURE_STEPS, OWN, NEIGHBOURS)
        models = (self.generator.bundle.digest, self.recognizer.bundle.digest, self.class_)
        key = hashlib.sha256(repr((models, search)).encode()).hexdigest()
        path = cache_folder() / "projection" / f"{key}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(path.read_text(encoding="utf-8"))
            return Yardsticks(tuple(map(float, stored["own"])), tuple(map(float, stored["neighbours"])))
        measured = Yardsticks(tuple(self._own()), tuple(self._neighbours()))
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(
                path, json.dumps({"own": measured.own, "neighbours": measured.neighbours}).encode()
            )
        return measured

    def _own(self) -> list[float]:
        seeds = range(FIRST_SEED + POOL, FIRST_SEED + POOL + OWN)
        rows = self.generator.class_rows(seeds, self.class_)
        remaining = []
        for picture in self.generator.pictures(latents(seeds, self.generator.latent.size), rows):
            latent, classes, _ = self._search(picture)
            made = self.generator.pictures(latent[None], None if classes is None else classes[None])
            remaining.append(sum(self._distances(made, picture)) / 2)
        return remaining

    def _neighbours(self) -> list[float]:
        pictures = self._pool[2]
        distances = []
        for k in range(NEIGHBOURS):
            picture = pictures[k].astype(np.float32)
            apart = _apart(pictures, picture)
            apart[k] = np.inf
            distances.append(sum(self._distances(pictures[apart.argmin()][None], picture)) / 2)
        return distances

    def _search(self, picture: Array) -> tuple[Array, Array | None, float]:
        """The latent, its class, and the distance of the nearest random picture."""
        pool, rows, pictures = self._pool
        order = _apart(pictures, picture).argsort()[:STARTS]
        random = sum(self._distances(pictures[order[:1]], picture)) / 2
        found = []
        for k in order:
            classes = None if rows is None else rows[k]
            residuals = self._pixel_residuals(picture, classes)
            found.append((*_descend(residuals, pool[k], EARLY_STEPS), classes))
        best = []
        for _, early, classes in sorted(found, key=lambda each: each[0])[:KEPT]:
            cost, late = _descend(self._pixel_residuals(picture, classes), early, STEPS)
            best.append((cost, late, classes))
        _, late, classes = min(best, key=lambda each: each[0])
        _, last = _descend(self._both_residuals(picture, classes), late, FEATURE_STEPS)
        return last, classes, random

    @cached_property
    def _pool(self) -> tuple[Array, Array | None, NDArray[np.float16]]:
        """Random latents, their classes, and their pictures, in half precision: of large ones they take much room."""
        seeds = range(FIRST_SEED, FIRST_SEED + POOL)
        latent = latents(seeds, self.generator.latent.size)
        rows = self.generator.class_rows(seeds, self.class_)
        shape = self.generator.latent
        pictures = np.empty((POOL, shape.height, shape.width, shape.channels), np.float16)
        for some in _chunks(POOL):
            pictures[some] = self.generator.pictures(latent[some], None if rows is None else rows[some])
        return latent, rows, pictures

    @cached_property
    def _spreads(self) -> tuple[float, float]:
        """What two random pictures have between them: mean square of pixels, square of features."""
        pictures = self._pool[2][: 2 * NEIGHBOURS].astype(np.float32)
        features = self._features(pictures)
        pixels = np.square(pictures[::2] - pictures[1::2]).mean()
        return float(pixels), float(np.square(features[::2] - features[1::2]).sum(axis=1).mean())

    def _pixel_residuals(self, picture: Array, classes: Array | None) -> Residuals:
        scale = 1 / np.sqrt(picture.size * self._spreads[0])

        def residuals(latent: Array) -> Array:
            rows = None if classes is None else classes[None].repeat(len(latent), axis=0)
            made = self.generator.pictures(latent, rows)
            return np.asarray((made - picture).reshape(len(latent), -1) * scale, np.float32)

        return residuals

    def _both_residuals(self, picture: Array, classes: Array | None) -> Residuals:
        wanted = self._features(picture[None])
        pixels, features = (1 / np.sqrt(2 * spread) for spread in self._spreads)
        pixels = pixels / np.sqrt(picture.size)

        def residuals(latent: Array) -> Array:
            rows = None if classes is None else classes[None].repeat(len(latent), axis=0)
            made = self.generator.pictures(latent, rows)
            left = (made - picture).reshape(len(latent), -1) * pixels
            seen = (self._features(made) - wanted) * features
            return np.concatenate([left, seen], axis=1).astype(np.float32)

        return residuals

    def _distances(self, pictures: NDArray[np.floating], picture: Array) -> tuple[float, float]:
        """By pixels and by features, of the one picture in ``pictures`` to ``picture``."""
        one = pictures[0].astype(np.float32)
        pixel = np.square(one - picture).mean() / self._spreads[0]
        seen, wanted = self._features(np.stack([one, picture]))
        return float(pixel), float(np.square(seen - wanted).sum() / self._spreads[1])

    def _features(self, pictures: Array) -> Array:
        """The recogniser's features as unit vectors ``[N, F]``; of a transparent picture, over black."""
        features = self.recognizer.features(to_uint8(pictures[..., :3]))
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features / np.maximum(lengths, 1e-12), np.float32)


def _apart(pictures: NDArray[np.floating], picture: Array) -> NDArray[np.float64]:
    """The mean square of what lies between each of ``pictures`` and one, a few at a time."""
    apart = np.empty(len(pictures))
    for some in _chunks(len(pictures)):
        apart[some] = np.square(pictures[some] - picture).mean(axis=(1, 2, 3))
    return apart


def _chunks(count: int, size: int = 64) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _descend(residuals: Residuals, latent: Array, steps: int) -> tuple[float, Array]:
    """Damped Gauss-Newton steps from ``latent`` ``[size]``: what remains, the prior included, and where."""
    size = len(latent)
    damping = 1e-2
    left = residuals(latent[None])[0]
    cost = _cost(left[None], latent[None])[0]
    for _ in range(steps):
        moves = np.eye(size, dtype=np.float32) * np.float32(DIFFERENCE)
        ahead = residuals(np.concatenate([latent + moves, latent - moves]))
        slopes = (ahead[:size] - ahead[size:]).astype(np.float64) / (2 * DIFFERENCE)
        curvature = slopes @ slopes.T + PRIOR / size * np.eye(size)
        downhill = slopes @ left + PRIOR / size * latent
        dampings = damping * 10.0 ** np.arange(-2, 4)
        tries = np.stack(
            [
                latent - np.linalg.solve(curvature + d * np.diag(np.diag(curvature)), downhill)
                for d in dampings
            ]
        )
        tries = tries.astype(np.float32)
        lefts = residuals(tries)
        costs = _cost(lefts, tries)
        best = int(costs.argmin())
        gained = cost - costs[best]
        if gained <= 0:
            break
        latent, left, cost, damping = tries[best], lefts[best], costs[best], float(dampings[best])
        if gained < _ENOUGH * cost:
            break
    return float(cost), latent


def _cost(left: Array, latent: Array) -> NDArray[np.float64]:
    squares = np.square(left.astype(np.float64)).sum(axis=1)
    return np.asarray(squares + PRIOR * np.square(latent).mean(axis=1), np.float64)

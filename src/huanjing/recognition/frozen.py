"""The head on a frozen network: what the network sees in the pictures, the head fitted on it, and how sure that is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
from huanjing.datasets import PictureArray
from huanjing.recognition.calibration import fit_temperature
from huanjing.recognition.dataset import LabelledPictures, class_weights, folds, near_duplicates
from huanjing.recognition.features import frozen_features
from huanjing.recognition.head import Head, choose_head, cross_validate, fit_head
from huanjing.runtime import Recognizer

FOLDS = 5
CROSSED = 1000
"""Up to so many pictures, a head's λ and temperature are learned from all of them, each answered for by a head that did
not learn from it; beyond, the validation pictures are enough."""
FIRST_HEAD = 5000
"""Looks at pictures for a head that the network is only to start from."""
TRIED = 32
"""Pictures that the network is timed on."""

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Frozen:
    """A network that stays as it is, and what it sees in the pictures."""

    data: LabelledPictures
    bundle: Bundle
    tell: Callable[[str, int, int], None]
    """Called with what is done, the pictures done and the pictures in all."""
    seed: int

    def features(self, positions: Positions, *, mirrored: bool = False) -> Floats:
        """``[N, features]`` of the pictures at ``positions``, which ascend; from the cache where it has them."""
        what = "Looking in the mirror" if mirrored else "Looking at pictures"

        def look(pictures: PictureArray, positions: Positions) -> Floats:
            return frozen_features(
                Recognizer(self.bundle),
                pictures,
                positions,
                mirrored=mirrored,
                on_progress=lambda done, total: self.tell(what, done, total),
            )

        count, generated = len(self.data.pictures), self.data.generated
        made = positions[positions >= count] - count
        if generated is None or not len(made):
            return look(self.data.pictures, positions)
        return np.concatenate([look(self.data.pictures, positions[positions < count]), look(generated, made)])

    def fit(self, looks: int | None = None) -> tuple[Head, float]:
        """The head for the training pictures, as they are and as a mirror shows them, and its temperature.

        :param looks: at how many pictures the network may look; None is as many as there are.
        """
        positions = self.learned(looks)
        validation = self.data.positions("val")
        weights = class_weights(self.data.counts("train", "generated"))
        mirrored = looks is None or looks >= 2 * len(positions)
        if self.data.split_here and mirrored and len(self.data.positions("train", "val")) <= CROSSED:
            regularisation, temperature = self._crossed()
            return fit_head(*self._features_of(positions, mirrored), weights, regularisation), temperature
        judged = self.features(validation), self.data.labels[validation]
        head = choose_head(*self._features_of(positions, mirrored), judged, weights)
        return head, fit_temperature(head.logits(judged[0]), judged[1])

    def learned(self, looks: int | None) -> Positions:
        """The pictures that a head is fitted on, real and generated, where the network may look at so many."""
        real, made = self.data.positions("train"), self.data.positions("generated")
        total, labels = len(real) + len(made), self.data.labels
        if looks is None or looks >= total:
            return np.concatenate([real, made])
        if not len(made):
            return evenly(real, labels, looks, self.seed)
        # As many of each kind as its part of all, and never so few real ones that nothing is known of a class.
        count = max(len(self.data.classes), round(looks * len(real) / total))
        kept = evenly(made, labels, max(0, looks - count), self.seed)
        return np.concatenate([evenly(real, labels, count, self.seed), kept])

    def refit(self, head: Head) -> Head:
        """``head`` fitted again, on training, generated and validation pictures."""
        features, labels = self._features_of(self._all, mirrored=True)
        return fit_head(features, labels, self._weights, head.regularisation)

    def looks(self, seconds: float) -> int:
        """At how many pictures the network can look in so much time; at least a hundred."""
        recognizer = Recognizer(self.bundle)
        some = self.data.pictures.array[self.data.positions("train")[:TRIED]]
        recognizer.features(some[:1])  # compiled
        began = time.monotonic()
        recognizer.features(some)
        return looks_in(seconds, (time.monotonic() - began) / len(some))

    def _crossed(self) -> tuple[float, float]:
        """λ and temperature by cross-validation over real pictures; those that look the same are held out together."""
        both, labels = self.data.positions("train", "val"), self.data.labels[self._all]
        views = np.stack([self.features(self._all), self.features(self._all, mirrored=True)], axis=1)
        fold = np.full(len(labels), -1, np.int64)
        duplicates = near_duplicates(self.data.pictures.array[both])
        fold[: len(both)] = folds(labels[: len(both)], duplicates, self.seed, FOLDS)
        regularisation, logits = cross_validate(views, labels, fold, self._weights)
        return regularisation, fit_temperature(logits, labels[: len(both)])

    @property
    def _all(self) -> Positions:
        """What a head may learn from in the end: the real pictures, then the generated ones."""
        return self.data.positions("train", "val", "generated")

    @property
    def _weights(self) -> NDArray[np.float64]:
        return class_weights(self.data.counts("train", "val", "generated"))

    def _features_of(self, positions: Positions, mirrored: bool) -> tuple[Floats, Positions]:
        """Features and labels, one way round or both."""
        ways = (False, True) if mirrored else (False,)
        features = [self.features(positions, mirrored=way) for way in ways]
        return np.concatenate(features), np.tile(self.data.labels[positions], len(ways))


def learn_head(features: Floats, labels: NDArray[np.int64], classes: int, seed: int) -> Head:
    """A head from features ``[N, features]`` alone: a fifth of every class chooses λ, then all are learned from.

    :param labels: ``[N]``; at least :data:`FOLDS` of them, and not all classes need be there.
    """
    weights = class_weights(np.maximum(1, np.bincount(labels, minlength=classes)))
    held_out = folds(labels, [], seed, FOLDS) == 0
    judged = features[held_out], labels[held_out]
    chosen = choose_head(features[~held_out], labels[~held_out], judged, weights)
    return fit_head(features, labels, weights, chosen.regularisation)


def looks_in(seconds: float, each: float) -> int:
    """How many pictures fit into ``seconds`` where each takes ``each`` seconds; at least a hundred."""
    return max(100, int(seconds / max(each, 1e-6)))


def evenly(positions: Positions, labels: NDArray[np.int64], count: int, seed: int) -> Positions:
    """``count`` of ``positions``, as many of each class as there are, in order; a function of the seed."""
    shuffled = np.random.default_rng([seed, 7]).permutation(positions)
    turn = np.empty(len(shuffled), np.int64)
    for label in np.unique(labels[shuffled]):
        here = labels[shuffled] == label
        turn[here] = np.arange(here.sum())
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:count]])

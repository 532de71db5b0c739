"""The head on a frozen network: what the network sees in the pictures, the head fitted on it, and how sure that is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle
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
        """``[N, features]`` of the pictures at ``positions``, from the cache where they are in it."""
        what = "Looking in the mirror" if mirrored else "Looking at pictures"
        return frozen_features(
            Recognizer(self.bundle),
            self.data.pictures,
            positions,
            mirrored=mirrored,
            on_progress=lambda done, total: self.tell(what, done, total),
        )

    def fit(self, looks: int | None = None) -> tuple[Head, float]:
        """The head for the training pictures, as they are and as a mirror shows them, and its temperature.

        :param looks: at how many pictures the network may look; None is as many as there are.
        """
        positions = self.data.positions("train")
        validation = self.data.positions("val")
        weights = class_weights(self.data.counts("train"))
        mirrored = looks is None or looks >= 2 * len(positions)
        if self.data.split_here and mirrored and len(self._both) <= CROSSED:
            regularisation, temperature = self._crossed()
            return fit_head(*self._learned(positions, mirrored), weights, regularisation), temperature
        if looks is not None and looks < len(positions):
            positions = evenly(positions, self.data.labels, looks, self.seed)
        judged = self.features(validation), self.data.labels[validation]
        head = choose_head(*self._learned(positions, mirrored), judged, weights)
        return head, fit_temperature(head.logits(judged[0]), judged[1])

    def refit(self, head: Head) -> Head:
        """``head`` fitted again, on training and validation pictures."""
        features, labels = self._learned(self._both, mirrored=True)
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
        """λ and temperature by cross-validation; pictures that look the same are held out together."""
        both, labels = self._both, self.data.labels[self._both]
        views = np.stack([self.features(both), self.features(both, mirrored=True)], axis=1)
        fold = folds(labels, near_duplicates(self.data.pictures.array[both]), self.seed, FOLDS)
        regularisation, logits = cross_validate(views, labels, fold, self._weights)
        return regularisation, fit_temperature(logits, labels)

    @property
    def _both(self) -> Positions:
        return self.data.positions("train", "val")

    @property
    def _weights(self) -> NDArray[np.float64]:
        return class_weights(self.data.counts("train") + self.data.counts("val"))

    def _learned(self, positions: Positions, mirrored: bool) -> tuple[Floats, Positions]:
        """Features and labels, one way round or both."""
        ways = (False, True) if mirrored else (False,)
        features = [self.features(positions, mirrored=way) for way in ways]
        return np.concatenate(features), np.tile(self.data.labels[positions], len(ways))


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

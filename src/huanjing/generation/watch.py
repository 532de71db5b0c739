"""The training doctor: looks at a training every so often, and says what goes wrong and what to do about it.

What it finds depends on the state and the step alone, never on the clock, and what it remembers is part of each
checkpoint: so a run that was stopped and resumed hears the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.generation.alarms import ALARMS
from huanjing.generation.augment import MOST, draw_augmentation
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.diversity import SHOWN, diversity, shown_classes
from huanjing.generation.feed import split
from huanjing.generation.metrics.distances import nearest
from huanjing.generation.mirror import thumbnails
from huanjing.generation.networks import call
from huanjing.generation.objectives import OBJECTIVES
from huanjing.generation.samples import make_pictures, sample_latents
from huanjing.generation.state import TrainingState
from huanjing.images import premultiply

EVERY = 250
"""Steps between two looks, fewer in a run of so few steps that there would be fewer than :data:`LOOKS`."""
LOOKS = 8
COMPARED = 512
"""Real pictures that they are compared with."""
REMEMBERED = 5_000
"""Training pictures among which copies are looked for."""

WON = 0.12
"""The discriminator has won where its loss is under this part of what guessing would cost: 0.083 with pairing. Seen:
0.03 where training collapsed, on grey pictures of 28×28; 0.13 to 0.25 all along a healthy one, on colour of 64×64."""
COLLAPSED = 0.1
"""Collapse is less than this part of the real pictures' diversity, after more than :data:`SPREAD` of it."""
SPREAD = 0.4
NARROW, NARROW_STEPS = 0.3, 2_000
"""So little of the real pictures' diversity, and never more than :data:`SPREAD`, is too little after so many steps.
Seen: 0.1 to 0.26 where ``dcgan`` made one picture of each class from the beginning."""
OVERFITTED = 0.5
"""The discriminator over-fits where held-out pictures score so far from training pictures towards generated ones."""
CERTAIN = 4.0
"""Standard errors by which a difference must be above its threshold or zero to be believed."""
COPY = 0.35
"""A copy is this much nearer to a training picture than any other training picture is."""
COPIES = 1 / 8
"""The part of the generated pictures that must be copies."""
LEAKED = 0.75
"""A leak: generated pictures are so far on the way from real to augmented ones, in how much flat grey they show."""
PERSISTENT = 3
"""Looks in a row at which a leak must be seen."""


@dataclass(frozen=True)
class Findings:
    """What a look found."""

    finite: bool = True
    collapsed: bool = False
    diversity: float = math.nan
    """Distance between generated pictures, of the same class where there are any, as a part of that of real ones."""
    alarms: tuple[str, ...] = ()
    """Names in :data:`~huanjing.generation.alarms.ALARMS` of all that is wrong now."""
    new: tuple[str, ...] = ()
    """Those that were not wrong at the look before."""

    @property
    def good(self) -> bool:
        """Whether the state is one to go back to later."""
        return self.finite and not self.collapsed and "discriminator-won" not in self.alarms


class Doctor:
    """Looks after one run.

    :param pictures: all pictures of the run, NHWC uint8.
    :param labels: their classes, ``[N]``, where the run has classes.
    """

    def __init__(
        self, config: GeneratorConfig, pictures: NDArray[np.uint8], labels: NDArray[np.int32] | None
    ) -> None:
        self.config = config
        self.every = EVERY if config.steps is None else max(1, min(EVERY, config.steps // LOOKS))
        seen, held_out = split(config, len(pictures))
        self._labels = labels if config.classes else None
        self._training, self._held_out = _spread(seen, COMPARED), held_out[:COMPARED]
        self._real, self._kept_back = pictures[self._training], pictures[self._held_out]
        remembered = _spread(seen, REMEMBERED)
        self._known = known = thumbnails(pictures[remembered])
        self._shown_classes = shown_classes(len(config.classes))
        self._real_diversity = diversity(thumbnails(self._real))
        if self._labels is not None:
            shown = np.isin(self._labels[remembered], self._shown_classes)
            self._real_diversity = diversity(known[shown], self._labels[remembered][shown])
        # How far each training picture is from the nearest other one; none in a set of one picture.
        self._alone = nearest(known, known, 1, same=True)[0][:, 0] if len(known) > 1 else np.zeros(len(known))
        self._peak = 0.0
        self._looks = 0
        self._leaking = 0
        self._active: tuple[str, ...] = ()

    def due(self, step: int) -> bool:
        """Whether to look after ``step`` steps."""
        return step % self.every == 0

    def numbers(self) -> dict[str, float]:
        """What the doctor remembers, for a checkpoint."""
        kept = {"peak_diversity": self._peak, "looks": float(self._looks), "leaking": float(self._leaking)}
        return kept | {f"alarm/{name}": 1.0 for name in self._active}

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Remember what a checkpoint says."""
        self._peak = numbers.get("peak_diversity", 0.0)
        self._looks = int(numbers.get("looks", 0))
        self._leaking = int(numbers.get("leaking", 0))
        self._active = tuple(name for name in ALARMS if f"alarm/{name}" in numbers)

    def look(self, state: TrainingState) -> Findings:
        """Look at the networks as they are."""
        if not state.finite():
            return Findings(finite=False)
        if self.config.private is not None:
            return Findings()
        game = float(state.game.numpy())
        # The generator itself, not its average, which would show a collapse only later.
        pictures = self.pictures(state.generator, SHOWN)
        spread = self._diversity(state.generator, pictures) / max(self._real_diversity, 1e-6)
        alarms = []
        won = game < WON * OBJECTIVES[self.config.recipe.objective].balance
        if won:
            alarms.append("discriminator-won")
        collapsed = spread < COLLAPSED and (won or self._peak > SPREAD)
        if collapsed:
            alarms.append("collapse")
        self._peak, self._looks = max(self._peak, spread), self._looks + 1
        if (
            self._looks * self.every >= NARROW_STEPS
            and self._peak <= SPREAD
            and spread < NARROW
            and not collapsed
        ):
            alarms.append("narrow")
        if self._over_fits(state.discriminator, pictures):
            alarms.append("over-fitting")
        # The average is what a user gets.
        averaged = pictures if state.average is None else self.pictures(state.averaged, SHOWN)
        if self.copies(averaged) >= COPIES:
            alarms.append("copies")
        # A generator that has not learned much yet makes grey pictures of its own accord, and chance passes.
        leaking = self.config.augment != 0 and spread > SPREAD and self.leaks(pictures)
        self._leaking = self._leaking + 1 if leaking else 0
        if self._leaking >= PERSISTENT:
            alarms.append("leak")
        before, self._active = self._active, tuple(alarms)
        return Findings(
            True, collapsed, spread, self._active, tuple(name for name in alarms if name not in before)
        )

    def pictures(self, generator: keras.Model, count: int) -> NDArray[np.uint8]:
        """``count`` pictures of a generator, NHWC uint8, of latents that are always the same."""
        return self._make(generator, self._classes_of(self._mixed(count)), count)

    def real_pictures(self, count: int) -> NDArray[np.uint8]:
        """At most ``count`` of the real pictures that generated ones are compared with, NHWC uint8."""
        return self._real[:count]

    def _diversity(self, generator: keras.Model, pictures: NDArray[np.uint8]) -> float:
        """How far ``pictures``, which are the generator's, lie apart, or others of the same class.

        A generator that makes one picture of each class is diverse, and has collapsed all the same.
        """
        if self._labels is None:
            return diversity(thumbnails(pictures))
        made = self._make(generator, self._shown_classes, len(self._shown_classes))
        return diversity(thumbnails(made), self._shown_classes)

    def copies(self, generated: NDArray[np.uint8]) -> float:
        """The part of the pictures ``[N, H, W, C]`` that copy a training picture, or its mirror image, 0..1.

        One that has learned what pictures are like lies between them, about as far from its nearest as these are from
        each other. Where training pictures repeat each other nothing is counted.
        """
        copied = np.zeros(len(generated), np.bool_)
        for each in (generated, generated[:, :, ::-1]) if self.config.mirror else (generated,):
            distances, positions = nearest(thumbnails(each), self._known, 1)
            copied |= distances[:, 0] < COPY * self._alone[positions[:, 0]]
        return float(copied.mean())

    def leaks(self, generated: NDArray[np.uint8]) -> bool:
        """Whether pictures ``[N, H, W, C]`` have patches of flat middle grey, as cutting out leaves them.

        Real pictures, and the same augmented with the highest p, show what augmentation changes; only what it changes
        beyond chance can tell. Brightness and contrast are not looked at: a generator that is not good yet makes
        them vary too much of its own accord.
        """
        plain, augmented = self._real_grey
        ours = _flat_grey(_floats(generated))
        way = float(augmented.mean() - plain.mean())
        error = math.hypot(augmented.std(), plain.std()) / math.sqrt(len(ours))
        return way > CERTAIN * error and float(ours.mean() - plain.mean()) > LEAKED * way

    @cached_property
    def _real_grey(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How much flat middle grey real pictures have, and the same augmented with the highest p."""
        plain, augmented = [], []
        for number, some in enumerate(_batches(self._real)):
            real = _floats(some)
            seed = tf.constant([self.config.seed, number], tf.int64)
            plain.append(_flat_grey(real))
            augmented.append(_flat_grey(draw_augmentation(real.shape, tf.constant(MOST), seed)(real).numpy()))
        return np.concatenate(plain), np.concatenate(augmented)

    def _over_fits(self, discriminator: keras.Model, generated: NDArray[np.uint8]) -> bool:
        """Whether pictures that were held out score like generated ones rather than like those trained on."""
        if len(self._kept_back) < 2:
            return False
        seen = self._scores(discriminator, self._real, self._training)
        unseen = self._scores(discriminator, self._kept_back, self._held_out)
        made = self._scores(discriminator, generated, self._mixed(len(generated)))
        gap = float(seen.mean() - unseen.mean())
        error = math.hypot(seen.std() / math.sqrt(len(seen)), unseen.std() / math.sqrt(len(unseen)))
        return gap > OVERFITTED * float(seen.mean() - made.mean()) > 0 and gap > CERTAIN * error

    def _scores(
        self, discriminator: keras.Model, pictures: NDArray[np.uint8], positions: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Of pictures that are told the classes of the training pictures at ``positions``."""
        classes = self._one_hot(self._classes_of(positions))
        told = [None] * len(pictures) if classes is None else list(_batches(classes))
        return np.concatenate(
            [
                np.asarray(
                    call(discriminator, tf.constant(_floats(some)), None if y is None else tf.constant(y))
                )
                for some, y in zip(_batches(pictures), told, strict=False)
            ]
        )

    def _make(
        self, generator: keras.Model, classes: NDArray[np.int32] | None, count: int
    ) -> NDArray[np.uint8]:
        latents = sample_latents(self.config.seed, count, self.config.recipe.latent)
        return make_pictures(generator, latents, self._one_hot(classes))

    def _mixed(self, count: int) -> NDArray[np.int64]:
        """The positions of so many training pictures, of all classes; some twice where there are not so many."""
        places = np.linspace(0, len(self._training) - 1, count).round().astype(int)
        mixed: NDArray[np.int64] = self._training[places]
        return mixed

    def _classes_of(self, positions: NDArray[np.int64]) -> NDArray[np.int32] | None:
        return None if self._labels is None else self._labels[positions]

    def _one_hot(self, classes: NDArray[np.int32] | None) -> NDArray[np.float32] | None:
        return None if classes is None else np.eye(len(self.config.classes), dtype=np.float32)[classes]


def _batches(array: NDArray[Any], size: int = 64) -> Iterator[NDArray[Any]]:
    """So many rows at a time: memory must not grow with what is looked at."""
    for start in range(0, len(array), size):
        yield array[start : start + size]


def _floats(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As the discriminator sees them: premultiplied, -1..1."""
    return premultiply(pictures).astype(np.float32) / 127.5 - 1.0


def _flat_grey(pictures: NDArray[np.float32]) -> NDArray[np.float64]:
    """The part of each picture ``[N, H, W, C]``, -1..1, that is middle grey and whose neighbours are, too: ``[N]``."""
    grey: NDArray[np.bool_] = np.all(np.abs(pictures) < 0.04, axis=-1)
    flat = grey[:, :-1, :-1] & grey[:, 1:, :-1] & grey[:, :-1, 1:] & grey[:, 1:, 1:]
    return np.asarray(flat.mean(axis=(1, 2)), np.float64)


def _spread(positions: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most ``count`` of them, evenly spread."""
    chosen = np.linspace(0, len(positions) - 1, min(count, len(positions))).round().astype(int)
    spread: NDArray[np.int64] = positions[chosen]
    return spread

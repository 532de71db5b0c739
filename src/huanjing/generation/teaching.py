"""What generated pictures can teach: a classifier learns from them alone and is tested on real pictures.

Shmelkov, Schmid and Alahari, "How good is my GAN?" (ECCV 2018) call its accuracy GAN-train; Ravuri and Vinyals,
"Classification accuracy score for conditional generative models" (NeurIPS 2019). Theirs is a deep network; here it is
whatever the caller lets learn on the features that all other scores are measured by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.generation.features import Pictures
from huanjing.generation.metrics import Score, metric_name
from huanjing.generation.metrics.intervals import mean_score
from huanjing.runtime.provenance import write_seeds

Features = NDArray[np.float32]
Labels = NDArray[np.int64]
"""Positions in a lesson's classes; -1 is none of them."""
Answers = Callable[[Features], Labels]

METRIC = "train_on_generated"
FEWEST = 10
"""Real pictures to learn from, and to be tested on; fewer would say nothing."""


@dataclass(frozen=True)
class Lesson:
    """The classes of an evaluation's real pictures, who makes pictures of them, and who learns."""

    classes: tuple[str, ...]
    train: Labels
    """Of every training picture."""
    test: Labels | None
    """Of every held-out picture; None where there are none."""
    first_seed: int
    generate: Callable[[Labels, Sequence[int]], Pictures]
    """Makes a picture of each class, from each seed: NHWC uint8, 0..255."""
    learn: Callable[[Features, Labels], Answers]
    """Learns classes from features ``[N, features]`` and nothing else; what it gives answers for others."""


@dataclass(frozen=True)
class Taught:
    """The part of real pictures ``[tested]`` that is told right by what learned from as many pictures of each kind."""

    name: str
    """With its protocol."""
    classes: tuple[str, ...]
    learned: int
    """Pictures on each side: for every real one, a generated one of its class."""
    tested: int
    """Real pictures that were not learned from."""
    seeds: str
    """Of the generated pictures, as ``huanjing generate --seeds`` takes them."""
    generated: Score
    """Learned from generated pictures alone, 0..1."""
    real: Score
    """Learned from real pictures alone, 0..1."""
    chance: float
    """Always answering the class that most of the tested pictures have, 0..1."""


@dataclass(frozen=True)
class Known:
    """Real pictures of a lesson's classes as features ``[N, features]`` with their labels ``[N]``."""

    features: Features
    labels: Labels

    def of_classes(self) -> Known:
        """Without the pictures that are of none of the classes."""
        kept = self.labels >= 0
        return Known(self.features[kept], self.labels[kept])


def measure_teaching(
    lesson: Lesson,
    learned: Known,
    tested: Known,
    see: Callable[[Pictures], Features],
    *,
    space: str,
    real: str,
    seed: int,
) -> Taught | None:
    """Let it learn from ``learned`` and from generated pictures of the same classes, and test both on ``tested``.

    :param see: the features of pictures.
    :param space: short name of the network whose features they are.
    :param real: ``test`` or ``train``: where the tested pictures are from.
    :returns: None where fewer than :data:`FEWEST` pictures to learn from, or to test on, are of the lesson's classes.
    """
    learned, tested = learned.of_classes(), tested.of_classes()
    count = len(learned.labels)
    if min(count, len(tested.labels)) < FEWEST:
        return None
    seeds = range(lesson.first_seed, lesson.first_seed + count)
    made = see(lesson.generate(learned.labels, seeds))

    def score(features: Features) -> Score:
        answers = lesson.learn(features, learned.labels)
        return mean_score(answers(tested.features) == tested.labels, seed)

    return Taught(
        name=metric_name(METRIC, space, count, real),
        classes=lesson.classes,
        learned=count,
        tested=len(tested.labels),
        seeds=write_seeds(seeds),
        generated=score(made),
        real=score(learned.features),
        chance=float(np.bincount(tested.labels).max() / len(tested.labels)),
    )

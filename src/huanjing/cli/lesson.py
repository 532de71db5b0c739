"""What joins the two halves where a generator is evaluated: a recogniser's head learns from its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from huanjing.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from huanjing.datasets import PictureArray
    from huanjing.generation.teaching import Answers, Lesson
    from huanjing.runtime import Generator

FEWEST_CLASSES = 2


def make_lesson(
    generator: Generator, train: PictureArray, test: PictureArray | None, *, first_seed: int, seed: int
) -> Lesson | None:
    """The lesson for the classes that the subfolders of the real pictures and the generator have in common.

    :param first_seed: of the pictures that are made for it.
    :returns: None where there are fewer than two.
    """
    import numpy as np

    from huanjing.generation.teaching import Lesson
    from huanjing.recognition.frozen import learn_head
    from huanjing.runtime import latents

    position = known_positions(generator, sorted(set(train.labels)))
    if test is not None:
        position = {name: position[name] for name in position if name in set(test.labels)}
    if len(position) < FEWEST_CLASSES:
        return None
    number = {name: k for k, name in enumerate(position)}
    told = np.eye(len(generator.classes), dtype=np.float32)[list(position.values())]

    def numbers(pictures: PictureArray) -> NDArray[np.int64]:
        return np.array([number.get(label, -1) for label in pictures.labels], np.int64)

    def generate(labels: NDArray[np.int64], seeds: Sequence[int]) -> NDArray[np.uint8]:
        return generator.draw(latents(seeds, generator.latent.size), told[labels])

    def learn(features: NDArray[np.float32], labels: NDArray[np.int64]) -> Answers:
        head = learn_head(features, labels, len(number), seed)
        return lambda others: head.logits(others).argmax(axis=1).astype(np.int64)

    tested = None if test is None else numbers(test)
    return Lesson(tuple(number), numbers(train), tested, first_seed, generate, learn)


def known_positions(generator: Generator, names: Sequence[str]) -> dict[str, int]:
    """Of those names that are the generator's classes, their positions there."""
    known = {}
    for name in names:
        try:
            known[name] = generator.class_position(name)
        except UsageError:
            continue
    return known

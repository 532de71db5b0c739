"""What looks after a generator's training: augmentation, mirroring, held-out pictures, the score, the doctor."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Literal

import click

from huanjing.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from huanjing.cli.language import Lang
    from huanjing.generation.scoring import Score, Until
    from huanjing.generation.train import Tick
    from huanjing.training import Progress

Strength = Literal["auto"] | float
Flip = Literal["auto", "yes", "no"]

FEW = 5000
"""Fewer pictures than this are augmented unless told otherwise."""
HELD_OUT = 1 / 20
MOST_HELD_OUT = 256
FEWEST = 100
"""Of fewer pictures none is held out."""
JUDGED = 1000
"""Real pictures that a score compares with."""


def care_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command ``--augment``, ``--flip``, ``--until`` and ``--private``."""
    options = (
        click.option(
            "--augment",
            metavar="auto|none|P",
            help="Augment what the discriminator sees, with probability P; auto, the default, does for few pictures.",
        ),
        click.option(
            "--flip",
            type=click.Choice(["auto", "yes", "no"]),
            help="Whether to show mirrored pictures too; auto, the default, does for few that look alike either way.",
        ),
        click.option(
            "--until",
            metavar="end|good|SCORE",
            help="good: stop once the score no longer improves; SCORE, such as 40: once it is as low. "
            "Both keep the best; end is the default.",
        ),
        click.option(
            "--private",
            metavar="EPSILON",
            type=float,
            help="Train with differential privacy, spending at most EPSILON; 1 is strong, 10 common.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def parse_strength(text: str) -> Strength:
    """``auto``, ``none``, or a probability from 0 to 0.95."""
    if text == "auto":
        return "auto"
    try:
        strength = 0.0 if text == "none" else float(text)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= 0.95:
        raise UsageError(
            f"--augment is {text!r}; it is auto, none, or a probability such as 0.3, at most 0.95."
        )
    return strength


def parse_until(text: str) -> Until:
    """``end``, ``good``, or a score above 0."""
    words: dict[str, Until] = {"end": "end", "good": "good"}
    if text in words:
        return words[text]
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 < score < math.inf:
        raise UsageError(f"--until is {text!r}; it is end, good, or a score to reach, such as 40.")
    return score


def choose_strength(asked: Strength, pictures: int) -> Literal["adaptive"] | float:
    """The configuration's ``augment``: adaptive for few pictures, unless told otherwise."""
    if asked != "auto":
        return asked
    if pictures >= FEW:
        return 0.0
    if pictures < FEWEST:
        print(
            f"Pictures to learn from: {pictures}. Of fewer than {FEWEST} a generator mostly learns copies, and none is "
            "held out to see it by.",
            file=sys.stderr,
        )
    print(
        f"With {pictures:,} picture{'s' if pictures > 1 else ''}, what the discriminator sees is augmented where it "
        "over-fits; --augment none would change that.",
        file=sys.stderr,
    )
    return "adaptive"


def choose_mirror(asked: Flip, pictures: NDArray[np.uint8], *, augmented: bool) -> bool:
    """Whether to show mirrored pictures too: where asked, or where pictures are few and it is found harmless."""
    if asked != "auto":
        return asked == "yes"
    if not augmented or len(pictures) < 2:
        return False
    from huanjing.generation.mirror import compare_with_mirror

    found = compare_with_mirror(pictures)
    if found.harmless:
        print(
            "Pictures look the same either way and are mirrored too; --flip no would change that.",
            file=sys.stderr,
        )
    return found.harmless


def count_held_out(pictures: int) -> int:
    """How many pictures training leaves out, so that the discriminator's over-fitting can be seen."""
    return min(MOST_HELD_OUT, int(HELD_OUT * pictures)) if pictures >= FEWEST else 0


def make_score(pictures: NDArray[np.uint8]) -> Score:
    """The Fréchet distance to some of ``pictures``, on the embedded recogniser's features."""
    import numpy as np

    from huanjing.generation.features import opaque
    from huanjing.generation.metrics.frechet import frechet_distance
    from huanjing.runtime import Recognizer

    recognizer = Recognizer()

    @cache
    def real() -> NDArray[np.float32]:
        chosen = np.sort(np.random.default_rng(0).permutation(len(pictures))[:JUDGED])
        return recognizer.features(opaque(np.asarray(pictures[chosen])))

    def score(generated: NDArray[np.uint8]) -> float:
        return frechet_distance(recognizer.features(opaque(generated)), real())

    return score


def values_of(tick: Tick) -> dict[str, float]:
    """What the progress shows beside step and speed."""
    if not tick.step:
        return {}
    losses = {"loss D": tick.discriminator_loss, "G": tick.generator_loss}
    if tick.epsilon is not None:
        return losses | {"ε": tick.epsilon}
    return losses | ({"p": tick.augmentation} if tick.augmentation > 0 else {})


def tell(progress: Progress, tick: Tick, language: Lang) -> None:
    """Say above the progress bar what the doctor found at this tick, and how the score stands."""
    from huanjing.generation.alarms import ALARMS

    if tick.went_back is not None:
        progress.say(f"huanjing: {getattr(tick.went_back.text, language)}")
    if tick.outlook is not None:
        progress.say(getattr(tick.outlook.text, language))
    for name in tick.alarms:
        progress.say(f"huanjing: {getattr(ALARMS[name], language)}")

"""What a generator's training takes from a folder: the pictures' size and channels, and their classes."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from huanjing.errors import RunError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from huanjing.datasets import PictureArray, PictureFolder
    from huanjing.generation.config import TrainedClass
    from huanjing.generation.recipes import Recipe

Conditional = Literal["auto", "yes", "no"]

MOST_CLASSES = 1000
FEWEST_PICTURES = 200
"""Of the smallest class, for ``--conditional auto``. With few pictures, classes make a generator collapse where without
them it would learn: Shahbazi et al., "Collapse by conditioning" (ICLR 2022). Where that begins is our guess."""


def find_pictures(folder: Path, exclude: Path | None) -> PictureFolder:
    """The pictures of ``folder``, without those that the file ``exclude`` lists; of one that is split, those of
    ``train/``, so that the others can judge what was learned.
    """
    from huanjing.datasets import index_folder
    from huanjing.datasets.folder import leave_out, one_part

    index = index_folder(folder)
    if exclude is not None:
        index = leave_out(index, exclude)
    part = one_part(index, "train")
    if part is None:
        return index
    print(
        f"{folder}: is split into parts; learning from {part.root.name}/ alone, {len(part.files):,} pictures of "
        f"{len(index.files):,}.",
        file=sys.stderr,
    )
    return part


def choose_resolution(index: PictureFolder) -> tuple[int, int]:
    """28×28 or 32×32 for small pictures, else 64×64."""
    from huanjing.datasets.pictures import probe_size

    size = probe_size(index)
    smaller = min(size) if size else 64
    side = 28 if smaller <= 28 else 32 if smaller < 48 else 64
    print(f"Training on pictures of {side} by {side}; --resolution would change that.", file=sys.stderr)
    return side, side


def choose_classes(pictures: PictureArray, conditional: Conditional, recipe: Recipe) -> list[TrainedClass]:
    """The classes that the generator is told, in natural order; none where it is to know of none.

    ``auto``: the subfolders are classes where there are 2 to 1,000, each with at least :data:`FEWEST_PICTURES`
    pictures, they are not the parts of a split (train, val, test), and the recipe has gradient penalties: ``dcgan``,
    told classes, came to make one picture of each (docs/en/what-each-change-buys.md).

    :raises UsageError: where ``yes`` is asked for and there are no 2 to 1,000 subfolders.
    """
    from huanjing.generation.config import TrainedClass

    counts = Counter(label for label in pictures.labels if label)
    if conditional == "no":
        return []
    known = [TrainedClass(name, count) for name, count in counts.items()]
    if conditional == "yes":
        if not 2 <= len(known) <= MOST_CLASSES:
            raise UsageError(
                f"--conditional yes needs pictures in 2 to {MOST_CLASSES:,} subfolders, a class each, and none beside "
                f"them; {pictures.folder} has {len(known):,}. Leave the option out, or sort the pictures."
            )
        return known
    if len(known) < 2:
        return []
    reason = _reason_against(known, recipe)
    if reason is not None:
        print(f"Training without classes: {reason}; --conditional yes would use them.", file=sys.stderr)
        return []
    print(
        f"Learning {len(known):,} classes, one for each subfolder; --conditional no would make it one set.",
        file=sys.stderr,
    )
    return known


def _reason_against(known: list[TrainedClass], recipe: Recipe) -> str | None:
    """Why ``auto`` does not take subfolders for classes; None where it does."""
    from huanjing.datasets.folder import PARTS

    if all(each.name.lower() in PARTS for each in known):
        return f"{', '.join(each.name for each in known)} are parts of a split, not classes"
    if len(known) > MOST_CLASSES:
        return f"{len(known):,} subfolders are more classes than {MOST_CLASSES:,}"
    if recipe.penalty == 0:
        return f"{recipe.name}, told classes, tends to make one picture of each"
    smallest = min(known, key=lambda each: each.pictures)
    if smallest.pictures < FEWEST_PICTURES:
        return f"{smallest.name!r} has {smallest.pictures:,} pictures, under {FEWEST_PICTURES}"
    return None


def number_classes(pictures: PictureArray, classes: list[TrainedClass]) -> NDArray[np.int32] | None:
    """Each picture's class as a position in ``classes``: int32 ``[N]``; None where there are none.

    :raises RunError: where the pictures' subfolders are not those classes.
    """
    import numpy as np

    if not classes:
        return None
    number = {each.name: position for position, each in enumerate(classes)}
    if set(pictures.labels) != set(number):
        strange = sorted(set(pictures.labels) ^ set(number))
        raise RunError(
            f"{pictures.folder}: its subfolders are not the classes that the run was started on; they differ in "
            f"{', '.join(map(repr, strange[:5]))}. Name them as they were, or name another run with --run."
        )
    return np.array([number[label] for label in pictures.labels], np.int32)

"""Pictures with their classes, and which of them a recogniser learns from, is judged by, and is tested on."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from natsort import natsorted, ns
from numpy.typing import NDArray
from PIL import Image

from huanjing.datasets import PictureArray, PictureFolder, index_folder
from huanjing.datasets.folder import GivenPart, as_text, leave_out, plain_path, split_of
from huanjing.datasets.pictures import probe_size
from huanjing.datasets.similar import Groups, join_near
from huanjing.errors import DatasetError
from huanjing.images.perceptual import look_of
from huanjing.runtime import processors

Counted = Callable[[int, int], None]
"""Hears how many pictures are done, of how many."""
Part = Literal["train", "val", "test", "generated"]
"""What a picture is for. Those that a generator made are learned from beside ``train``, and judge nothing."""
VALIDATION_SHARE = 0.2
"""Of every class, where the folder does not say what to validate on."""
VALIDATION_MOST = 5000
"""Pictures that are kept to validate on; more would say little more, and be missed in learning."""


MAGNIFIED, LEAST_SIDE = 4, 128
"""How far small pictures are magnified for a network that was trained on large ones, and the least side then."""


@dataclass(frozen=True)
class LabelledFolder:
    """The pictures of a folder that have a class; the sequences are parallel to ``index.files``."""

    index: PictureFolder
    classes: tuple[str, ...]
    """Names of the class folders, in natural order: a class's position is its number."""
    labels: tuple[int, ...]
    parts: tuple[GivenPart | None, ...]
    """What the folder says each picture is for; None where it does not."""
    unlabelled: int
    """Pictures that were passed over because nothing says what they show."""


@dataclass(frozen=True)
class LabelledPictures:
    """Decoded pictures, each with its class and its part; what could not be decoded is gone."""

    pictures: PictureArray
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    parts: tuple[Part, ...]
    split_here: bool
    """The validation pictures were chosen by :func:`split`, not by the folder."""
    generated: PictureArray | None = None
    """Pictures of the part ``generated``; their positions, classes and parts come after those of ``pictures``."""

    def with_generated(self, generated: PictureArray) -> LabelledPictures:
        """With pictures to learn from that a generator made, of the same shape, labelled with names of classes."""
        number = {name: position for position, name in enumerate(self.classes)}
        labels = np.array([number[label] for label in generated.labels], np.int64)
        made: Part = "generated"
        return replace(
            self,
            labels=np.concatenate([self.labels, labels]),
            parts=(*self.parts, *(made for _ in labels)),
            generated=generated,
        )

    def take(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The pictures at ``positions``, in their order: NHWC, 0..255."""
        if self.generated is None:
            return self.pictures.array[positions]
        made = positions >= len(self.pictures)
        taken = np.empty((len(positions), *self.pictures.array.shape[1:]), np.uint8)
        taken[~made] = self.pictures.array[positions[~made]]
        taken[made] = self.generated.array[positions[made] - len(self.pictures)]
        return taken

    def positions(self, *parts: Part) -> NDArray[np.int64]:
        """Where the pictures of some parts are, in order."""
        return np.flatnonzero(np.isin(self.parts, parts)).astype(np.int64)

    def counts(self, *parts: Part) -> NDArray[np.int64]:
        """How many pictures of each class some parts have: ``[classes]``."""
        return np.bincount(self.labels[self.positions(*parts)], minlength=len(self.classes)).astype(np.int64)


def label_folder(
    folder: str | os.PathLike[str], *, labels: Path | None = None, exclude: Path | None = None
) -> LabelledFolder:
    """Find the pictures of ``folder`` and what each shows.

    The class is the folder of the first level; below ``train/``, ``val/`` and ``test/``, where these are the only
    folders, it is that of the second.

    :param labels: a CSV file with the columns ``path`` (relative to ``folder``) and ``label`` that says it instead.
    :param exclude: a list of relative paths, one a line, to leave out.
    :raises DatasetError: where there are fewer than two classes, or a list names what is not there.
    """
    index = index_folder(folder)
    if exclude is not None:
        index = leave_out(index, exclude)
    names = [file.name for file in index.files]
    tops = split_of(index)
    parts = [tops.get(name.split("/", 1)[0]) if "/" in name else None for name in names]
    given = _read_labels(labels, set(names), excluded=exclude is not None) if labels is not None else {}
    found: list[str | None] = []
    for name, part in zip(names, parts, strict=True):
        folders = PurePosixPath(name).parts[:-1][1 if part is not None else 0 :]
        inside = as_text(folders[0]) if folders and (part is not None or not tops) else None
        found.append(given.get(name) if labels is not None else inside)
    classes = tuple(natsorted({label for label in found if label is not None}, alg=ns.PATH | ns.IGNORECASE))
    if len(classes) < 2:
        raise DatasetError(
            f"{index.root}: a recogniser needs at least two classes, and this has "
            f"{'only ' + repr(classes[0]) if classes else 'none'}. Put the pictures of each class into a folder of its "
            "own, or name a CSV file with the columns path and label with --labels."
        )
    number = {label: position for position, label in enumerate(classes)}
    kept = [position for position, label in enumerate(found) if label is not None]
    return LabelledFolder(
        replace(index, files=tuple(index.files[position] for position in kept)),
        classes,
        tuple(number[label] for label in found if label is not None),
        tuple(parts[position] for position in kept),
        len(names) - len(kept),
    )


def arrange(
    folder: LabelledFolder, pictures: PictureArray, seed: int, on_progress: Counted | None = None
) -> LabelledPictures:
    """Give each decoded picture its class and its part, splitting where the folder does not.

    :param on_progress: hears of how many pictures were looked at for near-duplicates, of how many, where it splits.

    :raises DatasetError: where a class has nothing left to learn from.
    """
    of = {file.name: position for position, file in enumerate(folder.index.files)}
    order = [of[name] for name in pictures.names]
    labels = np.array([folder.labels[position] for position in order], np.int64)
    given = [folder.parts[position] for position in order]
    split_here = "val" not in given
    parts: list[Part] = [part or "train" for part in given]
    if split_here:
        # Only what is to be learned from is divided: a test set stays whole.
        divided = np.array([position for position, part in enumerate(parts) if part == "train"], np.int64)
        groups = near_duplicates(pictures.array[divided], on_progress)
        for position in divided[split(labels[divided], groups, seed)]:
            parts[position] = "val"
    arranged = LabelledPictures(pictures, folder.classes, labels, tuple(parts), split_here)
    for part in ("train", "val"):
        for name, count in zip(folder.classes, arranged.counts(part), strict=True):
            if count == 0 and (part == "train" or split_here):
                raise DatasetError(
                    f"{folder.index.root}: the class {name!r} has too few different pictures: at least two are needed, "
                    "one to learn from and one to judge by. Add some, or leave the class out."
                )
    if not len(arranged.positions("val")):
        raise DatasetError(f"{folder.index.root}: there is no picture to validate on.")
    return arranged


def stored_side(index: PictureFolder, largest: int) -> int:
    """The side at which pictures are kept for training: ``largest``, or their own where they are much smaller."""
    size = probe_size(index)
    smaller = min(size) if size else largest
    return largest if smaller > largest // 2 else max(8, smaller)


def magnified_side(index: PictureFolder, largest: int) -> int:
    """The side at which a network that was trained on ``largest`` learns from pictures that may be much smaller.

    Magnified to four times their side, and to 128 at least, in steps of 32: a compromise between how good what it sees
    is and how often it can look. Heads on the frozen embedded network, clothing of 28 pixels, 10 a class, median of
    three draws: 71.8 % right at 96, 74.1 % at 128, 74.6 % at 160, 78.1 % at 224, for 1, 1.8, 2.8, 5.4 times the work.
    """
    size = probe_size(index)
    wanted = 32 * math.ceil(MAGNIFIED * min(size) / 32) if size else largest
    return min(largest, max(LEAST_SIDE, wanted))


def near_duplicates(array: NDArray[np.uint8], on_progress: Counted | None = None) -> list[tuple[int, ...]]:
    """Positions of pictures (NHWC, 0..255) that look the same, in groups of two or more."""
    if not len(array):
        return []
    looks = []
    with ThreadPoolExecutor(processors()) as pool:
        for done, look in enumerate(pool.map(lambda pixels: look_of(_image(pixels)), array), start=1):
            looks.append(look)
            if on_progress is not None:
                on_progress(done, len(array))
    groups = Groups(len(array))
    hashes = np.array([look.hash for look in looks], np.uint64)
    join_near(groups, hashes, np.stack([look.thumbnail for look in looks]))
    return groups.lists()


def split(
    labels: NDArray[np.int64], groups: Sequence[Sequence[int]], seed: int, share: float = VALIDATION_SHARE
) -> NDArray[np.int64]:
    """Positions to validate on: ``share`` of every class (at least one, and about :data:`VALIDATION_MOST` in all), a
    function of labels, groups and seed.

    :param groups: positions that must stay on one side, such as near-duplicates.
    """
    together = {position: tuple(group) for group in groups for position in group}
    share = min(share, VALIDATION_MOST / max(1, len(labels)))
    wanted = {label: max(1, round(share * count)) for label, count in Counter(labels.tolist()).items()}
    left = Counter(labels.tolist())
    chosen: set[int] = set()
    for position in np.random.default_rng([seed, 5]).permutation(len(labels)).tolist():
        unit = together.get(position, (position,))
        if position != min(unit):
            continue
        needs = Counter(labels[list(unit)].tolist())
        if all(wanted[label] >= count and left[label] > count for label, count in needs.items()):
            chosen.update(unit)
            for label, count in needs.items():
                wanted[label] -= count
                left[label] -= count
    return np.array(sorted(chosen), np.int64)


def folds(
    labels: NDArray[np.int64], groups: Sequence[Sequence[int]], seed: int, count: int
) -> NDArray[np.int64]:
    """A fold, 0 to ``count`` - 1, for each position, with every class spread evenly and every group in one fold."""
    together = {position: tuple(group) for group in groups for position in group}
    chosen = np.full(len(labels), -1, np.int64)
    sizes = np.zeros((count, int(labels.max()) + 1), np.int64)
    for position in np.random.default_rng([seed, 6]).permutation(len(labels)).tolist():
        if chosen[position] < 0:
            unit = list(together.get(position, (position,)))
            # The fold with the fewest of this class, and of these the one with the fewest pictures.
            fold = int(np.lexsort((sizes.sum(axis=1), sizes[:, labels[position]]))[0])
            chosen[unit] = fold
            np.add.at(sizes[fold], labels[unit], 1)
    return chosen


def class_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """A weight for each class, 1 on average over the pictures: n / (C n_c) where one class has more than twice the
    pictures of another, else all 1.
    """
    if counts.max() <= 2 * counts.min():
        return np.ones(len(counts))
    return np.asarray(counts.sum() / (len(counts) * counts), np.float64)


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _read_labels(path: Path, names: set[str], *, excluded: bool) -> dict[str, str]:
    """Class by relative path. What is listed and not there is an error, unless a list of exclusions may be why."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"path", "label"} <= set(rows.fieldnames or ()):
                raise DatasetError(
                    f"--labels {path}: the first line must name the columns path and label; "
                    f"it is {','.join(rows.fieldnames or ()) or 'empty'!r}."
                )
            labels = {plain_path(row["path"] or ""): (row["label"] or "").strip() for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"--labels {path}: cannot be read as CSV: {error}") from None
    missing = [name for name in labels if name not in names]
    if missing and not excluded:
        raise DatasetError(
            f"--labels {path}: {len(missing)} of its {len(labels)} pictures are not in the folder, the first is "
            f"{missing[0]!r}. Paths are relative to the folder."
        )
    return {name: label for name, label in labels.items() if label}

"""What is wrong with a folder of pictures, before hours are spent on training with it. Nothing is ever changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from statistics import median

import numpy as np

from huanjing.datasets.findings import FEW, KINDS, Finding, Report
from huanjing.datasets.folder import PictureFile, PictureFolder, index_folder
from huanjing.datasets.inspection import Inspection, Unusable, inspect_folder
from huanjing.datasets.similar import Groups, join_equal, join_near

TINY = 32
"""A shorter side below this, in pixels, is tiny, unless half of the folder's pictures are hardly larger."""
HUGE = 40_000_000
"""More pixels than this only cost time: no network sees them."""
STRANGE_ASPECT = 4.0
"""A longer side of more than so many times the shorter one loses most of the picture in a square crop."""
IMBALANCE = 10
"""A class with so many times the pictures of another."""
SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What the folders of a split may be called, in small letters."""


@dataclass(frozen=True)
class _Layout:
    """Which split and which class a file belongs to, by the folders that it lies in."""

    has_splits: bool
    has_classes: bool

    @classmethod
    def of(cls, folder: PictureFolder) -> _Layout:
        tops = set(folder.labels)
        splits = bool(tops) and all(top.lower() in SPLITS for top in tops)
        if not splits:
            return cls(False, len(tops) > 1)
        return cls(True, all(file.name.count("/") > 1 for file in folder.files))

    def split(self, file: PictureFile) -> str:
        return SPLITS[file.label.lower()] if self.has_splits else ""

    def label(self, file: PictureFile) -> str:
        if not self.has_classes:
            return ""
        return file.name.split("/")[1] if self.has_splits else file.label


def examine(
    folder: str | PathLike[str] | PictureFolder, *, on_progress: Callable[[int, int], None] | None = None
) -> Report:
    """Look at every picture of a folder, and at the folder as a whole.

    Class folders, and ``train/ val/ test/`` with class folders in them, are known by their names. Each picture is
    read once, through the decoder that training uses; a few hundred bytes of each are kept.

    :param on_progress: called with the pictures done and the pictures in all.
    :raises DatasetError: where there is no such folder, or no picture in it.
    """
    found = folder if isinstance(folder, PictureFolder) else index_folder(folder)
    layout = _Layout.of(found)
    sound: list[Inspection] = []
    broken: list[Unusable] = []
    for done, result in enumerate(inspect_folder(found), start=1):
        if isinstance(result, Unusable):
            broken.append(result)
        else:
            sound.append(result)
        if on_progress is not None:
            on_progress(done, len(found.files))
    findings = [
        *(Finding("broken", (each.file.name,), each.reason, (each.file.name,)) for each in broken),
        *_repeated(sound, layout),
        *_shapes(sound),
        *_oddities(sound),
        *_classes(found, sound, layout),
    ]
    ranks = {code: rank for rank, code in enumerate(KINDS)}
    positions = {file.name: position for position, file in enumerate(found.files)}
    findings.sort(
        key=lambda finding: (ranks[finding.code], positions[finding.files[0]] if finding.files else -1)
    )
    return Report(
        folder=str(found.root),
        pictures=len(found.files),
        others=found.others,
        classes=dict(Counter(layout.label(each.file) for each in sound)) if layout.has_classes else {},
        splits=dict(Counter(layout.split(each.file) for each in sound)) if layout.has_splits else {},
        findings=tuple(findings),
    )


def _repeated(sound: Sequence[Inspection], layout: _Layout) -> Iterator[Finding]:
    """Equal files, files that look the same, and what of it makes a data set wrong."""
    groups = Groups(len(sound))
    join_equal(groups, [each.sha256 for each in sound])
    equal = groups.lists()
    if sound:
        hashes = np.array([each.look.hash for each in sound], np.uint64)
        join_near(groups, hashes, np.stack([each.look.thumbnail for each in sound]))
    known = set(equal)
    for code, lists in (
        ("duplicate", equal),
        ("near-duplicate", [group for group in groups.lists() if group not in known]),
    ):
        for group in lists:
            members = [sound[position] for position in group]
            if not all(_is_blank(each) for each in members):
                yield Finding(code, _names(members), exclude=_names(_spare(members, layout)))
    for group in groups.lists():
        members = [sound[position] for position in group]
        if all(_is_blank(each) for each in members):
            continue
        labels = list(dict.fromkeys(layout.label(each.file) for each in members))
        if len(labels) > 1:
            yield Finding("two-classes", _names(members), _listed(labels), _names(members))
        splits = list(dict.fromkeys(layout.split(each.file) for each in members))
        if len(splits) > 1:
            yield Finding("two-splits", _names(members), _listed(splits), _names(_spare(members, layout)))


def _spare(members: Sequence[Inspection], layout: _Layout) -> list[Inspection]:
    """All but the one to keep: one that is held back for testing, then validation; the largest; the first."""
    held_back = {"test": 0, "val": 1}
    keep = min(
        range(len(members)),
        key=lambda k: (
            held_back.get(layout.split(members[k].file), 2),
            -members[k].width * members[k].height,
            k,
        ),
    )
    return [each for k, each in enumerate(members) if k != keep]


def _shapes(sound: Sequence[Inspection]) -> Iterator[Finding]:
    """Sizes and shapes that serve badly."""
    usual = median([min(each.width, each.height) for each in sound] or [0])
    for each in sound:
        name, (short, long) = (each.file.name,), sorted((each.width, each.height))
        size = f"{each.width} × {each.height} px"
        if short < TINY and 2 * short < usual:
            yield Finding("tiny", name, size, name)
        if each.width * each.height > HUGE:
            yield Finding("huge", name, size)
        if long > STRANGE_ASPECT * short:
            yield Finding("strange-aspect", name, size)
        if _is_blank(each):
            yield Finding("blank", name, exclude=name)


def _is_blank(each: Inspection) -> bool:
    return int(np.ptp(each.look.thumbnail, axis=(0, 1)).max()) <= 1


def _oddities(sound: Sequence[Inspection]) -> Iterator[Finding]:
    """One note for each oddity, with all files that have it: none of it is a fault."""
    for code in KINDS:
        if files := [each for each in sound if code in each.oddities]:
            yield Finding(code, _names(files), f"{len(files):,} / {len(sound):,}")


def _classes(found: PictureFolder, sound: Sequence[Inspection], layout: _Layout) -> Iterator[Finding]:
    """Classes that are too small, of very different size, or missing from the training data."""
    if not layout.has_classes:
        return
    every = dict.fromkeys(layout.label(file) for file in found.files)
    learned = [each for each in sound if layout.split(each.file) in {"", "train"}]
    counts = Counter(dict.fromkeys(every, 0))
    counts.update(layout.label(each.file) for each in learned)
    missing = [label for label, count in counts.items() if count == 0]
    if missing:
        yield Finding("unlearned-class", (), _listed(missing))
    few = [f"{label} ({count})" for label, count in counts.items() if 0 < count < FEW]
    if few:
        yield Finding("few-pictures", (), _listed(few))
    present = {label: count for label, count in counts.items() if count}
    if present and max(present.values()) >= IMBALANCE * min(present.values()):
        most, least = max(present, key=lambda x: present[x]), min(present, key=lambda x: present[x])
        yield Finding("imbalance", (), f"{most} ({present[most]:,}), {least} ({present[least]:,})")


def _names(members: Sequence[Inspection]) -> tuple[str, ...]:
    return tuple(each.file.name for each in members)


def _listed(words: Sequence[str], most: int = 12) -> str:
    more = f", … (+{len(words) - most:,})" if len(words) > most else ""
    return ", ".join(words[:most]) + more

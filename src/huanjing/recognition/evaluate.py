"""How good a recogniser is on labelled pictures, and where it errs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import UsageError
from huanjing.recognition.calibration import ReliabilityBin, expected_calibration_error, reliability
from huanjing.recognition.dataset import LabelledFolder
from huanjing.recognition.novelty import Detection, measure_detection
from huanjing.recognition.shares import Share, wilson
from huanjing.runtime import Recognizer

SHOWN = 24
"""Mistakes, and suspected wrong labels, that a report names."""
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fares."""

    name: str
    pictures: int
    precision: Share
    """Of what was called so, the part that is: Wilson interval."""
    recall: Share
    """Of what is so, the part that was called so: Wilson interval."""
    f1: Share
    """Their harmonic mean: bootstrap interval."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A picture on which the label and the model disagree."""

    path: str
    label: str
    predicted: str
    probability: float
    """Of ``predicted``."""
    label_probability: float


Caution = Literal["learned", "validation"]


@dataclass(frozen=True)
class Evaluation:
    """A recogniser on a labelled folder."""

    model: str
    pictures: int
    classes: tuple[str, ...]
    """The model's, in order."""
    top1: Share
    top5: Share | None
    """None where the model has at most five classes."""
    per_class: tuple[ClassFigures, ...]
    """Of the classes that the folder has."""
    confusion: tuple[tuple[int, ...], ...]
    """Row: the class by label, column: by the model; over all the model's classes."""
    calibration_error: float
    """ECE over 15 bins, 0..1."""
    bins: tuple[ReliabilityBin, ...]
    mistakes: tuple[Doubt, ...]
    """The surest first."""
    suspects: tuple[Doubt, ...]
    """Labels that are probably wrong, the most probable first."""
    broken: tuple[tuple[str, str], ...]
    """Pictures that could not be read, with the reason."""
    detection: Detection | None = None
    """How well other things are told from these pictures, where there were some to try."""
    caution: Caution | None = None
    """What may flatter the model: pictures that it learned from, or by which its training chose."""
    chinese: Mapping[str, str] = field(default_factory=dict)
    """What its classes are called in Chinese, where the model knows."""

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain types, ready for JSON."""
        return asdict(self)


def evaluate(
    recognizer: Recognizer,
    folder: LabelledFolder,
    on_progress: Callable[[int, int], None] | None = None,
    unlike: Sequence[Path] = (),
) -> Evaluation:
    """Recognise every picture of ``folder`` as ``huanjing recognize`` does, and compare.

    :param unlike: pictures of other things, to see whether the model tells that it was not taught these.
    :raises UsageError: where a class of the folder is none of the model's, or no picture can be read.
    """
    english, ids = ([getattr(one, key) for one in recognizer.classes] for key in ("en", "id"))
    names = tuple(english if len(set(english)) == len(english) else ids)
    meant = match_classes(folder.classes, [(one.id, one.en, one.zh) for one in recognizer.classes])
    paths = [folder.index.path(file) for file in folder.index.files]
    rows: list[NDArray[np.float64]] = []
    labels: list[int] = []
    kept: list[str] = []
    broken: list[tuple[str, str]] = []
    novelty: list[float] = []
    answers = recognizer.recognize_all(paths, top=len(names), novelty=bool(unlike))
    for done, (file, number, answer) in enumerate(
        zip(folder.index.files, folder.labels, answers, strict=True)
    ):
        if answer.error is not None:
            broken.append((file.name, answer.error))
        else:
            row = np.zeros(len(names))
            row[[label.index for label in answer.labels]] = [label.probability for label in answer.labels]
            rows.append(row)
            labels.append(meant[number])
            kept.append(file.name)
            novelty += [answer.novelty] if answer.novelty is not None else []
        if on_progress is not None:
            on_progress(done + 1, len(paths) + len(unlike))
    if not rows:
        raise UsageError(f"{folder.index.root}: none of its {len(paths)} pictures can be read.")
    found = judge(recognizer.bundle.manifest.name, names, np.stack(rows), np.array(labels), kept, broken)
    chinese = {name: one.zh for name, one in zip(names, recognizer.classes, strict=True) if one.zh}
    found = replace(found, chinese=chinese)
    if not unlike:
        return found
    others: list[float] = []
    for done, answer in enumerate(recognizer.recognize_all(unlike, top=1, novelty=True)):
        if answer.novelty is not None:
            others.append(answer.novelty)
        else:
            broken.append((answer.path, answer.error or ""))
        if on_progress is not None:
            on_progress(len(paths) + done + 1, len(paths) + len(unlike))
    if not others:
        raise UsageError(f"--unlike: none of its {len(unlike)} pictures can be read.")
    detection = measure_detection(np.array(novelty), np.array(others))
    return replace(found, broken=tuple(broken), detection=detection)


def judge(
    model: str,
    classes: Sequence[str],
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    paths: Sequence[str],
    broken: Sequence[tuple[str, str]] = (),
) -> Evaluation:
    """All figures from probabilities ``[N, classes]`` and labels ``[N]``."""
    predicted = probabilities.argmax(axis=1)
    count = len(labels)
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    # How many classes are more probable than the label: 0 is right.
    rank = (probabilities > probabilities[np.arange(count), labels][:, None]).sum(axis=1)
    bins = reliability(probabilities, labels)
    return Evaluation(
        model=model,
        pictures=count,
        classes=tuple(classes),
        top1=wilson(int((predicted == labels).sum()), count),
        top5=wilson(int((rank < 5).sum()), count) if len(classes) > 5 else None,
        per_class=tuple(_class_figures(classes, confusion, labels, predicted)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        calibration_error=expected_calibration_error(bins),
        bins=tuple(bins),
        mistakes=tuple(_mistakes(classes, probabilities, labels, paths)),
        suspects=tuple(_suspects(classes, probabilities, labels, paths)),
        broken=tuple(broken),
    )


def match_classes(folders: Sequence[str], known: Sequence[tuple[str, ...]]) -> list[int]:
    """Which of the model's classes each folder's name means: its id, or its name in either language.

    :raises UsageError: naming the folders that mean none.
    """
    meanings: dict[str, int] = {}
    for position, names in enumerate(known):
        for name in names:
            if name:
                meanings.setdefault(_simple(name), position)
    unknown = [name for name in folders if _simple(name) not in meanings]
    if unknown:
        some = ", ".join(names[0] or names[1] for names in known[:8])
        raise UsageError(
            f"{len(unknown)} folders bear no class of the model: {', '.join(unknown[:8])}. "
            f"Its classes: {some}{', …' if len(known) > 8 else ''}."
        )
    return [meanings[_simple(name)] for name in folders]


def _simple(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ").strip()


def _class_figures(
    classes: Sequence[str],
    confusion: NDArray[np.int64],
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
) -> list[ClassFigures]:
    right, by_label, by_model = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    intervals = _bootstrap_f1(labels, predicted, len(classes))
    found = []
    for number in np.flatnonzero(by_label).tolist():
        f1 = 2.0 * right[number] / max(1, by_label[number] + by_model[number])
        found.append(
            ClassFigures(
                classes[number],
                int(by_label[number]),
                wilson(int(right[number]), int(by_model[number])),
                wilson(int(right[number]), int(by_label[number])),
                Share(float(f1), *intervals[number].tolist()),
            )
        )
    return found


def _bootstrap_f1(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Low and high of F1 per class, ``[classes, 2]``: the middle 95 % over resampled sets (Efron, 1979)."""
    draw = np.random.default_rng(0)
    samples = np.empty((RESAMPLES, classes))
    for number in range(RESAMPLES):
        some = draw.integers(0, len(labels), len(labels))
        one, other = labels[some], predicted[some]
        right = np.bincount(one[one == other], minlength=classes)
        total = np.bincount(one, minlength=classes) + np.bincount(other, minlength=classes)
        samples[number] = 2.0 * right / np.maximum(1, total)
    return np.asarray(np.quantile(samples, (0.025, 0.975), axis=0).T, np.float64)


def _mistakes(
    classes: Sequence[str],
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    paths: Sequence[str],
) -> list[Doubt]:
    predicted = probabilities.argmax(axis=1)
    sure = np.where(predicted == labels, -1.0, probabilities.max(axis=1))
    order = [k for k in np.argsort(-sure, kind="stable")[:SHOWN].tolist() if sure[k] >= 0]
    return [_doubt(k, int(predicted[k]), classes, probabilities, labels, paths) for k in order]


def _suspects(
    classes: Sequence[str],
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    paths: Sequence[str],
) -> list[Doubt]:
    """Confident learning (Northcutt, Jiang and Chuang, 2021): a picture is suspected where another class reaches the
    probability that this class has, on average, on the pictures labelled with it, and the label's own does not.
    """
    own = probabilities[np.arange(len(labels)), labels]
    total = np.bincount(labels, weights=own, minlength=len(classes))
    count = np.bincount(labels, minlength=len(classes))
    usual = np.where(count > 0, total / np.maximum(1, count), np.inf)
    reached = np.where(probabilities >= usual, probabilities, -1.0)
    best = reached.argmax(axis=1)
    suspected = (reached.max(axis=1) >= 0) & (best != labels) & (own < usual[labels])
    margin = np.where(suspected, own - probabilities[np.arange(len(labels)), best], np.inf)
    order = [k for k in np.argsort(margin, kind="stable")[:SHOWN].tolist() if suspected[k]]
    return [_doubt(k, int(best[k]), classes, probabilities, labels, paths) for k in order]


def _doubt(
    k: int,
    predicted: int,
    classes: Sequence[str],
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    paths: Sequence[str],
) -> Doubt:
    return Doubt(
        str(Path(paths[k]).as_posix()),
        classes[labels[k]],
        classes[predicted],
        float(probabilities[k, predicted]),
        float(probabilities[k, labels[k]]),
    )

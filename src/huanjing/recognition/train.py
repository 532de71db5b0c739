"""The training of a recogniser, from pictures to a bundle: features, head, fine-tuning, the better of the two."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle, Figure
from huanjing.errors import RunError
from huanjing.recognition.calibration import fit_temperature
from huanjing.recognition.config import RecognizerConfig
from huanjing.recognition.dataset import LabelledPictures, Part
from huanjing.recognition.frozen import FIRST_HEAD, Frozen
from huanjing.recognition.head import Head
from huanjing.recognition.head_graph import with_head
from huanjing.recognition.novelty import FeaturesOf, features_by, novelty_of
from huanjing.recognition.start import Start, find_start, start_bundle
from huanjing.recognition.trained_bundle import (
    Description,
    describe_again,
    reference_pictures,
    saver,
    write_recognizer,
)
from huanjing.runtime import Recognizer
from huanjing.training import Run

if TYPE_CHECKING:
    import keras

    from huanjing.recognition.finetune import Tick
    from huanjing.runtime.silent import ov

Tunable = tuple["Callable[[], keras.Model]", "Callable[[keras.Model, Path], ov.Model]"]
Method = Literal["head", "fine-tuned", "scratch"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Watch:
    """Who is told how training goes."""

    say: Say
    features: Callable[[str, int, int], None]
    """Called with what is read, the pictures done and the pictures in all."""
    tick: Callable[[Tick], None]


@dataclass(frozen=True)
class TrainedRecognizer:
    """What training leaves."""

    bundle: Bundle
    method: Method
    validation: float
    """Top-1 accuracy on the validation pictures, 0..1."""
    test: float | None
    """The same on the folder's test pictures, where it has some."""
    seconds: float


@dataclass(frozen=True)
class _Candidate:
    """A model on trial: its answers for the validation pictures, and how to write it."""

    method: Method
    logits: NDArray[np.float32]
    write: Callable[[Path, Description], Bundle]
    described: Description
    protocol: str = ""
    features: FeaturesOf | None = None
    """Where they were computed for the head; else the written model computes them."""

    def accuracy(self, labels: NDArray[np.int64]) -> float:
        """Top-1 on the validation pictures, 0..1."""
        return float((self.logits.argmax(axis=1) == labels).mean())


def train_recognizer(
    config: RecognizerConfig, data: LabelledPictures, run: Run, *, name: str, watch: Watch, started: float
) -> TrainedRecognizer:
    """Train in ``run`` and write the bundle to its ``model/``.

    :param started: ``time.monotonic()`` when the command began, from which ``minutes`` count.
    :raises Interrupted: after Ctrl-C or SIGTERM while the network trains, once the state is saved.
    """
    labels = data.labels[data.positions("val")]
    if config.scratch:
        best = _from_scratch(config, data, run, watch, started)
    else:
        start = find_start(config.start, Path(config.weights) if config.weights else None)
        frozen = Frozen(data, start_bundle(start, config.side), watch.features, config.seed)
        looks = _looks(config, frozen, started)
        head, temperature = frozen.fit(looks)
        best = _head_candidate(config, start, frozen, head, temperature, looks)
        right = best.accuracy(labels)
        watch.say(
            f"The head on the frozen network: {right:.1%} of {len(labels):,} validation pictures right, "
            f"after {time.monotonic() - started:.1f} s."
        )
        if not config.head_only:
            tuned = _fine_tuned(config, data, run, start, head, watch, started)
            watch.say(f"The fine-tuned network: {tuned.accuracy(labels):.1%}.")
            # A tie goes to the simpler one.
            best = max((best, tuned), key=lambda one: one.accuracy(labels))
            watch.say("Kept: " + ("the head." if best.method == "head" else "the fine-tuned network."))
    return _finish(config, data, run, best, name, started)


def _looks(config: RecognizerConfig, frozen: Frozen, started: float) -> int | None:
    """At how many pictures the frozen network may look; None is all, as often as is good."""
    first = None if config.head_only else FIRST_HEAD
    if config.minutes is None:
        return first
    left = 60.0 * config.minutes - (time.monotonic() - started)
    in_time = frozen.looks((0.7 if config.head_only else 0.25) * left)
    return in_time if first is None else min(first, in_time)


def _head_candidate(
    config: RecognizerConfig, start: Start, frozen: Frozen, head: Head, temperature: float, looks: int | None
) -> _Candidate:
    data = frozen.data
    everything = len(data.positions("train", "val", "generated"))
    again = data.split_here and everything <= (FIRST_HEAD if looks is None else min(looks, FIRST_HEAD))
    described = Description(
        start.architecture,
        "candidate",
        (),
        temperature=temperature,
        origin=f"Logistic regression on the frozen features of {start.credit}",
        normalisation=start.normalisation,
    )

    def write(folder: Path, description: Description) -> Bundle:
        # The validation pictures have done their work: the head that is kept learns from them too.
        graph = with_head(frozen.bundle.graph, frozen.refit(head) if again else head)
        return write_recognizer(folder, config, description, reference_pictures(config, data), saver(graph))

    protocol = "; the head was then fitted again on training and validation pictures" if again else ""
    logits = head.logits(frozen.features(data.positions("val")))

    def seen(part: Part, _most: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        # Of the training pictures, those that the head was fitted on: their features are there.
        positions = (
            np.intersect1d(frozen.learned(looks), data.positions(part))
            if part == "train"
            else data.positions(part)
        )
        return frozen.features(positions), data.labels[positions]

    return _Candidate("head", logits, write, described, protocol, seen)


def _fine_tuned(
    config: RecognizerConfig,
    data: LabelledPictures,
    run: Run,
    start: Start,
    head: Head,
    watch: Watch,
    started: float,
) -> _Candidate:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    from huanjing.recognition.finetune import FINE_TUNING, train_network

    make, save = _tunable(start, config.side, head)
    trained = train_network(config, FINE_TUNING, make, data, run, watch.tick, started)
    description = Description(
        start.architecture,
        "candidate",
        (),
        origin=f"Fine-tuned from {start.credit}",
        normalisation=start.normalisation,
    )
    return _on_trial(config, data, run, "fine-tuned", description, lambda path: save(trained, path))


def _tunable(start: Start, side: int, head: Head) -> Tunable:
    """How the network is made with ``head`` for its classifier, and how it is written once trained."""
    if start.variant is not None:
        from huanjing.recognition import efficientnet_lite_network

        assert start.bundle is not None
        return efficientnet_lite_network.fine_tunable(start.variant, start.bundle.graph, side, head)
    from huanjing.recognition import classic_training

    assert start.preset is not None
    assert start.weights is not None
    return classic_training.fine_tunable(start.preset, start.weights, side, head)


def _from_scratch(
    config: RecognizerConfig, data: LabelledPictures, run: Run, watch: Watch, started: float
) -> _Candidate:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    from huanjing.recognition.classic_training import save_graph
    from huanjing.recognition.finetune import FROM_SCRATCH, train_network
    from huanjing.recognition.scratch import NORMALISATION, SCRATCH_ARCHITECTURE, build_network

    def make() -> keras.Model:
        return build_network(config.side, config.channels, len(data.classes), config.seed)

    trained = train_network(config, FROM_SCRATCH, make, data, run, watch.tick, started)
    description = Description(
        SCRATCH_ARCHITECTURE, "candidate", (), origin="Trained from nothing", normalisation=NORMALISATION
    )
    return _on_trial(config, data, run, "scratch", description, lambda path: save_graph(trained, path))


def _on_trial(
    config: RecognizerConfig,
    data: LabelledPictures,
    run: Run,
    method: Method,
    described: Description,
    save: Callable[[Path], ov.Model],
) -> _Candidate:
    """Write a trained network aside, and let it answer for the validation pictures as it will be used."""

    def write(folder: Path, description: Description) -> Bundle:
        return write_recognizer(folder, config, description, reference_pictures(config, data), save)

    aside = run.folder / f".{method}"
    shutil.rmtree(aside, ignore_errors=True)
    bundle = write(aside, described)
    logits = _answers(bundle, data, data.positions("val"))
    shutil.rmtree(aside)
    temperature = fit_temperature(logits, data.labels[data.positions("val")])
    return _Candidate(method, logits, write, replace(described, temperature=temperature))


def _finish(
    config: RecognizerConfig, data: LabelledPictures, run: Run, best: _Candidate, name: str, started: float
) -> TrainedRecognizer:
    labels = data.labels[data.positions("val")]
    if not np.isfinite(best.logits).all():
        raise RunError(f"{run.folder}: the network's answers are not finite numbers. Try another --seed.")
    right = best.accuracy(labels)
    by = "its temperature and settings were chosen by them" + best.protocol
    how = "a share of the folder" if data.split_here else "the folder's own validation pictures"
    seen = "" if config.generated is None else f"; flatters if {config.generated.generator} learned from them"
    figures = [
        Figure("top1_validation", round(right, 6), f"share of {len(labels)} pictures, {how}; {by}{seen}")
    ]
    description = replace(best.described, name=name, figures=figures)
    bundle = best.write(run.model, description)
    test = data.positions("test")
    accuracy = None
    if len(test):
        accuracy = float((_answers(bundle, data, test).argmax(axis=1) == data.labels[test]).mean())
        protocol = (
            f"share of the {len(test)} pictures in the folder's test part, which nothing was chosen by{seen}"
        )
        figures.append(Figure("top1_test", round(accuracy, 6), protocol))
    novelty = novelty_of(best.features or features_by(Recognizer(bundle), data))
    bundle = describe_again(bundle, temperature=description.temperature, figures=figures, novelty=novelty)
    return TrainedRecognizer(bundle, best.method, right, accuracy, time.monotonic() - started)


def _answers(bundle: Bundle, data: LabelledPictures, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """Logits ``[N, classes]``, a block of pictures at a time."""
    recognizer = Recognizer(bundle)
    blocks = np.array_split(positions, math.ceil(len(positions) / 512))
    return np.concatenate([recognizer.logits(data.pictures.array[block]) for block in blocks])

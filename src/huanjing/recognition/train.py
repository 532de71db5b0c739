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

from huanjing.bundle import Bundle, Figure, find_model
from huanjing.errors import RunError, UsageError
from huanjing.recognition.calibration import fit_temperature
from huanjing.recognition.config import RecognizerConfig
from huanjing.recognition.dataset import LabelledPictures, class_weights
from huanjing.recognition.efficientnet_lite import VARIANTS, Variant
from huanjing.recognition.efficientnet_lite_graph import build_graph, read_weights
from huanjing.recognition.features import frozen_features
from huanjing.recognition.head import Head, choose_head, fit_head
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
    import openvino

    from huanjing.recognition.finetune import Tick

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
    architecture: str
    protocol: str

    def accuracy(self, labels: NDArray[np.int64]) -> float:
        """Top-1 on the validation pictures, 0..1."""
        return float((self.logits.argmax(axis=1) == labels).mean())


def start_model(name: str) -> tuple[Bundle, Variant]:
    """The model to begin with, and which network it is.

    :raises UsageError: for one whose network cannot be trained further.
    """
    bundle = find_model(name, "recognizer")
    variant = VARIANTS.get(bundle.manifest.architecture)
    if variant is None:
        raise UsageError(
            f"--from {name}: training can begin with {', '.join(VARIANTS)}, a model trained from one of these, or "
            f"scratch; this one is {bundle.manifest.architecture!r}."
        )
    return bundle, variant


def train_recognizer(
    config: RecognizerConfig, data: LabelledPictures, run: Run, *, name: str, watch: Watch
) -> TrainedRecognizer:
    """Train in ``run`` and write the bundle to its ``model/``.

    :raises Interrupted: after Ctrl-C or SIGTERM while the network trains, once the state is saved.
    """
    started = time.monotonic()
    labels = data.labels[data.positions("val")]
    if config.scratch:
        best = _from_scratch(config, data, run, watch, started)
    else:
        bundle, variant = start_model(config.start)
        head = _fit(data, bundle, watch)
        best = _head_candidate(config, data, bundle, variant, head)
        right = best.accuracy(labels)
        watch.say(
            f"The head on the frozen network: {right:.1%} of {len(labels):,} validation pictures right, "
            f"after {time.monotonic() - started:.1f} s."
        )
        if not config.head_only:
            tuned = _fine_tuned(config, data, run, bundle, variant, head, watch, started)
            watch.say(f"The fine-tuned network: {tuned.accuracy(labels):.1%}.")
            # A tie goes to the simpler one.
            best = max((best, tuned), key=lambda one: one.accuracy(labels))
            watch.say("Kept: " + ("the head." if best.method == "head" else "the fine-tuned network."))
    return _finish(data, run, best, name, started)


def _fit(data: LabelledPictures, bundle: Bundle, watch: Watch) -> Head:
    features, labels = _seen_twice(data, bundle, data.positions("train"), watch)
    validation = data.positions("val")
    judged = _features(data, bundle, validation, watch), data.labels[validation]
    return choose_head(features, labels, judged, class_weights(data.counts("train")))


def _features(
    data: LabelledPictures, bundle: Bundle, positions: NDArray[np.int64], watch: Watch, mirrored: bool = False
) -> NDArray[np.float32]:
    what = "Looking in the mirror" if mirrored else "Looking at pictures"
    return frozen_features(
        Recognizer(bundle),
        data.pictures,
        positions,
        mirrored=mirrored,
        on_progress=lambda done, total: watch.features(what, done, total),
    )


def _seen_twice(
    data: LabelledPictures, bundle: Bundle, positions: NDArray[np.int64], watch: Watch
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features and labels of pictures as they are and as a mirror shows them."""
    both = [_features(data, bundle, positions, watch, mirrored) for mirrored in (False, True)]
    return np.concatenate(both), np.tile(data.labels[positions], 2)


def _head_candidate(
    config: RecognizerConfig, data: LabelledPictures, bundle: Bundle, variant: Variant, head: Head
) -> _Candidate:
    quiet = Watch(lambda _: None, lambda *_: None, lambda _: None)
    logits = head.logits(_features(data, bundle, data.positions("val"), quiet))

    def write(folder: Path, description: Description) -> Bundle:
        final = head
        if data.split_here:
            # The validation pictures have done their work: the head that is kept learns from them too.
            learned = _seen_twice(data, bundle, data.positions("train"), quiet)
            judged = _seen_twice(data, bundle, data.positions("val"), quiet)
            features = np.concatenate([learned[0], judged[0]])
            labels = np.concatenate([learned[1], judged[1]])
            weights = class_weights(data.counts("train") + data.counts("val"))
            final = fit_head(features, labels, weights, head.regularisation)
        named = read_weights(bundle.graph)
        named |= {"classifier/kernel": final.kernel, "classifier/bias": final.bias}
        graph = build_graph(named, variant, resolution=config.side)
        return write_recognizer(folder, config, description, reference_pictures(config, data), saver(graph))

    afterwards = (
        "; the head was then fitted again on training and validation pictures" if data.split_here else ""
    )
    origin = (
        f"Logistic regression on the frozen features of {bundle.manifest.name} ({bundle.manifest.licence})"
    )
    return _Candidate(
        "head", logits, lambda folder, d: write(folder, replace(d, origin=origin)), variant.name, afterwards
    )


def _fine_tuned(
    config: RecognizerConfig,
    data: LabelledPictures,
    run: Run,
    bundle: Bundle,
    variant: Variant,
    head: Head,
    watch: Watch,
    started: float,
) -> _Candidate:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    from huanjing.recognition.efficientnet_lite_network import build_network, load_weights, network_weights
    from huanjing.recognition.finetune import FINE_TUNING, train_network

    named = read_weights(bundle.graph)
    named |= {"classifier/kernel": head.kernel, "classifier/bias": head.bias}

    def make() -> object:
        network = build_network(variant, resolution=config.side, classes=len(data.classes))
        load_weights(network, named)
        for layer in network.layers:
            if layer.name.endswith("_normalisation"):
                layer.trainable = False  # its statistics are of many more pictures than these
        return network

    trained = train_network(config, FINE_TUNING, make, data, run, watch.tick, started)
    graph = build_graph(network_weights(trained), variant, resolution=config.side)
    origin = f"Fine-tuned from {bundle.manifest.name} ({bundle.manifest.licence})"
    return _on_trial(config, data, run, "fine-tuned", variant.name, origin, saver(graph))


def _from_scratch(
    config: RecognizerConfig, data: LabelledPictures, run: Run, watch: Watch, started: float
) -> _Candidate:
    from huanjing.training.engine import require_tensorflow

    require_tensorflow()
    from huanjing.recognition.finetune import FROM_SCRATCH, train_network
    from huanjing.recognition.scratch import SCRATCH_ARCHITECTURE, build_network, save_graph

    def make() -> object:
        return build_network(config.side, config.channels, len(data.classes), config.seed)

    trained = train_network(config, FROM_SCRATCH, make, data, run, watch.tick, started)
    plain = build_network(config.side, config.channels, len(data.classes), config.seed)
    plain.set_weights(trained.get_weights())
    origin = "Trained from nothing"
    return _on_trial(
        config, data, run, "scratch", SCRATCH_ARCHITECTURE, origin, lambda path: save_graph(plain, path)
    )


def _on_trial(
    config: RecognizerConfig,
    data: LabelledPictures,
    run: Run,
    method: Method,
    architecture: str,
    origin: str,
    save: Callable[[Path], openvino.Model],
) -> _Candidate:
    """Write a trained network aside, and let it answer for the validation pictures as it will be used."""

    def write(folder: Path, description: Description) -> Bundle:
        return write_recognizer(
            folder, config, replace(description, origin=origin), reference_pictures(config, data), save
        )

    aside = run.folder / f".{method}"
    shutil.rmtree(aside, ignore_errors=True)
    bundle = write(aside, Description(architecture, "candidate", ()))
    logits = _answers(bundle, data, data.positions("val"))
    shutil.rmtree(aside)
    return _Candidate(method, logits, write, architecture, "")


def _finish(
    data: LabelledPictures, run: Run, best: _Candidate, name: str, started: float
) -> TrainedRecognizer:
    labels = data.labels[data.positions("val")]
    if not np.isfinite(best.logits).all():
        raise RunError(f"{run.folder}: the network's answers are not finite numbers. Try another --seed.")
    right = best.accuracy(labels)
    by = "its temperature and settings were chosen by them" + best.protocol
    how = "a share of the folder" if data.split_here else "the folder's own validation pictures"
    figures = [Figure("top1_validation", round(right, 6), f"share of {len(labels)} pictures, {how}; {by}")]
    description = Description(
        best.architecture, name, figures, temperature=fit_temperature(best.logits, labels)
    )
    bundle = best.write(run.model, description)
    test = data.positions("test")
    accuracy = None
    if len(test):
        accuracy = float((_answers(bundle, data, test).argmax(axis=1) == data.labels[test]).mean())
        protocol = f"share of the {len(test)} pictures in the folder's test part, which nothing was chosen by"
        figures.append(Figure("top1_test", round(accuracy, 6), protocol))
        bundle = describe_again(bundle, temperature=description.temperature, figures=figures)
    return TrainedRecognizer(bundle, best.method, right, accuracy, time.monotonic() - started)


def _answers(bundle: Bundle, data: LabelledPictures, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """Logits ``[N, classes]``, a block of pictures at a time."""
    recognizer = Recognizer(bundle)
    blocks = np.array_split(positions, math.ceil(len(positions) / 512))
    return np.concatenate([recognizer.logits(data.pictures.array[block]) for block in blocks])

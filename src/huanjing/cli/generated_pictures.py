"""What ``--add-generated`` adds to a recogniser's training: pictures of a generator that knows the folder's classes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from huanjing.cli.lesson import known_positions
from huanjing.errors import RunError, UsageError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray
    from huanjing.datasets.generated import Request
    from huanjing.recognition.config import RecognizerConfig
    from huanjing.recognition.dataset import LabelledPictures
    from huanjing.runtime import Generator

DEFAULT_SHARE = 0.5
"""As many generated pictures as real ones: neither outweighs the other."""
APART = 10**6
"""Between the first seeds of two runs with neighbouring --seed, so that they learn from other pictures."""
NAMED = 8
"""Classes that an error names at most."""


def find_generator(model: str, classes: Sequence[str]) -> Generator:
    """The generator that is named.

    :param classes: what it must have been taught.
    :raises UsageError: where it was not.
    """
    from huanjing.runtime import Generator

    generator = Generator(model)
    if not generator.classes:
        raise UsageError(
            f"--add-generated {model}: this generator was taught no classes, so that nothing says what its pictures "
            "show. Train one that knows them with: huanjing train generator FOLDER --conditional yes"
        )
    taught = known_positions(generator, classes)
    unknown = [name for name in classes if name not in taught]
    if unknown:
        known = _listed([each.id for each in generator.classes])
        raise UsageError(
            f"--add-generated {model}: was not taught {len(unknown):,} of the folder's {len(classes):,} classes: "
            f"{_listed(unknown)}. It knows {known}. Name the folders as it calls them, leave these classes out with "
            "--exclude, or train a generator on them."
        )
    return generator


def add_generated(
    config: RecognizerConfig, data: LabelledPictures, generator: Generator
) -> tuple[RecognizerConfig, LabelledPictures]:
    """``config`` with the record of what ``generator`` made, and ``data`` with its pictures to learn from.

    :raises RunError: where the run was started with another generator, or its pictures came out otherwise.
    """
    import msgspec

    from huanjing.bundle import GeneratedData
    from huanjing.runtime.provenance import write_seeds

    assert config.share is not None
    manifest, digest = generator.bundle.manifest, generator.bundle.digest
    there = config.generated
    if there is not None and there.sha256 != digest:
        raise RunError(
            f"{config.add_generated}: is not the generator that the run was started with, whose SHA-256 is "
            f"{there.sha256[:12]}… (now {digest[:12]}…). Bring that one back, or name another run with --run."
        )
    requests = plan(generator, data, config.share, config.seed)
    added = data.with_generated(pictures := _make(generator, requests, data))
    made = GeneratedData(
        generator=manifest.name,
        sha256=digest,
        share=config.share,
        pictures=len(pictures.array),
        seeds={one.label: write_seeds(one.seeds) for one in requests},
        digest=pictures.digest,
    )
    if there is not None and there != made:
        raise RunError(
            f"{config.add_generated}: makes other pictures on this machine, or with this version, than those that the "
            "run was started with. Name another run with --run."
        )
    print(
        f"Learning also from {made.pictures:,} pictures made by {made.generator}, {config.share:.0%} of each class. "
        "They judge nothing; but where it learned from pictures that this run is judged by, the figures flatter.",
        file=sys.stderr,
    )
    return msgspec.structs.replace(config, generated=made), added


def plan(generator: Generator, data: LabelledPictures, share: float, seed: int) -> list[Request]:
    """Which pictures of each class to make, that they be ``share`` of what is learned of it; no seed comes twice."""
    from huanjing.datasets.generated import Request

    requests = []
    first = seed * APART
    for name, real in zip(data.classes, data.counts("train").tolist(), strict=True):
        count = max(1, round(real * share / (1.0 - share)))
        requests.append(Request(name, generator.class_position(name), range(first, first + count)))
        first += count
    return requests


def _make(generator: Generator, requests: Sequence[Request], data: LabelledPictures) -> PictureArray:
    from huanjing.datasets.generated import generated_pictures
    from huanjing.training import Progress

    _, height, width, channels = data.pictures.array.shape
    started = time.monotonic()
    with Progress("Making pictures", counted="picture") as progress:

        def show(done: int, total: int) -> None:
            rate = done / max(1e-3, time.monotonic() - started)
            left = (total - done) / rate
            progress.update(done / total, step=done, rate=rate, values={}, seconds_left=left)

        return generated_pictures(generator, requests, (height, width), 1 if channels == 1 else 3, show)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more

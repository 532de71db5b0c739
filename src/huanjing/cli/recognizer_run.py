"""What a recogniser's run is made of: the options as given, the run that is there, and the pictures."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from huanjing.cli.generated_pictures import DEFAULT_SHARE, add_generated, find_generator
from huanjing.cli.reading import counting, read_pictures
from huanjing.errors import RunError, UsageError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray
    from huanjing.recognition.config import RecognizerConfig
    from huanjing.recognition.dataset import LabelledFolder, LabelledPictures
    from huanjing.recognition.start import Start

DEFAULT_START = "efficientnet-lite0"
DEFAULT_MINUTES = 10.0
MANY = 5000
"""So many pictures take more than a moment to be looked at for near-duplicates."""
SMALL = 1000
"""With fewer pictures, the head alone is fitted unless more is asked for: that takes seconds."""
SCRATCH_SIDE = 64
"""Of what a network that starts from nothing sees, unless the pictures are small themselves."""


@dataclass(frozen=True)
class Asked:
    """The options of a recogniser's training as given; None is left open."""

    start: str | None = None
    weights: Path | None = None
    minutes: float | None = None
    epochs: int | None = None
    seed: int | None = None
    batch: int | None = None
    add_generated: str | None = None
    share: float | None = None


def configure(
    run: Path, folder: LabelledFolder, asked: Asked, lists: Mapping[str, Path | None]
) -> tuple[RecognizerConfig, LabelledPictures]:
    """The configuration of the run that is there, where ``asked`` agrees with it, or a new one; and the pictures.

    :param lists: options that name files, for the record of the command.
    """
    from huanjing.recognition.config import SCRATCH, RecognizerConfig
    from huanjing.recognition.start import find_start
    from huanjing.training import read_config, reconcile

    there = read_config(run, RecognizerConfig)
    name = asked.start or (there.start if there else DEFAULT_START)
    weights = asked.weights or (Path(there.weights) if there and there.weights else None)
    start = find_start(name, weights) if name != SCRATCH else None
    if start is None and weights is not None:
        raise UsageError("--weights goes with a network to begin with, and --from scratch has none.")
    maker = asked.add_generated or (there.add_generated if there else "")
    if asked.share is not None and not maker:
        raise UsageError("--share says how much --add-generated GENERATOR is to add; name the generator too.")
    generator = find_generator(maker, folder.classes) if maker else None
    if there is None:
        asked = _with_length(asked, start, folder)
        side = _side(start, folder, head_only=asked.epochs == 0)
        data = _arrange(folder, side, asked.seed or 0)
        config = _new(run, folder, data, start, side, asked, lists)
        return add_generated(config, data, generator) if generator else (config, data)
    started = {
        "--from": there.start,
        "--weights": Path(there.weights) if there.weights else None,
        "--minutes": there.minutes,
        "--epochs": there.epochs,
        "--seed": there.seed,
        "--batch": there.batch,
        "--add-generated": there.add_generated or None,
        "--share": there.share,
    }
    reconcile(run, started, dict(zip(started, vars(asked).values(), strict=True)))
    if start is not None and start.digest != there.start_digest:
        raise RunError(
            f"{run}: was started from another model than {name} is now. Bring that one back, or name another folder "
            "with --run."
        )
    data = _arrange(folder, there.side, there.seed)
    if _digest(data) != there.data.digest:
        raise RunError(
            f"{folder.index.root}: the pictures are not those that {run} was started on: {len(data.labels)} now, "
            f"{there.data.pictures} then. Bring them back, or name another run with --run."
        )
    return add_generated(there, data, generator) if generator else (there, data)


def _new(
    run: Path,
    folder: LabelledFolder,
    data: LabelledPictures,
    start: Start | None,
    side: int,
    asked: Asked,
    lists: Mapping[str, Path | None],
) -> RecognizerConfig:
    from huanjing.datasets.folder import as_text
    from huanjing.recognition.config import SCRATCH, LabelledSummary, RecognizerConfig
    from huanjing.runtime.engine import resolve_precision

    channels = start.channels if start else data.pictures.array.shape[3]
    minutes, epochs = asked.minutes, asked.epochs
    seed = asked.seed or 0
    batch = asked.batch or _batch(start)
    name = start.name if start else SCRATCH
    weights = f"--weights {shlex.quote(str(asked.weights))} " if asked.weights else ""
    length = f"--minutes {minutes:g} " if minutes is not None else ""
    length += f"--epochs {epochs} " if epochs is not None else ""
    length += "".join(f"{option} {shlex.quote(path.name)} " for option, path in lists.items() if path)
    share = (asked.share or DEFAULT_SHARE) if asked.add_generated else None
    if asked.add_generated:
        length += f"--add-generated {shlex.quote(asked.add_generated)} --share {share:g} "
    pictures = as_text(folder.index.root.resolve().name)
    command = (
        f"huanjing train recognizer {shlex.quote(pictures)} --from {shlex.quote(name)} {weights}{length}"
        f"--batch {batch} --seed {seed} --run {shlex.quote(run.name)}"
    )
    return RecognizerConfig(
        start=name,
        start_digest=start.digest if start else "",
        weights=str(asked.weights) if asked.weights else "",
        side=side,
        channels=1 if channels == 1 else 3,
        seed=seed,
        batch=batch,
        epochs=epochs,
        minutes=minutes,
        precision="mixed_bfloat16" if resolve_precision("auto") == "bf16" else "float32",
        data=LabelledSummary(pictures, len(data.labels), list(data.classes), _digest(data)),
        add_generated=asked.add_generated or "",
        share=share,
        command=as_text(command),
    )


def _digest(data: LabelledPictures) -> str:
    """SHA-256 over the pictures, their classes, and what each is for."""
    digest = hashlib.sha256(data.pictures.digest.encode())
    digest.update(repr((data.classes, data.labels.tolist(), data.parts)).encode())
    return digest.hexdigest()


def _with_length(asked: Asked, start: Start | None, folder: LabelledFolder) -> Asked:
    """``asked`` with minutes or epochs, whether they were given or not.

    :raises UsageError: where they ask for what the model to begin with cannot do.
    """
    if asked.minutes is None and asked.epochs is None:
        learned = sum(part in {None, "train"} for part in folder.parts)
        if start is None or (start.tunable and learned >= SMALL):
            asked = replace(asked, minutes=DEFAULT_MINUTES)
        else:
            asked = replace(asked, epochs=0)
    if start is None and asked.epochs == 0:
        raise UsageError("--epochs 0 fits the head alone, and --from scratch has no network to put it on.")
    if start is not None and not start.tunable and asked.epochs != 0:
        raise UsageError(_untunable(start))
    return asked


def _side(start: Start | None, folder: LabelledFolder, *, head_only: bool) -> int:
    """Of the pictures that a new run's network sees: a head can afford the largest, which are best."""
    from huanjing.recognition.dataset import magnified_side, stored_side

    if start is None:
        return stored_side(folder.index, SCRATCH_SIDE)
    return start.side if head_only else magnified_side(folder.index, start.side)


def _batch(start: Start | None) -> int:
    """Pictures in a step; few for the classic networks, of which VGG16 would need more than 4 GB for sixteen."""
    if start is None:
        return 64
    return 8 if start.weights else 32


def _untunable(start: Start) -> str:
    from huanjing.bundle.download import weights_folder
    from huanjing.recognition.presets import PRESETS

    preset = PRESETS.get(start.architecture)
    file = f"put {preset.file} into {weights_folder()}, or name it with --weights" if preset else ""
    how = f"That needs the network in Keras: {file}. " if preset and preset.name == start.name else ""
    return (
        f"--from {start.name}: this model's features serve a new head, but it cannot be fine-tuned. {how}"
        "--epochs 0 fits the head alone."
    )


def _arrange(folder: LabelledFolder, side: int, seed: int) -> LabelledPictures:
    """Decode the pictures, and divide them into those to learn from and those to judge by."""
    from huanjing.recognition.dataset import arrange

    pictures = _prepare(folder, side)
    if len(pictures) < MANY or "val" in folder.parts:  # where the folder divides them, nothing is looked for
        return arrange(folder, pictures, seed)
    with counting("Near-duplicates") as show:
        return arrange(folder, pictures, seed, show)


def _prepare(folder: LabelledFolder, side: int) -> PictureArray:
    """Decode the pictures at the size that training needs, and say what was set aside."""
    from huanjing.recognition.dataset import stored_side

    stored = stored_side(folder.index, side)
    pictures = read_pictures(folder.index, (stored, stored))
    if folder.unlabelled:
        print(f"{folder.unlabelled:,} pictures have no class and are passed over.", file=sys.stderr)
    return pictures

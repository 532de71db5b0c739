"""``huanjing directions``: what a generator can change about a picture, found without labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from huanjing.cli.making import (
    STILLS,
    Finish,
    Start,
    class_name,
    encode_still,
    force_option,
    label_option,
    quality_option,
    scale_option,
    wanted_kind,
    write_new,
)
from huanjing.cli.options import Between
from huanjing.cli.startup import import_openvino_lightly


@click.command()
@click.argument("model", metavar="[MODEL_OR_RUN]", required=False)
@click.option(
    "--start", metavar="A", default="0", show_default=True, help="A seed, or a file that project wrote."
)
@click.option("--class", "class_", metavar="NAME", help="Which class, where the generator was taught any.")
@click.option(
    "--count", "-n", type=click.IntRange(1, 64), default=6, show_default=True, help="How many directions."
)
@click.option(
    "--steps", type=click.IntRange(2, 99), default=7, show_default=True, help="Pictures a direction."
)
@click.option(
    "--amount",
    type=Between(0.1, 100),
    default=3.0,
    show_default=True,
    help="How far to go, either way.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("directions.png"),
    show_default=True,
    help="The sheet: png, jpg or webp.",
)
@scale_option
@quality_option
@label_option
@force_option
def directions(model: str | None, start: str, class_: str | None, output: Path, **asked: Any) -> int:
    """Show what the leading directions of a generator do to one picture: a row for each, a slider's steps across.

    The middle is the picture itself where the steps are an odd number. huanjing generate --direction K=AMOUNT goes
    the same way with any seed.

    Example: huanjing directions runs/cats-generator --start 7 --count 8
    """
    kind = wanted_kind(output, "--output", STILLS)
    finish = Finish(asked["scale"], asked["words"], asked["quality"])
    import_openvino_lightly()
    import numpy as np

    from huanjing.images import picture_grid
    from huanjing.runtime import Generator
    from huanjing.runtime.provenance import provenance
    from huanjing.runtime.steering import find_directions

    generator = Generator(model)
    point = Start.read(start, generator, class_)
    found, strengths = find_directions(generator.bundle)
    shown = found[: asked["count"]]
    amounts = np.linspace(-asked["amount"], asked["amount"], asked["steps"], dtype=np.float32)
    latent = (point.latent + amounts[None, :, None] * shown[:, None, :]).reshape(-1, generator.latent.size)
    rows = None if point.classes is None else point.classes[None].repeat(len(latent), axis=0)
    sheet = picture_grid(generator.draw(latent, rows), len(amounts))
    marks = provenance(
        generator.bundle,
        kind="directions",
        start=point.record,
        directions=len(shown),
        amount=asked["amount"],
        steps=len(amounts),
        **class_name(generator, class_, [point]),
    )
    write_new(output, encode_still(finish.apply(sheet), kind, marks, finish.quality), force=asked["force"])
    print(output)
    part = 100 * np.square(strengths[: len(shown)]).sum() / np.square(strengths).sum()
    print(
        f"{len(shown)} of {len(found)} directions of {generator.bundle.manifest.name}, from {-asked['amount']:g} to "
        f"{asked['amount']:g}; they carry {part:.0f} % of what its first layer passes on",
        file=sys.stderr,
    )
    return 0

"""``huanjing mix``: the way from one picture to another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from huanjing.cli.making import (
    Finish,
    Start,
    class_name,
    encode_film,
    encode_still,
    force_option,
    label_option,
    quality_option,
    refuse_long_film,
    scale_option,
    wanted_kind,
    write_new,
)
from huanjing.cli.options import Between
from huanjing.cli.startup import import_openvino_lightly

KINDS = ("png", "jpg", "webp", "gif", "mp4")


@click.command()
@click.argument("first", metavar="A")
@click.argument("last", metavar="B")
@click.option(
    "--model", "-m", metavar="NAME", help="A generator or run folder; the embedded one unless told."
)
@click.option("--class", "class_", metavar="NAME", help="Which class, where the generator was taught any.")
@click.option(
    "--steps",
    type=click.IntRange(2, 1000),
    default=8,
    show_default=True,
    help="Pictures, A and B among them.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("mix.png"),
    show_default=True,
    help="A strip (png, jpg, webp) or a film (gif, mp4).",
)
@click.option("--rate", type=Between(1, 60), default=12, show_default=True, help="Frames a second.")
@scale_option
@quality_option
@label_option
@force_option
def mix(first: str, last: str, model: str | None, class_: str | None, output: Path, **asked: Any) -> int:
    """Go from picture A to picture B through what the generator sees between them.

    A and B are seeds, or files that huanjing project wrote.

    Example: huanjing mix 7 42 --steps 10 --scale 3
    """
    kind = wanted_kind(output, "--output", KINDS)
    finish = Finish(asked["scale"], asked["words"], asked["quality"])
    import_openvino_lightly()
    import numpy as np

    from huanjing.images import picture_grid
    from huanjing.runtime import Generator
    from huanjing.runtime.provenance import provenance
    from huanjing.runtime.steering import class_path, latent_path

    generator = Generator(model)
    ends = [Start.read(text, generator, class_) for text in (first, last)]
    if kind in {"gif", "mp4"}:
        refuse_long_film(asked["steps"], generator, finish.scale)
    between = asked["steps"] - 1
    rows = [end.classes for end in ends if end.classes is not None]
    pictures = generator.draw(
        latent_path(np.stack([end.latent for end in ends]), between),
        class_path(np.stack(rows) if rows else None, between),
    )
    marks = provenance(
        generator.bundle,
        kind="mix",
        ends=[end.record for end in ends],
        steps=len(pictures),
        **class_name(generator, class_, ends),
    )
    if kind in {"gif", "mp4"}:
        data = encode_film(
            np.stack([finish.apply(picture) for picture in pictures]), kind, asked["rate"], marks
        )
    else:
        data = encode_still(finish.apply(picture_grid(pictures, len(pictures))), kind, marks, finish.quality)
    write_new(output, data, force=asked["force"])
    print(output)
    print(
        f"{len(pictures)} pictures by {generator.bundle.manifest.name}, from {first} to {last}",
        file=sys.stderr,
    )
    return 0

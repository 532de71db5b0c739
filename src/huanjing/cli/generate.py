"""``huanjing generate``: new pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from huanjing.cli.startup import import_openvino_lightly
from huanjing.errors import UsageError

CHUNK = 1024
"""Pictures held in memory at a time."""


@click.command()
@click.argument("model", metavar="[MODEL_OR_RUN]", required=False)
@click.option(
    "--count", "-n", type=click.IntRange(min=1), default=64, show_default=True, help="How many pictures."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The first picture's seed; the others count on from it.",
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write each picture to this folder; generated/ unless told.",
)
@click.option(
    "--grid", "-g", metavar="FILE", type=click.Path(path_type=Path), help="Write all pictures as one PNG."
)
def generate(model: str | None, count: int, seed: int, output: Path | None, grid: Path | None) -> int:
    """Make new pictures. Without a model, the embedded one makes clothing.

    The picture of a seed is always the same, however many are made with it. Each file says in its metadata that
    it was generated, by which model and from which seed.

    Example: huanjing generate runs/cats-residual -n 16 --seed 7 --grid cats.png
    """
    if output is None and grid is None:
        output = Path("generated")
    if grid is not None and grid.suffix.lower() != ".png":
        raise UsageError(f"--grid {grid}: the grid is written as PNG; name a file that ends in .png")

    import_openvino_lightly()
    from huanjing.images import encode_png, picture_grid, write_atomically
    from huanjing.runtime import Generator
    from huanjing.runtime.provenance import provenance

    generator = Generator(model)
    seeds = range(seed, seed + count)
    try:
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            for start in range(0, count, CHUNK):
                chunk = seeds[start : start + CHUNK]
                for number, picture in zip(chunk, generator.generate(chunk), strict=True):
                    data = encode_png(picture, provenance(generator.bundle, [number]))
                    write_atomically(output / f"seed-{number:08d}.png", data)
            print(output)
        if grid is not None:
            data = encode_png(picture_grid(generator.generate(seeds)), provenance(generator.bundle, seeds))
            write_atomically(grid, data)
            print(grid)
    except OSError as error:
        raise UsageError(f"{error.filename or output or grid}: cannot be written: {error.strerror}") from None
    made = "1 picture" if count == 1 else f"{count:,} pictures"
    print(f"{made} by {generator.bundle.manifest.name}, seeds {seeds[0]} to {seeds[-1]}", file=sys.stderr)
    return 0

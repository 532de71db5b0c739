"""``huanjing generate``: new pictures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from huanjing.cli.making import (
    FILMS,
    MOST_SEEDS,
    STILLS,
    Finish,
    class_name,
    encode_film,
    encode_still,
    force_option,
    label_option,
    parse_seeds,
    quality_option,
    refuse_long_film,
    scale_option,
    wanted_kind,
    write_new,
)
from huanjing.cli.options import Between
from huanjing.cli.progress import progress_bar
from huanjing.cli.startup import import_openvino_lightly
from huanjing.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from huanjing.runtime import Generator

CHUNK = 1024
"""Pictures that are made while those before them are written; more are never in memory."""
SYNCED = 64
"""Up to so many pictures, each is on the disk before the command ends; of more, the system decides."""


@click.command()
@click.argument("model", metavar="[MODEL_OR_RUN]", required=False)
@click.option("--count", "-n", type=click.IntRange(1, MOST_SEEDS), help="How many pictures; 64 unless told.")
@click.option(
    "--seed", type=click.IntRange(min=0), help="The first picture's seed; the others count on from it."
)
@click.option(
    "--seeds", metavar="LIST", help="Which seeds, such as 3,7,10-20, instead of --count and --seed."
)
@click.option("--class", "class_", metavar="NAME", help="Which class, where the generator was taught any.")
@click.option(
    "--truncation",
    type=Between(0, 2),
    default=1.0,
    show_default=True,
    help="Below 1: more usual pictures, and less different ones.",
)
@click.option(
    "--direction",
    "directions",
    metavar="K=AMOUNT",
    multiple=True,
    help="Move along direction K (see huanjing directions); may be repeated.",
)
@click.option(
    "--output",
    "-o",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Write each picture, or the film, to this folder, or the only one to this file; generated/ unless told.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["png", "jpg", "webp", "gif", "mp4"]),
    help="Pictures are png unless told, films gif; mp4 needs ffmpeg.",
)
@click.option("--grid", "-g", metavar="FILE", type=click.Path(path_type=Path), help="Write all on one sheet.")
@click.option("--columns", type=click.IntRange(min=1), help="Of the grid; near square unless told.")
@click.option(
    "--interpolate",
    metavar="FRAMES",
    type=click.IntRange(min=1),
    help="Make a film through the seeds instead, with so many frames from each to the next.",
)
@click.option("--rate", type=Between(1, 60), default=12, show_default=True, help="Frames a second.")
@scale_option
@quality_option
@label_option
@force_option
def generate(
    model: str | None, class_: str | None, truncation: float, output: Path | None, **asked: Any
) -> int:
    """Make new pictures. Without a model, the embedded one makes clothing: say --class bag for bags.

    The picture of a seed is always the same, however many are made with it. Each file says in its metadata that
    it was generated, by which model and from which seed.

    Example: huanjing generate runs/cats-generator --seeds 7,20-35 --scale 2 --grid cats.png
    """
    seeds = _seeds(asked["count"], asked["seed"], asked["seeds"])
    grid: Path | None = asked["grid"]
    film = asked["interpolate"] is not None
    place, kind = _place(output, asked["format_"], seeds, film)
    grid_kind = wanted_kind(grid, "--grid", STILLS) if grid is not None else ""
    if film and len(seeds) < 2:
        raise UsageError("--interpolate goes from one seed to the next, so that it needs at least two.")
    if film and grid is not None:
        raise UsageError("--grid shows pictures and --interpolate makes a film; ask for one at a time.")
    finish = Finish(asked["scale"], asked["words"], asked["quality"])

    import_openvino_lightly()
    from huanjing.runtime import Generator

    generator = Generator(model)
    shift = _shift(generator, asked["directions"])
    details = class_name(generator, class_) | _details(truncation, asked["directions"])
    making = _Making(generator, class_, truncation, shift, details, finish, asked["force"])
    if film:
        refuse_long_film((len(seeds) - 1) * asked["interpolate"] + 1, generator, finish.scale)
        making.write_film(place, seeds, asked["interpolate"], asked["rate"])
        print(place)
    elif output is not None or grid is None:
        making.write_pictures(place, seeds, kind)
        print(place)
    if grid is not None:
        making.write_grid(grid, seeds, asked["columns"], grid_kind)
        print(grid)
    made = "1 picture" if len(seeds) == 1 else f"{len(seeds):,} pictures"
    told = f"a film through {len(seeds)} seeds" if film else made
    print(f"{told} by {generator.bundle.manifest.name}, seeds {_short(seeds)}", file=sys.stderr)
    return 0


@dataclass(frozen=True)
class _Making:
    """One call of the command: what is asked of which generator."""

    generator: Generator
    class_: str | None
    truncation: float
    shift: NDArray[np.float32]
    details: dict[str, Any]
    finish: Finish
    force: bool

    def latents(self, seeds: Sequence[int]) -> NDArray[np.float32]:
        import numpy as np

        from huanjing.runtime import latents

        return latents(seeds, self.generator.latent.size) * np.float32(self.truncation) + self.shift

    def pictures(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        return self.generator.draw(self.latents(seeds), self.generator.class_rows(seeds, self.class_))

    def write_pictures(self, place: Path, seeds: Sequence[int], kind: str) -> None:
        """Each picture to its file: some are encoded and written by threads while the next are made.

        :param place: a folder, or the file of the only picture.
        """
        from huanjing.runtime import processors

        waiting: list[Future[None]] = []
        sync = len(seeds) <= SYNCED
        with progress_bar() as report, ThreadPoolExecutor(processors()) as pool:
            for start in range(0, len(seeds), CHUNK):
                chunk = seeds[start : start + CHUNK]
                pictures = self.pictures(chunk)
                for each in waiting:
                    each.result()
                waiting = [
                    pool.submit(self._write_some, place, chunk[k::32], pictures[k::32], kind, sync)
                    for k in range(min(32, len(chunk)))
                ]
                report(start + len(chunk), len(seeds))
            for each in waiting:
                each.result()

    def _write_some(
        self, place: Path, seeds: Sequence[int], pictures: NDArray[np.uint8], kind: str, sync: bool
    ) -> None:
        from huanjing.runtime.provenance import provenance

        for seed, picture in zip(seeds, pictures, strict=True):
            marks = provenance(self.generator.bundle, [seed], **self.details)
            data = encode_still(self.finish.apply(picture), kind, marks, self.finish.quality)
            path = place if _is_file(place) else place / f"seed-{seed:08d}.{kind}"
            write_new(path, data, force=self.force, sync=sync)

    def write_grid(self, path: Path, seeds: Sequence[int], columns: int | None, kind: str) -> None:
        from huanjing.images import picture_grid
        from huanjing.runtime.provenance import provenance

        sheet = self.finish.apply(picture_grid(self.pictures(seeds), columns))
        marks = provenance(self.generator.bundle, seeds, kind="grid", **self.details)
        write_new(path, encode_still(sheet, kind, marks, self.finish.quality), force=self.force)

    def write_film(self, path: Path, seeds: Sequence[int], frames: int, rate: float) -> None:
        import numpy as np

        from huanjing.runtime.provenance import provenance
        from huanjing.runtime.steering import class_path, latent_path

        made = self.generator.draw(
            latent_path(self.latents(seeds), frames),
            class_path(self.generator.class_rows(seeds, self.class_), frames),
        )
        shown = np.stack([self.finish.apply(frame) for frame in made])
        marks = provenance(self.generator.bundle, seeds, kind="interpolation", frames=frames, **self.details)
        write_new(path, encode_film(shown, path.suffix[1:].lower(), rate, marks), force=self.force)


def _seeds(count: int | None, first: int | None, listed: str | None) -> Sequence[int]:
    if listed is None:
        return range(first or 0, (first or 0) + (count or 64))
    if count is not None or first is not None:
        raise UsageError("--seeds names every seed itself; leave out --count and --seed.")
    return parse_seeds(listed)


def _is_file(place: Path) -> bool:
    """Whether a path names a picture or a film rather than a folder."""
    return place.suffix[1:].lower().replace("jpeg", "jpg") in {*STILLS, *FILMS} and not place.is_dir()


def _place(output: Path | None, format_: str | None, seeds: Sequence[int], film: bool) -> tuple[Path, str]:
    """Where to write, a file for a film and a file or a folder for pictures, and the format."""
    place = output or Path("generated")
    if not _is_file(place):
        kind = _kind(format_, film)
        return (place / f"seeds-{_short(seeds)}.{kind}" if film else place), kind
    kind = wanted_kind(place, "--output", FILMS if film else STILLS)
    if format_ not in (None, kind):
        raise UsageError(f"--output {place}: names another format than --format {format_}")
    if not film and len(seeds) > 1:
        raise UsageError(
            f"--output {place}: is one file, and {len(seeds):,} pictures are asked for. Name a folder, write them on "
            f"one sheet by --grid {place}, or ask for one by -n 1."
        )
    return place, kind


def _kind(format_: str | None, film: bool) -> str:
    allowed = FILMS if film else STILLS
    kind = format_ or allowed[0]
    if kind not in allowed:
        what = "a film is" if film else "pictures are"
        also = "" if film else "; for a film, add --interpolate FRAMES"
        raise UsageError(f"--format {kind}: {what} written as one of {', '.join(allowed)}{also}")
    return kind


def _shift(generator: Generator, asked: Sequence[str]) -> NDArray[np.float32]:
    """What ``--direction`` adds to every latent, ``[size]``."""
    import numpy as np

    shift = np.zeros(generator.latent.size, np.float32)
    if not asked:
        return shift
    from huanjing.runtime.steering import find_directions

    directions, _ = find_directions(generator.bundle)
    for text in asked:
        number, _, amount = text.partition("=")
        try:
            k, far = int(number), float(amount)
        except ValueError:
            raise UsageError(f"--direction {text}: write it as K=AMOUNT, such as 1=2.5") from None
        if not 1 <= k <= len(directions) or not abs(far) <= 100:
            raise UsageError(
                f"--direction {text}: K goes from 1 to {len(directions)}, AMOUNT from -100 to 100"
            )
        shift += np.float32(far) * directions[k - 1]
    return shift


def _details(truncation: float, directions: Sequence[str]) -> dict[str, Any]:
    """What the marks say of how the latents were changed."""
    told: dict[str, Any] = {} if truncation == 1 else {"truncation": truncation}
    return told | ({"directions": list(directions)} if directions else {})


def _short(seeds: Sequence[int]) -> str:
    """The seeds for a file's name, which cannot be as long as a list."""
    from huanjing.runtime.provenance import write_seeds

    text = write_seeds(seeds)
    return text if len(text) <= 60 else f"{seeds[0]}-and-{len(seeds) - 1}-more"

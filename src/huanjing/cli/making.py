"""What the commands that make pictures share: reading seeds, finishing a picture, and writing it with its marks."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from huanjing.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from huanjing.images.label import Words
    from huanjing.runtime import Generator
    from huanjing.runtime.provenance import Provenance

STILLS = ("png", "jpg", "webp")
FILMS = ("gif", "webp", "mp4")
MOST_SEEDS = 10_000_000
MOST_FRAMES = 20_000
MOST_BYTES = 2**31
"""Of a film's frames before they are encoded."""
LONGEST = {"jpg": 65_500, "webp": 16_383}
"""Pixels that a format can hold in either direction: libjpeg's bound, and WebP's."""

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")

scale_option = click.option(
    "--scale",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Enlarge by this whole number, each pixel a square.",
)
label_option = click.option(
    "--label",
    "words",
    type=click.Choice(["zh", "en"]),
    help="Write “AI生成” or “AI-generated” into the lower right corner.",
)
quality_option = click.option(
    "--quality", type=click.IntRange(1, 100), default=90, show_default=True, help="Of JPEG and WebP."
)
force_option = click.option("--force", is_flag=True, help="Replace files that are there already.")


@dataclass(frozen=True)
class Finish:
    """How pictures leave: enlarged, labelled, and how much a lossy format may take away."""

    scale: int = 1
    words: Words | None = None
    quality: int = 90

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture, HWC uint8, as it is shown.

        :raises UsageError: where it is too small for the label.
        """
        from huanjing.images.label import draw_label

        if self.scale > 1:
            picture = picture.repeat(self.scale, axis=0).repeat(self.scale, axis=1)
        if self.words is None:
            return picture
        try:
            return draw_label(picture, self.words)
        except ValueError as error:
            raise UsageError(f"--label {self.words}: {error}; enlarge it with --scale") from None


def parse_seeds(text: str) -> list[int]:
    """The seeds that ``3,7,10-20`` means.

    :raises UsageError: where it is not of that form.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None:
            raise UsageError(
                f"--seeds {text}: {part.strip()!r} is neither a number nor a range such as 10-20"
            )
        first = int(found[1])
        last = int(found[2] or first)
        if last < first:
            raise UsageError(f"--seeds {text}: {part.strip()} counts down; write {last}-{first}")
        if last - first + len(seeds) >= MOST_SEEDS:
            raise UsageError(f"--seeds {text}: means more than {MOST_SEEDS:,} seeds")
        seeds.extend(range(first, last + 1))
    return seeds


@dataclass(frozen=True)
class Start:
    """A point of the latent space that was named on the command line: a seed, or a file that project wrote."""

    name: str
    latent: NDArray[np.float32]
    """``[size]``."""
    classes: NDArray[np.float32] | None
    """``[K]``, where the generator was taught classes."""
    seeded: bool = True
    """Whether it is a seed's, so that ``--class`` is heard; a file has classes of its own."""

    @property
    def record(self) -> str:
        """The point for the marks: its seed, or its file with a hash of what is in it."""
        return self.name if self.seeded else f"{self.name} {latent_digest(self.latent, self.classes)}"

    @staticmethod
    def read(text: str, generator: Generator, class_: str | None = None) -> Start:
        """The point that ``text`` names.

        :raises UsageError: where it is neither, or belongs to another generator.
        """
        import zlib
        from zipfile import BadZipFile

        import numpy as np

        from huanjing.runtime import latents

        if text.isdecimal():
            seed = int(text)
            rows = generator.class_rows([seed], class_)
            return Start(text, latents([seed], generator.latent.size)[0], None if rows is None else rows[0])
        try:
            with np.load(text, allow_pickle=False) as file:
                latent, model = file["latent"], str(file["model_sha256"])
                classes = file.get("classes")
        except (OSError, ValueError, TypeError, LookupError, EOFError, BadZipFile, zlib.error):
            raise UsageError(
                f"{text}: is neither a seed (a whole number) nor a file that huanjing project wrote"
            ) from None
        told = None if classes is None else classes.shape
        expected = (len(generator.classes),) if generator.classes else None
        if model != generator.bundle.digest or latent.shape != (generator.latent.size,) or told != expected:
            raise UsageError(f"{text}: belongs to another generator than {generator.bundle.manifest.name}")
        return Start(Path(text).name, latent.astype(np.float32), classes, seeded=False)


def wanted_kind(path: Path, option: str, allowed: tuple[str, ...]) -> str:
    """The format that a file's name asks for.

    :raises UsageError: where it is none of ``allowed``.
    """
    kind = path.suffix.lower().removeprefix(".").replace("jpeg", "jpg")
    if kind not in allowed:
        named = ", ".join(f".{each}" for each in allowed)
        raise UsageError(f"{option} {path}: the name must end in one of {named}")
    return kind


def encode_still(picture: NDArray[np.uint8], kind: str, marks: Provenance, quality: int = 90) -> bytes:
    """A finished picture as the bytes of a file, with its marks.

    :raises UsageError: where the format cannot hold it.
    """
    from huanjing.images import encode_jpeg, encode_png, encode_webp

    _refuse_longer(picture.shape[:2], kind)
    if kind == "png":
        return encode_png(picture, marks.png_text)
    if kind == "jpg" and picture.shape[2] == 4:
        raise UsageError(
            "These pictures are partly transparent, which JPEG cannot hold. Ask for PNG or WebP."
        )
    encode = encode_jpeg if kind == "jpg" else encode_webp
    return encode(picture, quality, marks.xmp)


def encode_film(frames: NDArray[np.uint8], kind: str, rate: float, marks: Provenance) -> bytes:
    """Finished frames NHWC as the bytes of a file, with its marks.

    :raises UsageError: where an MP4 is wanted and there is no ffmpeg, or the format cannot hold them.
    """
    from huanjing.images.animation import encode_gif, encode_mp4, encode_webp_animation

    _refuse_longer(frames.shape[1:3], kind)
    if kind == "mp4":
        return encode_mp4(frames, rate, marks.film_tags, marks.film_xmp)
    encode = encode_gif if kind == "gif" else encode_webp_animation
    return encode(frames, rate, marks.xmp)


def _refuse_longer(shape: tuple[int, ...], kind: str) -> None:
    height, width = shape
    if max(height, width) > (most := LONGEST.get(kind, sys.maxsize)):
        raise UsageError(
            f"The picture would have {width:,} by {height:,} pixels, and {kind} holds at most {most:,} either way. Ask "
            "for fewer or smaller pictures, or another format."
        )


def refuse_long_film(frames: int, generator: Generator, scale: int) -> None:
    """Refuse a film that would not fit into memory. :raises UsageError: there."""
    shape = generator.latent
    height, width = shape.height * scale, shape.width * scale
    needed = frames * height * width * shape.channels
    if frames > MOST_FRAMES or needed > MOST_BYTES:
        raise UsageError(
            f"That film would have {frames:,} frames of {width} by {height}, {needed / 2**30:.1f} GiB; at most "
            f"{MOST_FRAMES:,} frames and {MOST_BYTES / 2**30:.0f} GiB can be made. Ask for fewer seeds or frames, or "
            "for a smaller --scale."
        )


def write_new(path: Path, data: bytes, *, force: bool = False, sync: bool = True) -> None:
    """Write a file that is not there yet, or that holds these very bytes already.

    :raises UsageError: where another file has the name, or it cannot be written.
    """
    from huanjing.images import write_atomically

    try:
        if not force and path.exists():
            if path.is_file() and path.read_bytes() == data:
                return
            raise UsageError(f"{path}: is there already and is another file. Name another, or say --force.")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, sync=sync)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def latent_digest(latent: NDArray[np.float32], classes: NDArray[np.float32] | None) -> str:
    """What tells a point of the latent space from all others: half of a SHA-256, in hexadecimal."""
    import hashlib

    return hashlib.sha256(latent.tobytes() + (b"" if classes is None else classes.tobytes())).hexdigest()[:32]


def class_name(generator: Generator, class_: str | None, points: Sequence[Start] = ()) -> dict[str, Any]:
    """The class for the marks, by its id.

    :raises UsageError: where none of ``points`` would hear of it.
    """
    if class_ is None:
        return {}
    if points and not any(point.seeded for point in points):
        raise UsageError(
            f"--class {class_}: is for seeds, and {points[0].name} has classes of its own. Leave it out, or give it to "
            "huanjing project."
        )
    return {"class": generator.classes[generator.class_position(class_)].id}

"""What the commands that make pictures share: reading seeds, finishing a picture, and writing it with its marks."""

from __future__ import annotations

import re
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

    @staticmethod
    def read(text: str, generator: Generator, class_: str | None = None) -> Start:
        """The point that ``text`` names.

        :raises UsageError: where it is neither, or belongs to another generator.
        """
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
        except (OSError, ValueError, TypeError, LookupError, EOFError, BadZipFile):
            raise UsageError(
                f"{text}: is neither a seed (a whole number) nor a file that huanjing project wrote"
            ) from None
        told = None if classes is None else classes.shape
        expected = (len(generator.classes),) if generator.classes else None
        if model != generator.bundle.digest or latent.shape != (generator.latent.size,) or told != expected:
            raise UsageError(f"{text}: belongs to another generator than {generator.bundle.manifest.name}")
        return Start(Path(text).name, latent.astype(np.float32), classes)


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

    if kind == "png":
        return encode_png(picture, marks.png_text)
    if kind == "jpg" and picture.shape[2] == 4:
        raise UsageError(
            "These pictures are partly transparent, which JPEG cannot hold. Ask for PNG or WebP."
        )
    try:
        encode = encode_jpeg if kind == "jpg" else encode_webp
        return encode(picture, quality, marks.xmp)
    except ValueError as error:
        raise UsageError(f"The picture cannot be written as {kind}: {error}") from None


def encode_film(frames: NDArray[np.uint8], kind: str, rate: float, marks: Provenance) -> bytes:
    """Finished frames NHWC as the bytes of a file, with its marks.

    :raises UsageError: where an MP4 is wanted and there is no ffmpeg.
    """
    from huanjing.images.animation import encode_gif, encode_mp4, encode_webp_animation

    if kind == "mp4":
        return encode_mp4(frames, rate, marks.film_tags, marks.film_xmp)
    encode = encode_gif if kind == "gif" else encode_webp_animation
    return encode(frames, rate, marks.xmp)


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
        raise UsageError(f"{error.filename or path}: cannot be written: {error.strerror}") from None


def class_name(generator: Generator, class_: str | None) -> dict[str, Any]:
    """The class for the marks, by its id."""
    if class_ is None:
        return {}
    return {"class": generator.classes[generator.class_position(class_)].id}

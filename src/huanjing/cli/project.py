"""``huanjing project``: the nearest that a generator can come to a picture."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from huanjing.cli.language import lang_option, resolve_language
from huanjing.cli.making import (
    Finish,
    class_name,
    encode_still,
    force_option,
    label_option,
    latent_digest,
    scale_option,
    write_new,
)
from huanjing.cli.startup import import_openvino_lightly
from huanjing.errors import UsageError

if TYPE_CHECKING:
    from huanjing.cli.language import Lang
    from huanjing.runtime.projection import Projection

_LINES = {
    "en": (
        "distance         {distance:.3f}   (pixels {pixel:.3f}, features {feature:.3f}; 1 = two random pictures)",
        "best of random   {random:.3f}   (the nearest of 4,096)",
        "its own pictures {own:.3f}   (what remains of pictures that it did make, the worst of 4)",
        "nearer to it than {share:.0f} % of its pictures are to the nearest of 4,096 others",
    ),
    "zh": (
        "距离         {distance:.3f}   （像素 {pixel:.3f}，特征 {feature:.3f}；1 = 两张随机图片之间）",
        "随机最近     {random:.3f}   （4,096 张中最近的一张）",
        "自家图片     {own:.3f}   （投影它自己生成的 4 张图片后，剩余距离最大者）",
        "它的图片中有 {share:.0f} % 与其余 4,096 张中最近者的距离比这更远",
    ),
}
_VERDICTS = {
    "found": {
        "en": "Found: the generator makes this picture, as near as it comes to its own.",
        "zh": "找到了：生成器能生成这张图片，误差与投影它自己的图片相当。",
    },
    "near": {
        "en": "Near, but not the same: the generator cannot make this picture exactly.",
        "zh": "接近但不相同：生成器无法准确生成这张图片。",
    },
    "far": {
        "en": "The generator cannot make this picture; what it made is another.",
        "zh": "生成器无法生成这张图片，得到的是另一张图片。",
    },
}


@click.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option(
    "--model", "-m", metavar="NAME", help="A generator or run folder; the embedded one unless told."
)
@click.option("--class", "class_", metavar="NAME", help="Which class, where the generator was taught any.")
@click.option(
    "--recognizer", metavar="NAME", help="Whose features count; those of the embedded recogniser unless told."
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("projected"),
    show_default=True,
    help="Where the latent and the pictures go.",
)
@scale_option
@label_option
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print the distances as JSON.")
@lang_option
def project(picture: Path, model: str | None, class_: str | None, lang: Lang | None, **asked: Any) -> int:
    """Find the latent whose picture is nearest to PICTURE, by pixels and by features.

    Writes NAME.npz (the latent, which mix and directions take), NAME.png (its picture) and NAME-beside.png (PICTURE
    and it, side by side). The first use of a generator measures how near it comes to its own pictures.

    Example: huanjing project boot.png --model runs/clothing-generator
    """
    import_openvino_lightly()
    import numpy as np

    from huanjing.images import picture_grid, to_uint8, unpremultiply
    from huanjing.runtime import Generator, Recognizer
    from huanjing.runtime.projection import Projector
    from huanjing.runtime.provenance import COMPOSITE_SOURCE_TYPE, provenance

    generator = Generator(model)
    details = {"of": picture.name} | class_name(generator, class_)
    finish = Finish(asked["scale"], asked["words"])
    target = _target(picture, generator.latent.height, generator.latent.width, generator.latent.channels)
    paths = [asked["output"] / f"{picture.stem}{end}" for end in (".npz", ".png", "-beside.png")]
    _refuse_taken(paths, picture, force=asked["force"])
    finish.apply(to_uint8(target))  # what a label needs is said before the search
    print("Searching; the first use of a generator takes longer.", file=sys.stderr)
    found = Projector(generator, Recognizer(asked["recognizer"]), class_).project(target)

    details["latent"] = latent_digest(found.latent, found.classes)
    marks = provenance(generator.bundle, kind="projection", **details)
    both = provenance(
        generator.bundle, source_type=COMPOSITE_SOURCE_TYPE, kind="projection beside", **details
    )
    beside = picture_grid(np.stack([unpremultiply(to_uint8(target)), found.picture]), 2)
    contents = (
        _archive(found, generator.bundle.digest),
        encode_still(finish.apply(found.picture), "png", marks),
        encode_still(finish.apply(beside), "png", both),
    )
    for path, data in zip(paths, contents, strict=True):
        write_new(path, data, force=asked["force"])
    if asked["as_json"]:
        print(json.dumps(_figures(found) | {"files": [str(path) for path in paths]}, indent=1))
        return 0
    language = resolve_language(lang, human=True)
    _print_summary(found, language)
    for path in paths:
        print(path)
    return 0


def _refuse_taken(paths: Sequence[Path], picture: Path, *, force: bool) -> None:
    try:
        for path in filter(Path.exists, paths):
            if path.samefile(picture):
                raise UsageError(f"{path}: is the picture itself. Name another folder with --output.")
            if not force:
                raise UsageError(
                    f"{path}: is there already. Name another folder with --output, or say --force."
                )
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _target(picture: Path, height: int, width: int, channels: Any) -> Any:
    """The picture as the generator would make it: HWC float32, -1..1, premultiplied where transparent."""
    import numpy as np

    from huanjing.images import fit, load_picture, premultiply

    pixels = np.asarray(fit(load_picture(picture, channels=channels), height, width, mode="crop"))
    shaped = premultiply(pixels.reshape(height, width, channels))
    return (shaped / np.float32(127.5) - 1).astype(np.float32)


def _archive(found: Projection, digest: str) -> bytes:
    """The latent with the model that it belongs to, as an npz."""
    import numpy as np

    arrays: dict[str, Any] = {"latent": found.latent, "model_sha256": np.array(digest)}
    if found.classes is not None:
        arrays["classes"] = found.classes
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _figures(found: Projection) -> dict[str, Any]:
    return {
        "verdict": _verdict(found),
        "distance": found.distance,
        "pixel_distance": found.pixel_distance,
        "feature_distance": found.feature_distance,
        "random_distance": found.random_distance,
        "own_distances": list(found.yardsticks.own),
        "percentile": found.percentile,
    }


def _verdict(found: Projection) -> str:
    if found.found:
        return "found"
    return "near" if found.percentile < 50 else "far"


def _print_summary(found: Projection, language: Lang) -> None:
    for line in _LINES[language]:
        print(
            line.format(
                distance=found.distance,
                pixel=found.pixel_distance,
                feature=found.feature_distance,
                random=found.random_distance,
                own=max(found.yardsticks.own),
                share=100 - found.percentile,
            )
        )
    print(_VERDICTS[_verdict(found)][language])

"""``huanjing export``: a model in the formats that other programs run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from huanjing.cli.language import Lang, lang_option, resolve_language

if TYPE_CHECKING:
    from huanjing.export import Exported

FORMATS = ("onnx", "openvino", "saved_model", "litert")
PRECISIONS = ("fp32", "fp16", "int8")

WORDS = {
    "checked with": "校验所用",
    "size": "大小",
    "pictures": "图片数",
    "same first class": "首选类别一致",
    "largest difference": "最大差异",
    "mean difference": "平均差异",
    "pictures/s": "张/秒",
    "bundle, pictures/s": "原模型，张/秒",
    "fp32, pictures/s": "fp32，张/秒",
}
"""The table's words in Chinese."""


@click.command()
@click.argument("model", metavar="MODEL_OR_RUN")
@click.option("--to", required=True, type=click.Choice(FORMATS), help="The format.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="fp16",
    show_default=True,
    help="How weights are kept; int8 also computes in integers.",
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder to write; exports/MODEL-FORMAT-PRECISION unless told.",
)
@click.option(
    "--calibrate",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Pictures such as the model will see: to check it on, and half of them to calibrate int8.",
)
@click.option(
    "--any-speed",
    is_flag=True,
    help="Keep an int8 that is not faster on this machine, for use on another.",
)
@click.option("--overwrite", is_flag=True, help="Replace the folder even where it is no export.")
@lang_option
def export(
    model: str,
    to: Literal["onnx", "openvino", "saved_model", "litert"],
    precision: Literal["fp32", "fp16", "int8"],
    output: Path | None,
    calibrate: Path | None,
    any_speed: bool,
    overwrite: bool,
    lang: Lang | None,
) -> int:
    """Write MODEL, a name or a run folder, for ONNX Runtime, OpenVINO, TensorFlow or LiteRT.

    The export is run again by that program and compared with the model on real pictures; one that differs is not
    written. The folder holds the network, labels.txt, and export.json with all figures.

    Example: huanjing export efficientnet-lite0 --to onnx --precision int8
    """
    from huanjing.cli.model_facts import find
    from huanjing.errors import ModelNotFoundError
    from huanjing.export import export_model
    from huanjing.recognition.presets import how_to_fetch

    bundle = find(model)
    if bundle is None:
        unknown = f"No model {model!r} is here. huanjing models list names them all."
        raise ModelNotFoundError(how_to_fetch(model) or unknown)
    name = bundle.manifest.name
    exported = export_model(
        bundle,
        to,
        precision,
        output or Path("exports") / f"{name}-{to}-{precision}",
        calibrate=calibrate,
        any_speed=any_speed,
        overwrite=overwrite,
        say=lambda message: print(message, file=sys.stderr),
    )
    for line in table(exported, resolve_language(lang, human=True)):
        print(line, file=sys.stderr)
    print(exported.file)
    return 0


def table(exported: Exported, language: Lang) -> list[str]:
    """The figures of the check, for a terminal."""
    from rich.cells import cell_len, set_cell_size

    agreement = exported.agreement
    rows = {
        "checked with": exported.runtime,
        "size": f"{exported.bytes / 1e6:.1f} MB",
        "pictures": f"{agreement.pictures}",
    }
    if agreement.top1 is not None:
        rows["same first class"] = f"{100 * agreement.top1:.1f} %"
    rows["largest difference"] = f"{agreement.largest:.2g} ({agreement.output})"
    rows["mean difference"] = f"{agreement.mean:.2g}"
    rows["pictures/s"] = f"{exported.rate:.1f}"
    rows["bundle, pictures/s"] = f"{exported.bundle_rate:.1f}"
    if exported.float_rate not in {None, exported.bundle_rate}:
        rows["fp32, pictures/s"] = f"{exported.float_rate:.1f}"
    words = {word: WORDS[word] if language == "zh" else word for word in rows}
    width = max(map(cell_len, words.values()))
    return [f"{set_cell_size(words[word], width)}  {text}" for word, text in rows.items()]

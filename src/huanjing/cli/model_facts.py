"""What ``huanjing models`` tells: rows of the list, the facts of one model, and their words in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import asdict

from huanjing.bundle import (
    Bundle,
    LatentInput,
    PictureInput,
    find_model,
    installed_models,
    load_bundle,
    user_models,
)
from huanjing.bundle.download import weights_folder
from huanjing.cli.language import Lang
from huanjing.errors import BundleError, HuanjingError, ModelNotFoundError
from huanjing.recognition.presets import NORMALISATION, PRESETS, PROTOCOL, Preset

WORDS = {
    "name": "名称", "kind": "种类", "size": "尺寸", "top-1": "top-1", "MB": "MB", "where": "位置",
    "recognizer": "识别", "generator": "生成", "user": "你的模型文件夹", "package": "软件包内",
    "to be had": "可获取", "damaged": "已损坏", "picture": "输入图片", "preprocessing": "预处理", "fit": "适配方式",
    "classes": "类别数", "latent": "潜变量", "figures": "指标", "licence": "许可", "origin": "来源",
    "training": "训练", "folder": "文件夹", "files": "文件", "parameters": "参数量", "file": "文件", "hash": "校验值",
    "from": "下载地址", "by hand": "手动放置于", "command": "获取命令", "none is published by Keras": "Keras 未公布",
    "privacy": "差分隐私",
}  # fmt: skip
"""The tables' words in Chinese."""


def word_in(word: Any, language: Lang) -> str:
    """``word`` in the language asked for; what is none of the tables' words stays."""
    return str(WORDS.get(word, word) if language == "zh" else word)


def find(name: str) -> Bundle | None:
    """The model of either kind that ``name`` means, None where there is none."""
    try:
        return find_model(name, "recognizer")
    except ModelNotFoundError:
        return None
    except BundleError:
        return find_model(name, "generator")


def installed() -> Iterator[dict[str, Any]]:
    """One row for each model that a name reaches; of two of the same name only the user's is reached."""
    seen = set()
    for folder in installed_models():
        if folder.name in seen:
            continue
        seen.add(folder.name)
        where = "user" if folder.is_relative_to(user_models()) else "package"
        row: dict[str, Any] = {"name": folder.name, "kind": "damaged", "size": "", "top1": None, "bytes": 0}
        try:
            manifest = load_bundle(folder, verify=False).manifest
        except HuanjingError:
            yield row | {"where": where}
            continue
        shape = manifest.input
        channels = "" if not isinstance(shape, LatentInput) else f"×{shape.channels}"
        row |= {"kind": manifest.kind, "size": f"{shape.height}×{shape.width}{channels}"}
        row["top1"] = next(
            (figure.value for figure in manifest.figures if figure.name == "imagenet_top1"), None
        )
        row["bytes"] = sum(entry.bytes for entry in manifest.files.values())
        yield row | {"where": where}


def to_be_had() -> Iterator[dict[str, Any]]:
    """One row for each network that can be fetched and is not here."""
    here = {folder.name for folder in installed_models()}
    for preset in PRESETS.values():
        if preset.name not in here:
            yield {
                "name": preset.name,
                "kind": "recognizer",
                "size": f"{preset.side}×{preset.side}",
                "top1": preset.top1,
                "bytes": preset.bytes,
                "where": "to be had",
            }


def bundle_facts(bundle: Bundle) -> dict[str, Any]:
    """What a model says of itself, in the order in which it is shown."""
    manifest = bundle.manifest
    shape = manifest.input
    facts: dict[str, Any] = {"name": manifest.name, "kind": manifest.kind}
    facts["picture"] = f"{shape.height}×{shape.width}×{shape.channels}"
    if isinstance(shape, PictureInput):
        crop = f" {shape.crop_fraction:g}" if shape.fit == "crop" else ""
        facts["fit"] = f"{shape.fit}{crop}, {shape.resample}"
        facts["preprocessing"] = shape.normalisation
        facts["classes"] = len(manifest.classes)
    else:
        facts["latent"] = shape.size
        if shape.frequencies:
            facts["classes"] = ", ".join(one.en for one in manifest.classes)
    facts["figures"] = [f"{figure.name} {figure.value:g}: {figure.protocol}" for figure in manifest.figures]
    facts |= {"licence": manifest.licence, "origin": manifest.origin, "training": manifest.training.data}
    if manifest.privacy is not None:
        facts["privacy"] = [
            f"{name.replace('_', ' ')} {value:g}" if isinstance(value, (int, float)) else f"{name}: {value}"
            for name, value in asdict(manifest.privacy).items()
        ]
    facts["folder"] = str(bundle.folder)
    facts["files"] = [
        f"{name}, {entry.bytes:,} bytes, SHA-256 {entry.sha256}" for name, entry in manifest.files.items()
    ]
    return facts


def preset_facts(preset: Preset) -> dict[str, Any]:
    """What is known of a network that is not here."""
    stated = (("imagenet_top1", preset.top1), ("imagenet_top5", preset.top5))
    return {
        "name": preset.name,
        "kind": "recognizer",
        "where": "to be had",
        "command": f"huanjing models fetch {preset.name}",
        "picture": f"{preset.side}×{preset.side}×3",
        "preprocessing": NORMALISATION[preset.preprocessing],
        "figures": [f"{key} {value:g}: {PROTOCOL}" for key, value in stated if value is not None],
        "parameters": f"{preset.parameters:,}",
        "licence": preset.licence,
        "origin": f"keras.applications.{preset.keras}",
        "file": f"{preset.file}, ≈ {preset.bytes / 1e6:,.0f} MB",
        "hash": f"{preset.hash_method} {preset.hash}" if preset.hash else "none is published by Keras",
        "from": preset.url,
        "by hand": str(weights_folder() / preset.file),
    }

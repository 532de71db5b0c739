"""What travels with an exported network, so that whoever has the file alone can use it rightly."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

from huanjing.bundle import Bundle, PictureInput
from huanjing.export.job import Precision

LABELS = "labels.txt"


def describe(bundle: Bundle, precision: Precision) -> dict[str, str]:
    """Names and texts, as ONNX metadata and the other formats' files carry them."""
    manifest = bundle.manifest
    shape = manifest.input
    described = {
        "name": manifest.name,
        "kind": manifest.kind,
        "architecture": manifest.architecture,
        "precision": precision,
        "licence": manifest.licence,
        "origin": manifest.origin,
        "training_data": manifest.training.data,
        "source_sha256": bundle.digest,
        "exported_by": f"huanjing {version('huanjing')}",
        "source_versions": json.dumps(manifest.versions),
    }
    if isinstance(shape, PictureInput):
        crop = f" of {shape.crop_fraction:g} of the largest box of that shape" if shape.fit == "crop" else ""
        described |= {
            "input": f"picture: uint8 [batch, {shape.height}, {shape.width}, {shape.channels}], 0..255, "
            f"{ {1: 'grey', 3: 'RGB', 4: 'RGBA'}[shape.channels] }",
            "fit": f"{shape.fit}{crop}, {shape.resample}, antialiased",
            "normalisation": f"inside the network: {shape.normalisation}",
            "output": "logits: float32 [batch, classes]; divide by temperature, then softmax",
            "temperature": f"{manifest.temperature:g}",
            "labels": json.dumps([one.en for one in manifest.classes], ensure_ascii=False),
            "label_ids": json.dumps([one.id for one in manifest.classes], ensure_ascii=False),
        }
    else:
        told = f"; classes: float32 [batch, {len(shape.frequencies)}], one-hot" if shape.frequencies else ""
        described |= {
            "input": f"latent: float32 [batch, {shape.size}], standard normal{told}",
            "output": f"picture: float32 [batch, {shape.height}, {shape.width}, {shape.channels}], -1..1",
        }
    return described


def labels(bundle: Bundle) -> str:
    """The classes' names, one a line in the order of the logits; empty for a generator."""
    return "".join(f"{one.en}\n" for one in bundle.manifest.classes)


def versions(*packages: str) -> dict[str, str]:
    """The versions of those packages that are installed, and of Huanjing."""
    found = {}
    for package in ("huanjing", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

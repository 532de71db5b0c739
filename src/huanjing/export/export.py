"""The whole way of an export: written aside, run again by its own runtime, compared with the bundle, put in place."""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from huanjing.bundle import Bundle, load_bundle
from huanjing.errors import BundleError, MissingExtraError, UsageError
from huanjing.export.check import (
    TOLERANCES,
    TOP1_GATE,
    Agreement,
    compare,
    rates,
    refuse_differences,
    refuse_disagreement,
    run_all,
)
from huanjing.export.describe import LABELS, describe, labels, versions
from huanjing.export.job import Format, Job, Precision, Run, count
from huanjing.export.openvino_model import open_bundle
from huanjing.export.place import RECORD, refuse_to_replace, written_aside
from huanjing.export.sample import Sample, take_sample


@dataclass(frozen=True)
class Target:
    """A format: the module here that writes and runs it, the precisions that it has, and what it takes."""

    module: str
    precisions: tuple[Precision, ...]
    needs: tuple[str, ...]
    """Packages, as they are imported; the last is the runtime that the export is checked with."""
    extras: str
    """Of Huanjing, which install them."""


TARGETS: dict[Format, Target] = {
    "onnx": Target("onnx_file", ("fp32", "fp16", "int8"), ("onnx", "onnxruntime"), "export"),
    "openvino": Target("openvino_model", ("fp32", "fp16", "int8"), ("openvino",), "export"),
    "saved_model": Target("saved_model", ("fp32", "fp16"), ("tensorflow",), "train"),
    "litert": Target(
        "litert_file", ("fp32", "fp16", "int8"), ("tensorflow", "ai_edge_litert"), "train,export"
    ),
}


@dataclass(frozen=True)
class Exported:
    """An export that was checked and is in its place."""

    folder: Path
    file: Path
    """What programs open: a file in the folder, or for a SavedModel the folder itself."""
    bytes: int
    """Of all files in the folder but the record."""
    runtime: str
    """What it was checked with, and its version."""
    agreement: Agreement
    rate: float
    """Pictures per second of the export in its own runtime, one picture at a time."""
    bundle_rate: float
    """The same of the bundle, as `recognize` and `generate` run it."""
    float_rate: float | None
    """For int8, the same of what it has to be faster than: this format in float32; for OpenVINO, the bundle."""


def export_model(
    bundle: Bundle,
    to: Format,
    precision: Precision,
    folder: Path,
    *,
    calibrate: Path | None = None,
    any_speed: bool = False,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Export ``bundle`` into ``folder``.

    :param calibrate: pictures such as the model will see, to check it on; half of them calibrate int8.
    :param any_speed: keep an int8 that is not faster on this machine, for use on another; its record says so.
    :param overwrite: replace a folder that is no export.
    :param say: is told what is being done.
    :raises UsageError: for what cannot be exported so, or a folder that would be lost.
    :raises MissingExtraError: where the format's packages are not installed.
    :raises BundleError: where the export does not compute what the bundle does; nothing is written then.
    """
    if precision == "int8" and bundle.manifest.kind == "generator":
        raise UsageError(
            f"{bundle.manifest.name} is a generator, and int8 ruins its pictures: the embedded one's moved by 13 to 25 "
            "steps of 255 on average. Use --precision fp16."
        )
    module = load_target(to, precision)
    refuse_to_replace(folder, overwrite=overwrite)
    sample = take_sample(bundle, precision, calibrate)
    job = Job(bundle, precision, sample.calibration, describe(bundle, precision))
    with written_aside(folder) as aside:
        say(f"Writing {bundle.manifest.name} for {to} in {precision}")
        if precision == "int8":
            say(f"Calibrating it on {len(sample.calibration)} pictures")
        file = module.write(job, aside)
        if bundle.manifest.classes:
            (aside / LABELS).write_text(labels(bundle), encoding="utf-8")
        say(f"Checking it on {count(sample.judged)} pictures")
        exported = _check(job, to, module, file, sample, any_speed=any_speed)
        exported = replace(exported, folder=folder, file=folder / file.relative_to(aside))
        record = json.dumps(_record(job, to, exported, sample), ensure_ascii=False, indent=1)
        (aside / RECORD).write_text(record + "\n", encoding="utf-8")
    return exported


def load_target(to: Format, precision: Precision) -> ModuleType:
    """The module of a format.

    :raises UsageError: where the format has no such precision.
    :raises MissingExtraError: where a package that it needs is not installed.
    """
    target = TARGETS[to]
    if precision not in target.precisions:
        raise UsageError(
            f"--to {to} has no {precision}, but {' and '.join(target.precisions)}. "
            f"For {precision} take --to openvino, onnx or litert."
        )
    needs = (*target.needs, "nncf") if (to, precision) == ("openvino", "int8") else target.needs
    if any(find_spec(package) is None for package in needs):
        raise MissingExtraError(f"Exporting to {to} in {precision}", target.extras)
    if "tensorflow" in needs:
        from huanjing.training.engine import require_tensorflow

        require_tensorflow()
    return importlib.import_module(f"huanjing.export.{target.module}")


def _check(
    job: Job, to: Format, module: ModuleType, file: Path, sample: Sample, *, any_speed: bool
) -> Exported:
    """Run the export and the bundle on the same pictures. :raises BundleError: with the figures."""
    integers = job.precision == "int8"
    usual = open_bundle(
        job.bundle,
        arithmetic="auto" if job.bundle.manifest.kind == "recognizer" else "f32",
        all_outputs=False,
    )
    run: Run
    if integers and to == "openvino":
        run = open_bundle(load_bundle(file.parent), arithmetic="auto", all_outputs=False)
    else:
        run = module.open_file(file)
    expected = run_all(open_bundle(job.bundle, all_outputs=not integers), sample.judged)
    agreement = compare(run_all(run, sample.judged), expected)
    if integers:
        refuse_disagreement(agreement)
    else:
        refuse_differences(agreement, job.precision)
    runs = [run, usual]
    with tempfile.TemporaryDirectory() as place:
        if integers and to != "openvino":
            runs.append(module.open_file(module.write(replace(job, precision="fp32"), Path(place))))
        rate, bundle_rate, *others = rates(runs, sample.judged)
    float_rate = others[0] if others else bundle_rate if integers else None
    if float_rate is not None and not rate > float_rate and not any_speed:
        than = "the bundle" if to == "openvino" else f"{to} in fp32"
        raise BundleError(
            f"In int8 the network runs {rate:.1f} pictures/s here, and {than} {float_rate:.1f}: it is not faster on "
            f"this machine (it names the same class on {100 * (agreement.top1 or 0.0):.1f} % of the pictures). Nothing "
            "was written. Use --precision fp16, or --any-speed for use on another machine."
        )
    folder = file if file.is_dir() else file.parent
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    package = TARGETS[to].needs[-1].replace("_", "-")
    found = versions(package, f"{package}-cpu")
    runtime = f"{package} {found.get(package) or found.get(f'{package}-cpu', '')}".strip()
    return Exported(folder, file, size, runtime, agreement, rate, bundle_rate, float_rate)


def _record(job: Job, to: Format, exported: Exported, sample: Sample) -> dict[str, Any]:
    """The content of ``export.json``."""
    manifest = msgspec.to_builtins(msgspec.structs.replace(job.bundle.manifest, files={}))
    check = asdict(exported.agreement) | {"of": sample.origin}
    if job.precision == "int8":
        check |= {"calibrated_on": len(sample.calibration), "least_top1": TOP1_GATE}
    else:
        check |= {"most_spread_share": TOLERANCES[job.precision]}
    return {
        "format": to,
        "precision": job.precision,
        "file": exported.file.relative_to(exported.folder).as_posix(),
        "source": {"name": job.name, "sha256": job.bundle.digest},
        "check": check,
        "pictures_per_second": {
            "one_at_a_time": True,
            "export": round(exported.rate, 1),
            "bundle": round(exported.bundle_rate, 1),
            "to_be_faster_than": exported.float_rate and round(exported.float_rate, 1),
            "faster_here": exported.float_rate and exported.rate > exported.float_rate,
        },
        "description": job.description,
        "model": manifest,
        "versions": versions(
            "openvino", "onnx", "onnxruntime", "nncf", "tensorflow", "tensorflow-cpu", "ai-edge-litert"
        ),
    }

"""OpenVINO: its own two files, as a bundle, so that Huanjing's commands take the export as a model too."""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path

import msgspec
import numpy as np

from huanjing.bundle import Bundle, load_bundle, write_bundle
from huanjing.export.describe import versions
from huanjing.export.graph import halved, read_model
from huanjing.export.job import Answers, Inputs, Job, Run
from huanjing.runtime.engine import Precision as Arithmetic
from huanjing.runtime.engine import compile_graph
from huanjing.runtime.silent import ov, unreported


def write(job: Job, folder: Path) -> Path:
    """Write the bundle: ``graph.xml``, ``graph.bin``, ``model.json`` and a reference of its own."""
    model = read_model(job.bundle)
    if job.precision == "int8":
        model = _quantise(model, job)
    else:
        _set_width(model, half=job.precision == "fp16")
    for key, text in job.description.items():
        model.set_rt_info(text, ["huanjing", key])

    def write_files(aside: Path) -> None:
        ov.save_model(model, aside / "graph.xml", compress_to_fp16=False)
        if job.bundle.reference.is_file():
            _renew_reference(job.bundle, aside)

    manifest = job.bundle.manifest
    figures = manifest.figures
    if job.precision == "int8":
        before = "; of the network before it was brought to int8"
        figures = [msgspec.structs.replace(one, protocol=one.protocol + before) for one in figures]
    manifest = msgspec.structs.replace(
        manifest,
        figures=figures,
        origin=f"{manifest.origin} Exported in {job.precision} from the bundle of digest {job.bundle.digest}.",
        versions=manifest.versions | versions("openvino", *(["nncf"] if job.precision == "int8" else [])),
    )
    write_bundle(folder, manifest, write_files)
    return folder / "graph.xml"


def open_file(path: Path, *, arithmetic: Arithmetic = "f32") -> Run:
    """The bundle that ``path`` lies in, ready to run on inputs one by one."""
    return open_bundle(load_bundle(path.parent), arithmetic=arithmetic)


def open_bundle(bundle: Bundle, *, arithmetic: Arithmetic = "f32", all_outputs: bool = True) -> Run:
    """A bundle, ready to run on inputs one by one, all processors at each.

    :param all_outputs: or only the answer: ``logits``, or a generator's ``picture``.
    """
    names = tuple(output.get_any_name() for output in read_model(bundle).outputs)
    answers = tuple(name for name in names if name in {"logits", "picture"})
    wanted = names if all_outputs else answers
    compiled = compile_graph(bundle, outputs=wanted, batch=1, precision=arithmetic)

    def run(inputs: Inputs) -> Answers:
        made = compiled(inputs)
        return {name: np.array(made[k], np.float32) for k, name in enumerate(wanted)}

    return run


def _set_width(model: ov.Model, *, half: bool) -> None:
    """Store every float constant as float32, or where :func:`halved` says so as float16 with its conversion back.

    OpenVINO's own compression would round the small ones, too, which does most harm and saves least.
    """
    ops = ov.opset15
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.get_element_type() not in {ov.Type.f16, ov.Type.f32}:
            continue
        array, name = np.array(node.get_data(), np.float32), node.get_friendly_name()
        small = halved(array) if half else None
        stored = ops.constant(array if small is None else small, name=name)
        whole = stored if small is None else ops.convert(stored, "f32", name=f"{name}_as_float")
        for target in node.output(0).get_target_inputs():
            reader = target.get_node()
            if reader.get_type_name() != "Convert" or reader.get_output_element_type(0) != ov.Type.f32:
                target.replace_source_output(whole.output(0))
                continue
            for further in reader.output(0).get_target_inputs():
                further.replace_source_output(whole.output(0))


def _renew_reference(bundle: Bundle, aside: Path) -> None:
    """The reference's inputs with what this graph makes of them, by which the export can check itself."""
    with np.load(bundle.reference, allow_pickle=False) as reference:
        arrays = dict(reference)
    if "input" in arrays:
        given, kept, answer = {"picture": arrays["input"]}, "output", "logits"
    else:
        given, kept, answer = {key: arrays[key] for key in arrays if key != "picture"}, "picture", "picture"
    graph = ov.Core().read_model(aside / "graph.xml")
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    arrays[kept] = np.array(compiled(given)[answer], np.float32)
    np.savez(aside / "reference.npz", **arrays)


def _quantise(model: ov.Model, job: Job) -> ov.Model:
    """Calibrate and quantise. What each setting is for was measured: see docs/en/export.md."""
    with unreported(), contextlib.redirect_stdout(io.StringIO()):
        import nncf
        from openvino._offline_transformations import apply_moc_transformations

        nncf.set_log_level(logging.ERROR)
        # Folds batch normalisation into the kernels: scales then fit what is computed, and biases can be corrected.
        apply_moc_transformations(model, cf=True)
        inputs = [job.calibration[k : k + 1] for k in range(len(job.calibration))]
        return nncf.quantize(
            model,
            nncf.Dataset(inputs),
            subset_size=len(inputs),
            fast_bias_correction=False,
            ignored_scope=nncf.IgnoredScope(types=["GroupConvolution"], validate=False),
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.DISABLE),
        )

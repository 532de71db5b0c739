"""Compiling a bundle's graph with OpenVINO: where the cache is, which precision, how many threads.

Shapes are fixed when a graph is compiled, so that memory does not grow with the number of pictures.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

import platformdirs

from huanjing.bundle import Bundle, LatentInput
from huanjing.errors import BundleError, UsageError
from huanjing.runtime.silent import ov

Precision = Literal["auto", "f32", "bf16"]


def cache_folder() -> Path:
    """Where compiled graphs and prepared data go: ``$HUANJING_CACHE``, else the platform's place for caches."""
    chosen = os.environ.get("HUANJING_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("huanjing")


def processors() -> int:
    """How many processors this process may use (which can be fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_name() -> str:
    """The processor and how many of its cores this process may use."""
    return f"{core().get_property('CPU', 'FULL_DEVICE_NAME').strip()}, {processors()} cores"


def resolve_precision(precision: Precision) -> Literal["f32", "bf16"]:
    """The arithmetic to use. ``auto`` is bfloat16 where the processor computes it natively, else float32.

    :raises UsageError: where bf16 is asked for and the processor has none.
    """
    if precision not in {"auto", "f32", "bf16"}:
        raise UsageError(f"--precision is {precision!r}; it can be auto, f32 or bf16")
    if precision == "f32":
        return "f32"
    native = "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bf16" and not native:
        raise UsageError("This processor has no bfloat16 arithmetic. Use --precision auto or f32.")
    return "bf16" if native else "f32"


@cache
def core() -> ov.Core:
    """OpenVINO itself, with its cache of compiled graphs in the user's cache folder where that can be written."""
    engine = ov.Core()
    folder = cache_folder() / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if writable:
        engine.set_property({"CACHE_DIR": str(folder)})
    return engine


def compile_graph(
    bundle: Bundle, *, outputs: tuple[str, ...], batch: int, precision: Precision = "auto", streams: int = 1
) -> ov.CompiledModel:
    """Compile a bundle's graph for pictures ``batch`` at a time.

    :param outputs: names of the outputs that are wanted; what only others need is not computed.
    :param streams: how many inferences run side by side; all processors are shared among them.
    :raises BundleError: where OpenVINO cannot use the graph, or it is not of the shapes that the manifest says.
    """
    settings = {
        "INFERENCE_PRECISION_HINT": resolve_precision(precision),
        "NUM_STREAMS": str(streams),
        "INFERENCE_NUM_THREADS": str(processors()),
    }
    try:
        graph = core().read_model(bundle.graph)
        model = ov.Model(
            [graph.output(name) for name in outputs], graph.get_parameters(), graph.friendly_name
        )
        shapes = {}
        for each in model.inputs:
            shapes[each] = each.get_partial_shape()
            shapes[each][0] = batch
        model.reshape(shapes)
        _refuse_other_shapes(bundle, model)
        return core().compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise BundleError(f"{bundle.folder}: OpenVINO cannot use this graph: {error}") from error


def _refuse_other_shapes(bundle: Bundle, model: ov.Model) -> None:
    manifest = bundle.manifest
    shape = manifest.input
    said = {"picture": [shape.height, shape.width, shape.channels], "logits": [len(manifest.classes)]}
    if isinstance(shape, LatentInput):
        said |= {"latent": [shape.size], "classes": [len(shape.frequencies)]}
    for port in (*model.inputs, *model.outputs):
        found = port.get_partial_shape()
        for name in port.get_names() & said.keys():
            if not found.compatible(ov.PartialShape([-1, *said[name]])):
                raise BundleError(
                    f"{bundle.folder}: the graph's {name} has shape {found}, and model.json says {said[name]} for one. "
                    "They are not of one model; get it again."
                )

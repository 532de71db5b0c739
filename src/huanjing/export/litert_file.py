"""LiteRT (which was TensorFlow Lite): one file for phones and small boards, run by LiteRT's own interpreter."""

from __future__ import annotations

import json
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from huanjing.export import saved_model
from huanjing.export.describe import LABELS, labels
from huanjing.export.graph import read_graph
from huanjing.export.job import Job, Run
from huanjing.runtime import processors
from huanjing.training.engine import quiet


def write(job: Job, folder: Path) -> Path:
    """Write ``NAME.tflite``. :raises UsageError: for an operation that has no translation."""
    path = folder / f"{job.name}.tflite"
    with tempfile.TemporaryDirectory() as place:
        saved = saved_model.write(replace(job, precision="fp32"), Path(place), builtin=True)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        if job.precision != "fp32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if job.precision == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        elif job.precision == "int8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            (picture,) = read_graph(job.bundle).inputs

            def examples() -> Iterator[dict[str, Any]]:
                for k in range(len(job.calibration)):
                    yield {picture.name: job.calibration[k : k + 1]}

            converter.representative_dataset = examples
        with quiet(), warnings.catch_warnings():
            # The converter itself calibrates with the interpreter that TensorFlow is about to give up.
            warnings.filterwarnings(
                "ignore", message=r"\s*Warning: tf\.lite\.Interpreter", category=UserWarning
            )
            path.write_bytes(converter.convert())
    # A .tflite file may end in a ZIP archive, where its tools look for the labels.
    with zipfile.ZipFile(path, "a") as attached:
        if job.bundle.manifest.classes:
            attached.writestr(zipfile.ZipInfo(LABELS), labels(job.bundle))
        text = json.dumps(job.description, ensure_ascii=False, indent=1) + "\n"
        attached.writestr(zipfile.ZipInfo("description.json"), text)
    return path


def open_file(path: Path) -> Run:
    """The file, ready to run on inputs one by one."""
    with quiet():
        interpreter = Interpreter(str(path), num_threads=processors())
        interpreter.allocate_tensors()
        signature = interpreter.get_signature_runner("serving_default")
    return lambda inputs: signature(**inputs)

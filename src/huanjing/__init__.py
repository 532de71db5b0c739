"""Huanjing (幻境) sees pictures and creates them.

>>> import huanjing
>>> huanjing.recognize("espresso.jpg", top=3).labels[0].name
'espresso'

The names below are loaded when they are first used, so that ``import huanjing`` costs nothing.
"""

from __future__ import annotations

import os
import platform
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huanjing.bundle import find_model, load_bundle
    from huanjing.errors import (
        BundleError,
        DatasetError,
        HuanjingError,
        MissingExtraError,
        ModelNotFoundError,
        PictureError,
        RunError,
        UsageError,
    )
    from huanjing.runtime import Generator, Label, Prediction, Recognizer, generate, recognize

if platform.machine() in {"x86_64", "AMD64"}:
    # Before anything imports TensorFlow, which else uses oneDNN's kernels only where a processor has AVX-512 VNNI. Most
    # have not, and train a step in a third less time with them (benchmarks/kernels.py).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_HOMES = {
    "huanjing.bundle": ("find_model", "load_bundle"),
    "huanjing.errors": (
        "BundleError",
        "DatasetError",
        "HuanjingError",
        "MissingExtraError",
        "ModelNotFoundError",
        "PictureError",
        "RunError",
        "UsageError",
    ),
    "huanjing.runtime": ("Generator", "Label", "Prediction", "Recognizer", "generate", "recognize"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BundleError",
    "DatasetError",
    "Generator",
    "HuanjingError",
    "Label",
    "MissingExtraError",
    "ModelNotFoundError",
    "PictureError",
    "Prediction",
    "Recognizer",
    "RunError",
    "UsageError",
    "find_model",
    "generate",
    "load_bundle",
    "recognize",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("huanjing")
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'huanjing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

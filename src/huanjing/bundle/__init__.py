"""Model bundles: ``model.json``, files and hashes, and the store of named models."""

from huanjing.bundle.folder import Bundle, file_sha256, load_bundle, write_bundle
from huanjing.bundle.manifest import (
    FORMAT,
    ClassName,
    Figure,
    FileEntry,
    GeneratedData,
    LatentInput,
    Manifest,
    PictureInput,
    Privacy,
    TrainingSummary,
)
from huanjing.bundle.store import DEFAULT_MODELS, find_model, installed_models, user_models

__all__ = [
    "DEFAULT_MODELS",
    "FORMAT",
    "Bundle",
    "ClassName",
    "Figure",
    "FileEntry",
    "GeneratedData",
    "LatentInput",
    "Manifest",
    "PictureInput",
    "Privacy",
    "TrainingSummary",
    "file_sha256",
    "find_model",
    "installed_models",
    "load_bundle",
    "user_models",
    "write_bundle",
]

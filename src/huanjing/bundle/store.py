"""Where a model's name leads: a path, the user's model folder, then the models inside the package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import platformdirs

from huanjing.bundle.folder import MANIFEST, Bundle, load_bundle
from huanjing.errors import BundleError, ModelNotFoundError

Kind = Literal["recognizer", "generator"]

PACKAGE_MODELS = Path(__file__).parent.parent / "assets" / "models"
DEFAULT_MODELS: dict[Kind, str] = {"recognizer": "efficientnet-lite0", "generator": "clothing-28"}


def user_models() -> Path:
    """The user's model folder: ``$HUANJING_HOME/models``, else the platform's place for a user's data."""
    home = os.environ.get("HUANJING_HOME")
    return (Path(home) if home else platformdirs.user_data_path("huanjing")) / "models"


def find_model(name: str | os.PathLike[str] | None, kind: Kind) -> Bundle:
    """The bundle that ``name`` means; None is the embedded model of that kind.

    A path to a bundle, or to a run folder (its ``model/``), comes first; then a name in the user's model folder;
    then one in the package. Models from outside the package have their hashes verified.

    :raises ModelNotFoundError: with the names that could have been meant.
    :raises BundleError: for a model that is damaged, or of the other kind.
    """
    wanted = os.fspath(name) if name is not None else DEFAULT_MODELS[kind]
    try:
        folder = _locate(wanted)
    except (
        OSError,
        RuntimeError,
    ) as error:  # no such home as ~name, a name that is too long, no right to look
        raise ModelNotFoundError(f"{wanted}: cannot be looked at: {error}") from None
    if folder is None:
        known = ", ".join(sorted({path.name for path in installed_models()})) or "none"
        raise ModelNotFoundError(
            f"No model {wanted!r}: there is no such folder, and no such name in {user_models()} or in the package. "
            f"Names that are here: {known}."
        )
    bundle = load_bundle(folder, verify=not folder.is_relative_to(PACKAGE_MODELS))
    if bundle.manifest.kind != kind:
        raise BundleError(f"{folder}: is a {bundle.manifest.kind}; a {kind} is needed here")
    return bundle


def installed_models() -> Iterator[Path]:
    """The folders of all models that a name reaches, the user's before the package's."""
    for root in (user_models(), PACKAGE_MODELS):
        if root.is_dir():
            yield from sorted(path.parent for path in root.glob(f"*/{MANIFEST}"))


def _locate(wanted: str) -> Path | None:
    path = Path(wanted).expanduser()
    for candidate in (path, path / "model"):
        if (candidate / MANIFEST).is_file():
            return candidate
    if wanted in {"", ".", ".."} or Path(wanted).name != wanted:
        return None
    for root in (user_models(), PACKAGE_MODELS):
        if (root / wanted / MANIFEST).is_file():
            return root / wanted
    return None

"""Where an export is put: a folder that appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huanjing.bundle.folder import put_in_place
from huanjing.errors import UsageError

RECORD = "export.json"
"""In every folder that was exported: what it is, and how it was checked."""


def refuse_to_replace(folder: Path, *, overwrite: bool) -> None:
    """Leave what is no export of ours alone.

    :raises UsageError: where ``folder`` is there, holds something else, and ``overwrite`` does not allow for it.
    """
    if not folder.exists() or (folder / RECORD).is_file():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: is a file; name a folder with --output")
    if any(folder.iterdir()) and not overwrite:
        raise UsageError(
            f"{folder}: is not empty and not an export; name another folder with --output, or replace it with "
            "--overwrite"
        )


@contextmanager
def written_aside(folder: Path) -> Iterator[Path]:
    """A new folder beside ``folder`` that takes its name, and its place, once the context is left in order."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        yield aside
        aside.chmod(0o755)
        put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)

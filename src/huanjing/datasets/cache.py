"""Arrays that are computed once and kept in the cache."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import DatasetError


def cached_array(path: Path, write: Callable[[Path], None], what: str) -> NDArray[Any]:
    """The array in the ``.npy`` file at ``path``, mapped from it; where there is none, it is written first.

    :param write: writes the array to the path given, which lies aside and gets its name once it is whole.
    :param what: the array holds, for the error.
    :raises DatasetError: where it cannot be written.
    """
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".making-", suffix=".npy", dir=path.parent)
            os.close(handle)
            aside = Path(name)
            try:
                write(aside)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise DatasetError(
                f"{path}: {what} cannot be written: {error.strerror or error}. "
                "Make room, or name another place with HUANJING_CACHE."
            ) from error
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array

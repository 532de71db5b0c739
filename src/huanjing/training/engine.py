"""Starting TensorFlow: whether it is there, and without its own talk on the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from huanjing.errors import MissingExtraError


def require_tensorflow(*, compute: bool = True) -> None:
    """Import Keras and TensorFlow, which takes some seconds.

    :param compute: whether to let it start computing, too; not where several processes are to find each other first.
    :raises MissingExtraError: where they are not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with quiet():
        try:
            import keras  # noqa: F401
            import tensorflow as tf
        except ImportError as error:
            raise MissingExtraError("Training", "train") from error
        if compute:
            tf.constant(0)


def fix_graphs() -> None:
    """Let TensorFlow turn the same step into the same graph every time, and compute it in the order it was written in.

    Its ``remapping`` fuses operations, and whether it manages to depends on the names that layers happen to have: the
    same training, run again and again, sometimes differed in the last bits. A step without it took 4 % longer on one
    core for ``residual``, and 5 % less time for ``modulated``.

    Its ``dependency_optimization`` loses what keeps a weight from being updated before all have read it (TensorFlow
    2.21): the last bias that a gradient penalty reads. The penalty then was that of one bias before or after, as it
    happened, in one run of a hundred on a busy machine. A step without it takes no longer.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"remapping": False, "dependency_optimization": False})


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what C++ writes to stderr while TensorFlow starts; shown where it fails."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(real, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)

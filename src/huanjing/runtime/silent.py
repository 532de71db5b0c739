"""OpenVINO without its reports: imported as it comes, it tells its makers over the network that it was.

Whatever of Huanjing uses OpenVINO gets it through here first, so that nothing leaves the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["converting", "ov", "unreported"]


@contextmanager
def unreported() -> Iterator[None]:
    """While open, neither importing OpenVINO nor its model converter is reported to its makers.

    It keeps silent where it takes a run for an automated one, which it tells by this variable.
    """
    before = os.environ.get("CI")
    os.environ["CI"] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ["CI"]
        else:
            os.environ["CI"] = before


with unreported():
    import openvino as ov


@contextmanager
def converting() -> Iterator[None]:
    """While open, OpenVINO's converter takes networks of TensorFlow's: :func:`unreported`, and on Python 3.13 too.

    To learn TensorFlow's version it runs ``exec("import tensorflow")``, then ``exec("del tensorflow")``, which since
    Python 3.13 (PEP 667) finds nothing to delete. It does without both, TensorFlow being imported.
    """
    from openvino.frontend.tensorflow import utils

    utils.exec = lambda _: None
    try:
        with unreported():
            yield
    finally:
        del utils.exec

"""What makes a command that answers at once start faster."""

from __future__ import annotations

import sys


def import_openvino_lightly() -> None:
    """Import OpenVINO without its model converter, which takes a third of its start and which nothing here uses.

    Only for a process of our own: ``openvino.convert_model`` is missing afterwards, and a library must not do that
    to its host. OpenVINO itself allows for an installation without the converter.
    """
    converter = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return
    sys.modules[converter] = None  # type: ignore[assignment]  # makes importing it an ImportError
    try:
        import huanjing.runtime.silent  # noqa: F401
    finally:
        del sys.modules[converter]

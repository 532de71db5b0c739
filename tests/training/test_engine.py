"""How TensorFlow starts, seen from a process of its own."""

import os
import platform
import subprocess
import sys

import pytest

START = "import huanjing, tensorflow as tf; tf.constant(0)"


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="elsewhere TensorFlow decides")
@pytest.mark.parametrize(("wanted", "used"), [(None, True), ("0", False)])
def test_onednn_is_used_on_every_x86_processor_unless_somebody_said_no(
    wanted: str | None, used: bool
) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    environment |= {} if wanted is None else {"TF_ENABLE_ONEDNN_OPTS": wanted}
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True, env=environment
    )
    assert ("oneDNN custom operations are on" in done.stderr) == used

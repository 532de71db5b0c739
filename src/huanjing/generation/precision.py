"""Which arithmetic trains faster here, and how far this machine's minutes reach."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from huanjing.runtime import processors

Policy = Literal["float32", "mixed_bfloat16"]

NATIVE = {"avx512_bf16", "amx_bf16"}
"""What Linux calls the instructions that compute in bfloat16; without them it is emulated, and slower."""

MEASURED_CORES = 2
"""What the recipes' minutes were measured on, with bfloat16."""
FLOAT32 = 1 / 4
"""How far a minute reaches in float32, by one core with AVX2 (AMD Zen 3) against one with bfloat16 (Zen 5): 0.27 for
``residual`` at 28×28, 0.27 for ``modulated`` at 64×64, 0.23 for ``dcgan`` at 28×28."""


def best_precision() -> Policy:
    """``mixed_bfloat16`` where the processor has bfloat16 arithmetic, else ``float32``.

    On a processor that has it, every network measured so far trained 1.2 to 2 times faster in it.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "float32"
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    return "mixed_bfloat16" if flags & NATIVE else "float32"


def measured_minutes(minutes: float) -> float:
    """What the machine that the recipes were measured on would need for as many steps as this one takes in ``minutes``.

    Never more than ``minutes``: more cores than two were not measured, nor was a GPU, which is taken for two cores.
    """
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return minutes
    speed = processors() / MEASURED_CORES * (1.0 if best_precision() == "mixed_bfloat16" else FLOAT32)
    return minutes * min(1.0, speed)

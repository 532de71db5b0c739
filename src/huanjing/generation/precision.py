"""Which arithmetic trains faster here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Policy = Literal["float32", "mixed_bfloat16"]

NATIVE = {"avx512_bf16", "amx_bf16"}
"""What Linux calls the instructions that compute in bfloat16; without them it is emulated, and slower."""


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

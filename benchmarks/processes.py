"""Whole commands, as a user starts them: their time, what they say, and their peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping

HUANJING = [sys.executable, "-m", "huanjing"]


def run_process(
    command: list[str], environment: Mapping[str, str] | None = None, *, may_fail: bool = False
) -> tuple[float, str]:
    """Run to its end: (seconds of wall time, what it said on stderr)."""
    settings = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | dict(environment or {})
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=not may_fail, env=settings)
    return time.perf_counter() - started, done.stderr


def peak_memory(
    command: list[str],
    listing: str = "",
    environment: Mapping[str, str] | None = None,
    *,
    may_fail: bool = False,
) -> int:
    """Peak resident bytes of a command that reads ``listing`` from standard input."""
    watch = (
        "import json, resource, subprocess, sys\n"
        "subprocess.run(json.loads(sys.argv[1]), input=sys.stdin.buffer.read(), check=bool(int(sys.argv[2])),\n"
        "               stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch, json.dumps(command), str(int(not may_fail))],
        input=listing, capture_output=True, text=True, check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | dict(environment or {}),
    )  # fmt: skip
    return int(done.stdout) * (1024 if sys.platform.startswith("linux") else 1)


def said_rate(talk: str) -> float:
    """Pictures/s that ``recognize`` reports at its end: from the first path to the last answer written."""
    return float(talk.strip().splitlines()[-1].split()[-2])

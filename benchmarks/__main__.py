"""Run the benchmarks, print their table, write ``results/``: ``python -m benchmarks [runtime] [recognition] ...``."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rich.console import Console
from rich.table import Table

from benchmarks import (
    ablation,
    classic,
    generation,
    joined,
    kernels,
    peers,
    recognition,
    runtime,
    search,
    step,
    training,
)
from benchmarks.report import machine, write_results

SUITES = {
    "runtime": runtime.run,
    "recognition": recognition.run,
    "classic": classic.run,
    "search": search.run,
    "training": training.run,
    "generation": generation.run,
    "step": step.run,
    "kernels": kernels.run,
    "ablation": ablation.run,
    "joined": joined.run,
    "peers": peers.run,
}


def main() -> None:
    """The command."""
    chosen = sys.argv[1:] or list(SUITES)
    unknown = set(chosen) - set(SUITES)
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}.")
    console = Console()
    host = machine()
    console.print(
        f"{host['processor']}, {host['cores']} cores, {host['memory_gib']} GiB, Python {host['python']}"
    )
    for name in chosen:
        rows = SUITES[name]()
        table = Table("figure", "asked", "measured", "met", title=name, show_lines=True)
        for row in rows:
            table.add_row(row.figure, row.asked, row.measured, "yes" if row.met else "NO")
        console.print(table)
        console.print(f"Written to {write_results(name, rows)}")


if __name__ == "__main__":
    main()

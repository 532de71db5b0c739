"""``--workers``: a training in several processes, started here, or by others who say so in TF_CONFIG."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from huanjing.errors import UsageError

if TYPE_CHECKING:
    from huanjing.datasets import PictureArray
    from huanjing.generation.config import GeneratorConfig
    from huanjing.training.cluster import Cluster

PAUSE = 0.2
SAID_AFTER = 20.0
"""Seconds until a worker that finds no run says so."""


def start_workers(workers: int | None, *, private: bool = False) -> int | Cluster | None:
    """What this process is: a worker of a cluster; alone (None); or the one that started them, with their exit code.

    :raises UsageError: where ``workers`` is not how many TF_CONFIG names, or it names none that can be understood, or
        private training would have several.
    """
    from huanjing.generation.share import refuse_private
    from huanjing.training.cluster import VARIABLE, read_cluster
    from huanjing.training.launcher import end_with_launcher, launch

    if private:
        refuse_private(workers or 1)
    cluster = read_cluster()
    if cluster is None:
        if workers is None or workers == 1:
            return None
        print(
            f"Training in {workers} processes of this machine; this is what the first one says.",
            file=sys.stderr,
        )
        return launch([sys.executable, "-m", "huanjing", *sys.argv[1:]], workers)
    if workers is not None and workers != cluster.workers:
        raise UsageError(
            f"--workers is {workers}, and {VARIABLE} names {cluster.workers}. Leave --workers out where others start "
            f"the workers; unset {VARIABLE} to have them started here."
        )
    end_with_launcher()
    return cluster


def refuse_workers() -> None:
    """For what trains in one process.

    :raises UsageError: where TF_CONFIG names several workers, which would each train on its own in one run folder.
    """
    from huanjing.training.cluster import VARIABLE, read_cluster

    cluster = read_cluster()
    if cluster is not None:
        raise UsageError(
            f"{VARIABLE} names {cluster.workers} workers, and a recogniser is trained in one process. Unset it, and "
            "run the command on one machine."
        )


def follow(cluster: Cluster, run: Path, configure: Callable[[], tuple[GeneratorConfig, PictureArray]]) -> int:
    """Take part as a worker that is not the chief: the steps, and nothing else. Gives the exit code."""
    from huanjing.cli.generator_data import number_classes
    from huanjing.generation.train import train_generator
    from huanjing.training import Interrupted, Run
    from huanjing.training.distribution import WorkerLostError, start_distribution

    wait_for_chief(cluster, run)
    config, pictures = configure()
    labels = number_classes(pictures, config.classes)
    try:
        train_generator(
            config, pictures.array, Run(run), labels=labels, distribution=start_distribution(cluster)
        )
    except Interrupted:
        return 130
    except WorkerLostError as error:
        return lost(error)
    return 0


def lost(error: Exception) -> int:
    """Say that another worker is gone: the exit code by which a launcher knows that it was another."""
    from huanjing.training.launcher import WORKER_LOST

    print(f"huanjing: {error}", file=sys.stderr)
    return WORKER_LOST


def wait_for_chief(cluster: Cluster, run: Path) -> None:
    """Wait until the chief has begun the run; say what may be wrong where that takes long."""
    since, said = time.monotonic(), False
    while not (run / "config.json").is_file():
        if not said and time.monotonic() - since > SAID_AFTER:
            said = True
            print(
                f"Worker {cluster.number} of {cluster.workers} sees no {run / 'config.json'} yet. Worker 0 writes it "
                "once it has read the pictures. The run folder must be one that all workers see: --run names it.",
                file=sys.stderr,
            )
        time.sleep(PAUSE)

"""A worker of a training in several processes, for the tests: ``python workers.py TASK.json``, with TF_CONFIG set.

TASK.json lists runs: the configuration of each, its folder, and at which step the chief asks to stop, if at all. What
they end in is written beside their folder, as ``NAME-WORKER.npz``. Without TF_CONFIG two devices of this process are
taken for two GPUs.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np


def main(task: Path) -> None:
    from huanjing.training.cluster import read_cluster
    from huanjing.training.engine import require_tensorflow

    cluster = read_cluster()
    require_tensorflow(compute=False)

    import tensorflow as tf

    from huanjing.generation.config import GeneratorConfig
    from huanjing.training.distribution import Distribution, start_distribution

    if cluster is None:
        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
        distribution = Distribution(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    else:
        distribution = start_distribution(cluster)
    data = np.load(task.with_name("data.npz"))
    for wanted in json.loads(task.read_text()):
        config = msgspec.convert(wanted["config"], GeneratorConfig)
        labels = data["labels"] if config.classes else None
        folder = task.with_name(wanted["folder"])
        state = train(config, data["pictures"], labels, folder, wanted["stop"], distribution)
        number = cluster.number if cluster else 0
        np.savez(folder.with_name(f"{folder.name}-{number}.npz"), **state.arrays())


def train(config: Any, pictures: Any, labels: Any, folder: Path, stop: int | None, distribution: Any) -> Any:
    from huanjing.generation.train import train_generator
    from huanjing.training import Interrupted, Run

    def interrupt(tick: Any) -> None:
        if tick.step == stop:
            signal.raise_signal(signal.SIGINT)

    def part() -> Any:
        if not distribution.chief:
            return train_generator(
                config, pictures, Run(folder), labels=labels, distribution=distribution
            ).state
        with Run.start(folder, config) as run:
            return train_generator(config, pictures, run, interrupt, labels, distribution=distribution).state

    if stop is not None:
        try:
            part()
        except Interrupted:
            print("stopped", flush=True)
    return part()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

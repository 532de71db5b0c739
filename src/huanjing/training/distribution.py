"""What a training step runs on: one process, several GPUs of it, or several processes that may be on several machines.

The step is the same for all. Each replica (a process, or a GPU of one) holds all weights and takes rows k, k + R,
k + 2R, … of every batch, k being its number and R how many there are; so the first P rows of a batch, too, are shared
out alike. Keras' optimisers add gradients up over replicas: the mean over a replica's rows counts for 1/R.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import tensorflow as tf

from huanjing.errors import RunError
from huanjing.training.cluster import Cluster
from huanjing.training.engine import quiet
from huanjing.training.launcher import WORKER_LOST

SILENCE = 600.0
"""Seconds without a word from the others after which a worker gives up. The chief's longest task, a score or a
checkpoint, must be well below."""


class WorkerLostError(RunError):
    """Another worker is gone, or cannot be reached."""


class Distribution:
    """One process on its own, unless a strategy is given.

    :param strategy: what spreads the step; variables must be made in its ``scope()``.
    :param cluster: the workers, where they are several processes.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, cluster: Cluster | None = None
    ) -> None:
        self.strategy, self.cluster = strategy, cluster
        self.replicas = 1 if strategy is None else int(strategy.num_replicas_in_sync)
        self._watch = None if cluster is None else _Watch(cluster)
        if strategy is not None and cluster is not None:
            self._add = self.compile(lambda told: self._reduce(told, tf.distribute.ReduceOp.SUM))

    @property
    def chief(self) -> bool:
        """Whether this process writes what is written."""
        return self.cluster is None or self.cluster.chief

    def scope(self) -> AbstractContextManager[Any]:
        """Where variables are made."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    def compile(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step as one graph, run on all replicas; it gives what the first one here gives."""
        if self.strategy is None:
            return tf.function(step, autograph=False)  # type: ignore[no-any-return]
        strategy = self.strategy

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def everywhere(*given: tf.Tensor) -> Any:
            results = strategy.run(step, args=given)
            return tf.nest.map_structure(lambda each: strategy.experimental_local_results(each)[0], results)

        def watched(*given: tf.Tensor) -> Any:
            with self._waiting():
                return everywhere(*given)

        return watched

    def rows(self, batch: tf.Tensor, axis: int = 0) -> tf.Tensor:
        """In the step: this replica's rows of a batch."""
        if self.replicas == 1:
            return batch
        before, size, after = batch.shape[:axis], batch.shape[axis], batch.shape[axis + 1 :]
        cut = tf.reshape(batch, [*before, size // self.replicas, self.replicas, *after])
        return tf.gather(cut, _replica(), axis=axis + 1)

    def part(self, loss: tf.Tensor) -> tf.Tensor:
        """In the step: what the mean over this replica's rows adds to the mean over all."""
        return loss if self.replicas == 1 else loss / self.replicas

    def mean(self, *values: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """In the step: the means of scalars over all replicas."""
        if self.replicas == 1:
            return values
        return tuple(tf.unstack(self._reduce(tf.stack(values), tf.distribute.ReduceOp.MEAN)))

    def gather(self, *values: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """In the step: each of the values ``[N / R]``, of which every replica has its rows, as ``[N]``."""
        if self.replicas == 1:
            return values
        mine = tf.stack(values)[:, :, None] * tf.one_hot(_replica(), self.replicas)
        whole = self._reduce(mine, tf.distribute.ReduceOp.SUM)
        return tuple(tf.unstack(tf.reshape(whole, [len(values), -1])))

    def agree(self, told: Sequence[float], *, stop: bool) -> tuple[list[float], bool]:
        """Between steps, all workers at once: what the chief tells, and whether any wants to stop."""
        if self.cluster is None:
            return list(told), stop
        mine = [float(value) if self.chief else 0.0 for value in told]
        local = self.replicas // self.cluster.workers
        with self._waiting():
            all_told = self._add(tf.constant([*mine, float(stop)], tf.float64) / local).numpy()
        return [float(value) for value in all_told[:-1]], bool(all_told[-1] > 0)

    @contextmanager
    def others_may_fail(self) -> Iterator[None]:
        """Turn what TensorFlow says of workers that are gone into a :class:`WorkerLostError`."""
        try:
            yield
        except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError) as error:
            if self.cluster is None:
                raise
            raise WorkerLostError(_lost(self.cluster, "is gone, or cannot be reached")) from error

    def _waiting(self) -> AbstractContextManager[None]:
        return nullcontext() if self._watch is None else self._watch.waiting()

    def _reduce(self, value: tf.Tensor, how: tf.distribute.ReduceOp) -> tf.Tensor:
        # An argument of the graph belongs to no device, and could not be reduced; what is computed here does.
        return tf.distribute.get_replica_context().all_reduce(how, tf.identity(value))


def start_distribution(cluster: Cluster | None) -> Distribution:
    """Several processes where there is a cluster, else all GPUs, else this process alone.

    With a cluster it waits for the other workers, and must come before anything that TensorFlow computes.

    :raises WorkerLostError: where they cannot be reached.
    """
    if cluster is not None:
        try:
            with _interruptible(), quiet():
                strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.OpError as error:
            raise WorkerLostError(
                f"Worker {cluster.number} of {cluster.workers}, {cluster.addresses[cluster.number]}, cannot join the "
                f"others: {error.message.splitlines()[0]}. See that its port is free, that all are started, and that "
                "they reach each other by the addresses in TF_CONFIG."
            ) from error
        return Distribution(strategy, cluster)
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return Distribution(tf.distribute.MirroredStrategy())
    return Distribution()


class _Watch:
    """Ends this worker where the others keep silent for long: they live, and yet do not go on."""

    def __init__(self, cluster: Cluster, silence: float = SILENCE) -> None:
        self.cluster, self.silence = cluster, silence
        self._since: float | None = None
        threading.Thread(target=self._look, daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        before, self._since = self._since, time.monotonic()
        try:
            yield
        finally:
            self._since = before

    def _look(self) -> None:
        while True:
            time.sleep(min(1.0, self.silence / 4))
            since = self._since
            if since is not None and time.monotonic() - since > self.silence:
                text = _lost(self.cluster, f"has not answered for {self.silence:.0f} seconds")
                print(f"huanjing: {text}", file=sys.stderr, flush=True)
                os._exit(WORKER_LOST)


def _lost(cluster: Cluster, what: str) -> str:
    return (
        f"Worker {cluster.number} of {cluster.workers}: another worker {what}. "
        "All up to the newest checkpoint is kept: start all workers with the same command to go on from there."
    )


def _replica() -> tf.Tensor:
    return tf.distribute.get_replica_context().replica_id_in_sync_group


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once while TensorFlow waits and nothing can be lost."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

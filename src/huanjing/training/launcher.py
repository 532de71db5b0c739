"""Starts the workers of a training on this machine, shows what the chief says, and ends all where one fails."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO

from rich.console import Console

from huanjing.errors import RunError
from huanjing.training.cluster import VARIABLE, Cluster

LAUNCHED = "HUANJING_LAUNCHED"
"""Set for a worker whose standard input is a pipe that the launcher holds open as long as it lives."""
WORKER_LOST = 75
"""Exit code of a worker that ends because another one is gone."""
STOPPED = 130
LAST_LINES = 8
PATIENCE = 3.0
"""Seconds between asking a process to end and ending it, and for a culprit to show after its victim."""
LEAVING = 20.0
"""Seconds that the others have to end once the chief is done."""


@dataclass
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    words: IO[bytes] | None
    """What it wrote to stderr; None for the chief, whose words everybody saw."""

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def last_words(self) -> str:
        if self.words is None:
            return ""
        self.words.seek(0)
        lines = [line.rstrip() for line in self.words.read().decode(errors="replace").splitlines()]
        return "\n".join(f"  {line}" for line in [line for line in lines if line][-LAST_LINES:])


def launch(command: Sequence[str], workers: int) -> int:
    """Run ``command`` in so many processes of this machine, and wait for them.

    Each finds in TF_CONFIG which worker it is. The chief has our terminal; Ctrl-C and SIGTERM are handed to it alone,
    and it stops the others.

    :returns: the chief's exit code.
    :raises RunError: where a worker ended by a signal, or with an error that the chief did not tell of.
    """
    with ExitStack() as stack:
        # A chief that is killed leaves its progress bar behind, and the cursor hidden.
        stack.callback(Console(stderr=True).show_cursor)
        addresses = tuple(free_addresses(workers))
        started = [_start(command, Cluster(addresses, number), stack) for number in range(workers)]
        with _handed_to(started[0].process):
            failed = _watch(started)
        chief = started[0].process
        if failed is not None:
            for worker in started:
                _end(worker)
            told = failed.process.returncode > 0 and chief.returncode > 0 and chief.returncode != WORKER_LOST
            if not told:
                raise RunError(_how_it_ended(failed, workers))
        return int(chief.returncode)


def end_with_launcher() -> None:
    """In a worker that a launcher started: end as by SIGTERM where the launcher is gone."""
    if not os.environ.pop(LAUNCHED, ""):
        return

    def watch() -> None:
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _start(command: Sequence[str], cluster: Cluster, stack: ExitStack) -> _Worker:
    threads = str(max(1, _processors() // cluster.workers))
    environment = {"TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads} | os.environ
    environment |= {VARIABLE: cluster.variable(), LAUNCHED: "1"}
    words = None if cluster.chief else stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=None if cluster.chief else subprocess.DEVNULL,
        stderr=words,
        env=environment,
        # Ctrl-C reaches the launcher alone.
        start_new_session=True,
    )
    worker = _Worker(cluster.number, process, words)
    stack.callback(_end, worker, patience=0.0)
    return worker


def _watch(workers: list[_Worker]) -> _Worker | None:
    """Wait until the chief is done, and the others with it: None; or until one has failed: the one to blame."""
    chief = workers[0]
    while True:
        failed = [worker for worker in workers if worker.code not in (None, 0, STOPPED)]
        if failed:
            # One that misses another may be the first to say so.
            time.sleep(PATIENCE if failed[0].code == WORKER_LOST or failed[0] is not chief else 0)
            failed = [worker for worker in workers if worker.code not in (None, 0, STOPPED)]
            return min(failed, key=lambda worker: (worker.code == WORKER_LOST, (worker.code or 0) > 0))
        if chief.code is not None:
            deadline = time.monotonic() + (LEAVING if chief.code == 0 else PATIENCE)
            while any(worker.code is None for worker in workers) and time.monotonic() < deadline:
                time.sleep(0.05)
            return None
        time.sleep(0.05)


def _end(worker: _Worker, patience: float = PATIENCE) -> None:
    """End a process that is still there, and wait for it."""
    with suppress(OSError):
        if worker.process.poll() is None and patience:
            worker.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(patience)
        if worker.process.poll() is None:
            worker.process.kill()
    worker.process.wait()
    if worker.process.stdin is not None:
        worker.process.stdin.close()


@contextmanager
def _handed_to(chief: subprocess.Popen[bytes]) -> Iterator[None]:
    """While open, Ctrl-C and SIGTERM go to the chief; the second one ends everything."""
    asked = False

    def hand(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        chief.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, hand) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how_it_ended(worker: _Worker, workers: int) -> str:
    code = worker.process.returncode
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else ""
        how = f"was ended by signal {-code} {name}".rstrip()
        how += "; where memory runs out, the system does that" if code == -signal.SIGKILL else ""
    else:
        how = f"ended with exit code {code}"
    words = worker.last_words()
    who = f"Worker {worker.number} of {workers}" + (", the chief," if worker.number == 0 else "")
    return (
        f"{who} {how}. The others were ended, too."
        + (f" Its last words:\n{words}\n" if words else " ")
        + "All up to the newest checkpoint is kept: the same command goes on from there."
    )


def free_addresses(count: int) -> list[str]:
    """``127.0.0.1:port`` for so many ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

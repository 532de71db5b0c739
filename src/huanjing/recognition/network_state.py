"""Everything that changes while a recognition network trains, and how it becomes a checkpoint and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.recognition.config import RecognizerConfig
from huanjing.training.averages import MovingAverage

Arrays = dict[str, NDArray[np.generic]]

WARM_UP = 0.2
"""The average's half-life is at most this times the steps done."""


class NetworkState:
    """The network, its optimiser, its average, and the average's weights when it was best.

    With the step's number this is the whole state: the order of pictures and their augmentation are functions of seed
    and step.
    """

    def __init__(self, config: RecognizerConfig, half_life: float, make: Callable[[], Any]) -> None:
        keras.utils.set_random_seed(config.seed)
        with _precision(config.precision):
            self.network: keras.Model = make()
            self.averaged: keras.Model = make()
        self.optimiser = keras.optimizers.Adam(epsilon=1e-7)
        self.optimiser.build(self.network.trainable_variables)
        self.average = MovingAverage(self.network, self.averaged, half_life, WARM_UP)
        self.best_accuracy = -1.0
        self.best_loss = 0.0
        self.worse = 0
        """Rounds since the best one."""
        self._best: list[NDArray[np.generic]] = self.averaged.get_weights()

    def remember(self, accuracy: float, loss: float) -> None:
        """Take a validation figure in: higher accuracy is better, then a lower loss."""
        if (accuracy, -loss) > (self.best_accuracy, -self.best_loss):
            self.best_accuracy, self.best_loss, self.worse = accuracy, loss, 0
            self._best = self.averaged.get_weights()
        else:
            self.worse += 1

    def best_network(self, make: Callable[[], Any]) -> keras.Model:
        """The network as it was when it was best, in float32."""
        with _precision("float32"):
            network: keras.Model = make()
        network.set_weights(self._best)
        return network

    def numbers(self) -> dict[str, float]:
        """The figures, for a checkpoint."""
        return {"best_accuracy": self.best_accuracy, "best_loss": self.best_loss, "worse": float(self.worse)}

    def arrays(self) -> Arrays:
        """All weights by name, for a checkpoint. :raises RunError: where one is no longer finite."""
        arrays = {name: np.array(variable.value) for name, variable in self._variables().items()}
        arrays |= {f"best/{index:03d}": array for index, array in enumerate(self._best)}
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise RunError(
                    f"Training diverged: {name} is no longer finite. Start a new run with another --seed."
                )
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[np.generic]], numbers: Mapping[str, float]) -> None:
        """Put a checkpoint back.

        :raises RunError: where it belongs to another network.
        """
        variables = self._variables()
        best = [f"best/{index:03d}" for index in range(len(self._best))]
        if set(arrays) != {*variables, *best} or any(
            arrays[name].shape != tuple(variable.shape) for name, variable in variables.items()
        ):
            raise RunError(
                "The checkpoint belongs to another network than config.json says; start a new run."
            )
        for name, variable in variables.items():
            variable.assign(arrays[name])
        self._best = [arrays[name] for name in best]
        self.best_accuracy, self.best_loss = numbers["best_accuracy"], numbers["best_loss"]
        self.worse = int(numbers["worse"])

    def _variables(self) -> dict[str, keras.Variable]:
        owners = {"network": self.network, "averaged": self.averaged, "optimiser": self.optimiser}
        return {
            f"{owner}/{index:03d}": variable
            for owner, holder in owners.items()
            for index, variable in enumerate(holder.variables)
        }


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Networks that are made meanwhile compute in ``policy``."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

"""Everything that changes while a generator trains, and how it becomes a checkpoint and comes back."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.generation.augment import AdaptiveStrength
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.networks import build_generator, build_networks
from huanjing.generation.objectives import OBJECTIVES
from huanjing.training.averages import MovingAverage
from huanjing.training.distribution import Distribution
from huanjing.training.engine import fix_graphs

Arrays = dict[str, NDArray[np.generic]]


class TrainingState:
    """Both networks, their optimisers, the averaged generator, which makes the pictures, and how the game stands.

    With the step's number this is the whole state: data order and noise are functions of seed and step.
    """

    def __init__(self, config: GeneratorConfig, distribution: Distribution | None = None) -> None:
        fix_graphs()
        self.distribution = distribution or Distribution()
        """What the variables are made for and the step runs on."""
        with self.distribution.scope():
            self._make(config)

    def _make(self, config: GeneratorConfig) -> None:
        recipe, shape = config.recipe, config.shape
        networks = build_networks(recipe, shape, config.precision, config.seed, len(config.classes))
        self.generator = networks.generator
        self.discriminator = networks.discriminator
        self.generator_optimiser = _adam(config, self.generator)
        self.discriminator_optimiser = _adam(config, self.discriminator)
        self.average: MovingAverage | None = None
        self.averaged = self.generator
        if recipe.average_half_life > 0:
            self.averaged = build_generator(recipe, shape, config.precision, config.seed, len(config.classes))
            self.average = MovingAverage(
                self.generator, self.averaged, recipe.average_half_life, recipe.average_warm_up
            )
        adaptive = config.augment == "adaptive"
        start = 0.0 if config.augment == "adaptive" else config.augment
        self.strength = AdaptiveStrength(start, adaptive=adaptive, watched=config.watched)
        balance = OBJECTIVES[recipe.objective].balance
        self.game = keras.Variable(balance, trainable=False, dtype="float32", name="game")
        """A moving average of the discriminator's loss; once not finite, it stays so."""
        self.rate_scale = keras.Variable(1.0, trainable=False, dtype="float32", name="rate_scale")
        """What the recipe's rates are multiplied by."""
        self.penalty_scale = keras.Variable(1.0, trainable=False, dtype="float32", name="penalty_scale")
        """What its γ is multiplied by."""

    def finite(self) -> bool:
        """Whether all numbers are."""
        return all(np.isfinite(array).all() for array in self.arrays().values())

    def arrays(self) -> Arrays:
        """All numbers by name, for a checkpoint."""
        return {name: np.array(variable.numpy()) for name, variable in self._variables().items()}

    def restore(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Put the numbers of a checkpoint back.

        :raises RunError: where they belong to other networks.
        """
        variables = self._variables()
        if set(arrays) != set(variables) or any(
            arrays[name].shape != tuple(variable.shape) for name, variable in variables.items()
        ):
            raise RunError("The checkpoint belongs to other networks than config.json says; start a new run.")
        for name, variable in variables.items():
            variable.assign(arrays[name])

    def _variables(self) -> dict[str, keras.Variable]:
        owners = {
            "generator": self.generator.variables,
            "discriminator": self.discriminator.variables,
            "generator-optimiser": self.generator_optimiser.variables,
            "discriminator-optimiser": self.discriminator_optimiser.variables,
            "augmentation": self.strength.variables,
            "game": [self.game, self.rate_scale, self.penalty_scale],
        }
        if self.average is not None:
            owners["averaged"] = self.averaged.variables
        return {
            f"{owner}/{index:03d}": variable
            for owner, variables in owners.items()
            for index, variable in enumerate(variables)
        }


def _adam(config: GeneratorConfig, network: keras.Model) -> keras.optimizers.Adam:
    recipe = config.recipe
    optimiser = keras.optimizers.Adam(recipe.rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, epsilon=1e-8)
    optimiser.build(network.trainable_variables)
    return optimiser

"""Everything that changes while a generator trains, and how it becomes a checkpoint and comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.generation.augment import AdaptiveStrength
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.networks import build_generators, build_stages
from huanjing.generation.objectives import OBJECTIVES
from huanjing.training.averages import MovingAverage
from huanjing.training.distribution import Distribution
from huanjing.training.engine import fix_graphs

Arrays = dict[str, NDArray[np.generic]]

STAGE = "stage/000"
"""What a checkpoint calls the stage."""


class TrainingState:
    """Both networks, their optimisers, the averaged generator, which makes the pictures, and how the game stands.

    Where the recipe has a ``growth``, pictures are coarse at first: there is a pair of networks for each stage.

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
        self.growth = recipe.growth
        self.stages = build_stages(recipe, shape, config.precision, config.seed, len(config.classes))
        """The networks, coarse pictures first, which share their layers; one pair where the recipe has no growth."""
        self.stage = 0
        """Which of them is trained."""
        self.generator_optimiser = _adam(
            config, _all(each.generator.trainable_variables for each in self.stages)
        )
        self.discriminator_optimiser = _adam(
            config, _all(each.discriminator.trainable_variables for each in self.stages)
        )
        self._averaged, self._averages = self._average(config)
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
        self._stage = keras.Variable(0, trainable=False, dtype="int32", name="stage")

    def _average(self, config: GeneratorConfig) -> tuple[list[keras.Model], list[MovingAverage]]:
        """The averaged generators, one for each stage, and what keeps them so; the generators where none are."""
        recipe = config.recipe
        generators = [networks.generator for networks in self.stages]
        if recipe.average_half_life <= 0:
            return generators, []
        averaged = build_generators(recipe, config.shape, config.precision, config.seed, len(config.classes))
        return averaged, [
            MovingAverage(source, target, recipe.average_half_life, recipe.average_warm_up)
            for source, target in zip(generators, averaged, strict=True)
        ]

    @property
    def generator(self) -> keras.Model:
        """Of this stage."""
        return self.stages[self.stage].generator

    @property
    def discriminator(self) -> keras.Model:
        """Of this stage."""
        return self.stages[self.stage].discriminator

    @property
    def averaged(self) -> keras.Model:
        """The generator of this stage that makes the pictures."""
        return self._averaged[self.stage]

    @property
    def average(self) -> MovingAverage | None:
        """What keeps it; None where it is the generator itself."""
        return self._averages[self.stage] if self._averages else None

    @property
    def grown(self) -> bool:
        """Whether pictures are made at their own size."""
        return self.stage == len(self.growth)

    def grow(self, progress: float) -> None:
        """Go to the stage that is due at ``progress``, 0..1.

        Layers that are new have no history in Adam, whose first steps would be ten times as long as they should be by
        the number of steps taken: so it counts from 0 again. γ too begins anew.
        """
        due = sum(progress >= part for part in self.growth)
        if due == self.stage:
            return
        self.stage = due
        self._stage.assign(due)
        self.penalty_scale.assign(1.0)
        for optimiser in (self.generator_optimiser, self.discriminator_optimiser):
            optimiser.iterations.assign(0)

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
        self.stage = int(arrays[STAGE]) if self.growth else 0

    def _variables(self) -> dict[str, keras.Variable]:
        owners = {
            "generator": _all(each.generator.variables for each in self.stages),
            "discriminator": _all(each.discriminator.variables for each in self.stages),
            "generator-optimiser": self.generator_optimiser.variables,
            "discriminator-optimiser": self.discriminator_optimiser.variables,
            "augmentation": self.strength.variables,
            "game": [self.game, self.rate_scale, self.penalty_scale],
        }
        if self._averages:
            owners["averaged"] = _all(each.variables for each in self._averaged)
        if self.growth:
            owners["stage"] = [self._stage]
        return {
            f"{owner}/{index:03d}": variable
            for owner, variables in owners.items()
            for index, variable in enumerate(variables)
        }


def _all(variables: Iterable[Sequence[keras.Variable]]) -> list[keras.Variable]:
    """The variables of all stages, those of the finest first, what they share once."""
    return list({id(each): each for some in reversed(list(variables)) for each in some}.values())


def _adam(config: GeneratorConfig, variables: Sequence[keras.Variable]) -> keras.optimizers.Adam:
    recipe = config.recipe
    optimiser = keras.optimizers.Adam(recipe.rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, epsilon=1e-8)
    optimiser.build(variables)
    return optimiser

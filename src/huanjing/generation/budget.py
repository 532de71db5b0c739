"""How much privacy a private training spends, as the accountant of Google's differential privacy library reckons it.

Neighbouring sets of pictures differ by one picture that one has and the other has not. Each update of the
discriminator is a Gaussian mechanism on a Poisson sample: every picture is in it with probability q, on its own; the
clipped gradients of those that are, each of length C at most, are summed, and noise of standard deviation σ C goes on
every number of the sum. What T such updates spend together follows from q, σ and T alone (Abadi et al., "Deep learning
with differential privacy", 2016); the accountant composes their privacy loss distributions (Koskela, Jälkö and
Honkela, 2020), rounded such that the ε it gives is never too low.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from huanjing.bundle import Privacy
from huanjing.errors import MissingExtraError, UsageError
from huanjing.generation.config import GeneratorConfig, PrivateTraining
from huanjing.generation.recipes import Recipe

if TYPE_CHECKING:
    from dp_accounting import DpEvent
    from dp_accounting.pld import PLDAccountant

ADJACENCY = "add or remove one picture"
SAMPLING = "Poisson"
MOST_EPSILON = 100.0
CLIP_NORM = 1.0
"""C, as in most published private GANs. Adam makes the size of a step nearly independent of it."""
GENERATOR_EVERY = 1
"""Updates of the discriminator for each of the generator. Bie, Kamath and Zhang, "Private GANs, revisited" (2023), find
many to help; in short runs here, five without penalties let the discriminator win."""
GRAIN = 1e-3
"""Privacy losses are rounded to multiples of this, upwards on the whole."""
FINENESS = 1e4
"""Noise multipliers are rounded up to a multiple of one part in so many."""
NEXT = 0.8
"""Of a noise multiplier: the next one to try. The accountant takes ever longer the less noise there is."""
LOOKS = 20
"""Parts of a run at whose ends the budget is reckoned while it goes on."""


def plan(epsilon: float, recipe: Recipe, pictures: int, steps: int) -> PrivateTraining:
    """The noise with which ``steps`` steps on ``pictures`` pictures spend ``epsilon`` at most.

    δ is the largest power of ten below 1 / pictures.

    :raises UsageError: where there is no such noise, or only one in which nothing could be learned.
    """
    if not 0 < epsilon <= MOST_EPSILON:
        raise UsageError(
            f"--private is {epsilon:g}; it is the ε to spend, above 0 and at most {MOST_EPSILON:g}. Small is private: "
            "1 is strong, 10 is common, and what is above promises little."
        )
    if recipe.batch > pictures:
        raise UsageError(
            f"A batch of {recipe.batch:,} cannot be drawn from {pictures:,} pictures. Give a smaller --batch; for "
            "private training thousands of pictures are needed."
        )
    delta = 10.0 ** -(math.floor(math.log10(pictures)) + 1)
    rate, updates = recipe.batch / pictures, steps * GENERATOR_EVERY
    noise = _least_noise(epsilon, delta, rate, updates, most=float(recipe.batch))
    if noise is None:
        raise UsageError(
            f"--private {epsilon:g} is too small for {pictures:,} pictures and {updates:,} updates of the "
            f"discriminator: each number of its gradient would get more noise than the {recipe.batch:,} pictures of a "
            "batch may add to it together. Give a larger ε, fewer --steps or more pictures."
        )
    return PrivateTraining(
        epsilon=epsilon,
        delta=delta,
        noise_multiplier=noise,
        clip_norm=CLIP_NORM,
        generator_every=GENERATOR_EVERY,
    )


def privacy_spent(config: GeneratorConfig, steps: int) -> Privacy | None:
    """What ``steps`` steps of a run have spent; None where it is not private."""
    private = config.private
    if private is None:
        return None
    rate, updates = config.recipe.batch / config.data.pictures, steps * private.generator_every
    return Privacy(
        epsilon=_epsilon(private.noise_multiplier, private.delta, rate, updates),
        delta=private.delta,
        noise_multiplier=private.noise_multiplier,
        clip_norm=private.clip_norm,
        sampling=SAMPLING,
        sampling_rate=rate,
        updates=updates,
        adjacency=ADJACENCY,
        accountant=f"dp-accounting {version('dp-accounting')}, privacy loss distributions",
    )


def epsilon_so_far(config: GeneratorConfig, step: int) -> float | None:
    """ε after ``step`` steps, or a little later: it is reckoned at each twentieth of the run alone."""
    if config.private is None or config.steps is None:
        return None
    part = math.ceil(step * LOOKS / config.steps)
    spent = privacy_spent(config, math.ceil(part * config.steps / LOOKS))
    return None if spent is None else spent.epsilon


def _least_noise(epsilon: float, delta: float, rate: float, updates: int, most: float) -> float | None:
    """The least σ that spends ``epsilon`` at most, rounded up; None where it is above ``most``."""
    _require_library()
    import dp_accounting as dp

    def enough(noise: float) -> bool:
        return _epsilon(noise, delta, rate, updates) <= epsilon

    high = 1.0
    while not enough(high):
        if high >= most:
            return None
        high *= 2
    low = NEXT * high
    while enough(low):
        high, low = low, NEXT * low
    with np.errstate(over="ignore"):
        found = dp.calibrate_dp_mechanism(
            _accountant,
            lambda noise: _event(noise, rate, updates),
            epsilon,
            delta,
            dp.ExplicitBracketInterval(low, high),
            tol=1 / FINENESS,
        )
    noise = math.ceil(found * FINENESS) / FINENESS
    return noise if noise < most else None


@lru_cache(maxsize=2 * LOOKS)
def _epsilon(noise: float, delta: float, rate: float, updates: int) -> float:
    if updates == 0:
        return 0.0
    accountant = _accountant()
    with np.errstate(
        over="ignore"
    ):  # a ratio to a probability next to 0 is infinite, and larger than what it meets
        accountant.compose(_event(noise, rate, updates))
        return float(accountant.get_epsilon(delta))


def _accountant() -> PLDAccountant:
    _require_library()
    from dp_accounting.pld import PLDAccountant

    return PLDAccountant(value_discretization_interval=GRAIN)


def _event(noise: float, rate: float, updates: int) -> DpEvent:
    import dp_accounting as dp

    return dp.SelfComposedDpEvent(dp.PoissonSampledDpEvent(rate, dp.GaussianDpEvent(noise)), updates)


def _require_library() -> None:
    if find_spec("dp_accounting") is None:
        raise MissingExtraError("Private training", "train")

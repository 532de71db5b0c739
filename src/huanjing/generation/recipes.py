"""The recipes for training a generator: one row each, with what it costs and how far it gets.

A row, with the widths and rates that :mod:`huanjing.generation.sizes` has for the pictures' shape, holds every number
that shapes training, so that ``config.json`` of a run, which holds the row as it was used, is all that is needed to
repeat it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from huanjing.errors import UsageError
from huanjing.generation.shape import Shape
from huanjing.generation.sizes import halvings, pace_for, size_for, widths


@dataclass(frozen=True)
class Recipe:
    """How a generator is trained. Widths and rates are filled in for the pictures' shape by :func:`recipe_for`."""

    name: str
    summary: str
    generator: Literal["classic", "dense", "residual", "strided", "modulated"]
    discriminator: Literal["classic", "strided", "modulated"]
    objective: Literal["non-saturating", "relativistic"]
    batch: int
    beta_1: float
    beta_2: float
    rate: float = 0.0
    """Adam's learning rate at the start, of both networks."""
    last_rate: float = 0.0
    """The rate at the end; a half cosine leads there."""
    hold: float = 0.0
    """The part of the training, 0..1, that keeps the first rate; the half cosine is that of the rest."""
    updates: Literal[1, 2] = 2
    """2: the networks learn in turn, each from pictures and latents of its own. 1: both from one pass."""
    penalty: float = 0.0
    """γ: the gradient penalties on real and generated pictures are weighed by γ/2. 0 means none."""
    last_penalty: float | None = None
    """γ at the end, where the half cosine of the rate leads it; None: as at the start."""
    wanted_loss: float | None = None
    """The most that the discriminator's loss should be: where it is more, γ goes down, to a tenth. None: γ stays."""
    penalty_share: float = 0.125
    """The part of each batch that the penalties are taken on; two pictures at least."""
    average_half_life: float = 0.0
    """Steps after which a weight counts half in the moving average that makes the pictures. 0: no average."""
    average_warm_up: float = 0.05
    """In early training the half-life is at most this part of the steps done."""
    latent: int = 64
    only: tuple[int, int, Literal[1, 3, 4]] | None = None
    """Height, width and channels of the only pictures that it makes; None where all can be had."""
    size: str = ""
    """``small``, ``medium`` or ``large``; empty where the recipe has one size."""
    generator_widths: tuple[int, ...] = ()
    """From the latent to the picture."""
    discriminator_widths: tuple[int, ...] = ()
    """From the picture down."""
    distance: float | None = None
    """The Fréchet distance to expect, by :data:`DISTANCE_PROTOCOL`; None where it was not measured."""


DISTANCE_PROTOCOL = (
    "Fréchet distance after 2 minutes on two cores, 10,000 clothing pictures of 28×28, without classes, bfloat16, one "
    "seed; 2,000 generated against 2,000 test pictures on efficientnet-lite0's pooled features; train against test 9.0"
)

RECIPES: dict[str, Recipe] = {
    row.name: row
    for row in (
        Recipe(
            name="dcgan",
            summary="the classic network of 2016, as courses teach it",
            generator="classic", discriminator="classic", objective="non-saturating", batch=64, updates=1,
            beta_1=0.5, beta_2=0.999,
            distance=120.7,
        ),
        Recipe(
            name="dcgan-dense",
            summary="the article's network: dense layers up to 8,192 units, 32×32 colour alone",
            generator="dense", discriminator="classic", objective="non-saturating", batch=64, updates=1,
            beta_1=0.5, beta_2=0.999, latent=100, only=(32, 32, 3),
        ),
        Recipe(
            name="residual",
            summary="residual blocks, relativistic pairing, gradient penalties on both sides, averaged weights",
            generator="residual", discriminator="strided", objective="relativistic", batch=64,
            beta_1=0.0, beta_2=0.99, penalty=2.0, average_half_life=500,
            distance=27.5,
        ),
        Recipe(
            name="slim",
            summary="strided networks, batch normalisation in the generator; objective and average as in residual",
            generator="strided", discriminator="strided", objective="relativistic", batch=16,
            beta_1=0.0, beta_2=0.99, penalty=1.0, average_half_life=2000,
        ),
        Recipe(
            name="modulated",
            summary="slim, told of the latent on every grid, and looking at pictures at full size; one pass a step",
            generator="modulated", discriminator="modulated", objective="relativistic", batch=16, updates=1,
            beta_1=0.0, beta_2=0.99, penalty=1.0, wanted_loss=0.35, average_half_life=2000,
        ),
    )
}  # fmt: skip

DEFAULT_RECIPES = ((32, "residual"), (math.inf, "modulated"))
"""The recipe for pictures whose longer side is at most so long: what reached the lowest distance in the same time, on
grey pictures of 28×28 and on colour ones of 64×64 (docs/en/what-each-change-buys.md)."""
DISCRIMINATOR_BASE = 4
"""The strided discriminator halves a picture until its longer side is at most this."""


def default_recipe(shape: Shape) -> str:
    """The name of the recipe for pictures of ``shape`` where none is asked for."""
    side = max(shape.height, shape.width)
    return next(name for most, name in DEFAULT_RECIPES if side <= most)


def recipe_for(
    name: str, shape: Shape, batch: int | None = None, size: str | None = None, minutes: float | None = None
) -> Recipe:
    """The recipe called ``name``, its networks and rates those for pictures of ``shape``.

    :param batch: pictures in a step; None goes by the recipe and by ``minutes``.
    :param size: ``small``, ``medium`` or ``large``; None chooses by the pictures and by ``minutes``.
    :param minutes: the time to train on two cores with bfloat16, by which rates and the batch go; None is long, but
        of medium size. ``measured_minutes`` has it for this machine.
    :raises UsageError: for a name that is none, or a shape or size that the recipe has not.
    """
    if name not in RECIPES:
        raise UsageError(f"There is no recipe {name!r}. There are: {', '.join(RECIPES)}.")
    recipe = RECIPES[name]
    if recipe.only not in (None, (shape.height, shape.width, shape.channels)):
        height, width, channels = recipe.only
        raise UsageError(
            f"{name} makes pictures of {width} by {height} with {channels} channels alone, and {shape.width} by "
            f"{shape.height} with {shape.channels} are asked for. Leave --resolution and --channels out, or take "
            "another recipe; residual, slim and modulated make all."
        )
    row = size_for(name, shape, size, minutes)
    doublings = shape.doublings(row.largest_base)
    grids = {
        "classic": doublings,
        "dense": len(row.generator),
        "residual": doublings + 1,
        "strided": doublings,
        "modulated": doublings + 1,
    }[recipe.generator]
    depth = doublings if recipe.discriminator == "classic" else halvings(shape, DISCRIMINATOR_BASE)
    depth += recipe.discriminator == "modulated"
    pace = pace_for(name, shape, minutes)
    return replace(
        recipe,
        rate=pace.rate,
        last_rate=pace.last_rate,
        hold=pace.hold,
        batch=batch or pace.batch or recipe.batch,
        size=row.name,
        generator_widths=widths(row.generator, grids)[::-1],
        discriminator_widths=widths(row.discriminator, depth),
    )

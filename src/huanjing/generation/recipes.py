"""The recipes for training a generator: one row each, with what it costs and how far it gets.

A row holds every number that shapes training, so that ``config.json`` of a run, which holds the row as it was
used, is all that is needed to repeat it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from huanjing.errors import UsageError
from huanjing.generation.shape import Shape


@dataclass(frozen=True)
class Recipe:
    """How a generator is trained. Widths are filled in for the pictures' shape by :func:`recipe_for`."""

    name: str
    summary: str
    generator: Literal["classic", "residual"]
    discriminator: Literal["classic", "strided"]
    objective: Literal["non-saturating", "relativistic"]
    batch: int
    rate: float
    """Adam's learning rate at the start, of both networks."""
    last_rate: float
    """The rate at the end; a half cosine leads there."""
    beta_1: float
    beta_2: float
    updates: Literal[1, 2] = 2
    """2: the networks learn in turn, each from pictures and latents of its own. 1: both from one pass."""
    penalty: float = 0.0
    """γ: the gradient penalties on real and generated pictures are weighed by γ/2. 0 means none."""
    penalty_share: float = 0.125
    """The part of each batch that the penalties are taken on."""
    average_half_life: float = 0.0
    """Steps after which a weight counts half in the moving average that makes the pictures. 0: no average."""
    average_warm_up: float = 0.05
    """In early training the half-life is at most this part of the steps done."""
    latent: int = 64
    largest_base: int = 16
    """The first grid of the generator is the largest that has at most so many cells on a side."""
    finest_width: int = 64
    widest: int = 512
    generator_widths: tuple[int, ...] = ()
    discriminator_widths: tuple[int, ...] = ()
    expected: str = ""
    """What it reached where it was measured, and how."""


MEASURED = (
    "Fréchet distance after 2 minutes on two cores, 10,000 clothing pictures of 28×28, bfloat16, one seed; 2,000 "
    "generated against 2,000 test pictures on efficientnet-lite0's pooled features; train against test 9.0"
)

RECIPES: dict[str, Recipe] = {
    row.name: row
    for row in (
        Recipe(
            name="dcgan",
            summary="the classic network of 2016, as courses teach it",
            generator="classic", discriminator="classic", objective="non-saturating", batch=64, updates=1,
            rate=2e-4, last_rate=2e-4, beta_1=0.5, beta_2=0.999,
            largest_base=16, finest_width=64,
            expected=f"120.7 {MEASURED}",
        ),
        Recipe(
            name="residual",
            summary="residual blocks, relativistic pairing, gradient penalties on both sides, averaged weights",
            generator="residual", discriminator="strided", objective="relativistic", batch=64,
            rate=1e-3, last_rate=1e-4, beta_1=0.0, beta_2=0.99,
            penalty=2.0, average_half_life=500,
            largest_base=8, finest_width=16, widest=128,
            expected=f"27.5 {MEASURED}",
        ),
    )
}  # fmt: skip

DEFAULT_RECIPE = "residual"
SMALL_SIDE = 32


def recipe_for(name: str, shape: Shape, batch: int | None = None) -> Recipe:
    """The recipe called ``name``, its networks sized for pictures of ``shape``.

    :raises UsageError: for a name that is none, or a shape that cannot be generated.
    """
    if name not in RECIPES:
        raise UsageError(f"There is no recipe {name!r}. There are: {', '.join(RECIPES)}.")
    recipe = RECIPES[name]
    doublings = shape.doublings(recipe.largest_base)
    finest = recipe.finest_width
    # From the coarsest grid to the picture, then from the picture to the coarsest grid.
    if recipe.generator == "classic":
        generator = [finest << step for step in reversed(range(doublings))]
        discriminator = [finest << step for step in range(doublings)]
    else:
        generator = [finest << step for step in reversed(range(doublings + 1))]
        discriminator = [2 * finest << step for step in range(doublings + 1)]
    # Larger pictures bear smaller steps only: at 64 a quarter of the rate at 32.
    calmer = (
        1.0 if recipe.generator == "classic" else min(1.0, (SMALL_SIDE / max(shape.height, shape.width)) ** 2)
    )
    return replace(
        recipe,
        rate=recipe.rate * calmer,
        last_rate=recipe.last_rate * calmer,
        batch=recipe.batch if batch is None else batch,
        generator_widths=tuple(min(width, recipe.widest) for width in generator),
        discriminator_widths=tuple(min(width, recipe.widest) for width in discriminator),
    )

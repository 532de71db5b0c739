"""A tiny training for the tests: 8×8 grey pictures, a few thousand weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig


@pytest.fixture
def tiny() -> Callable[..., GeneratorConfig]:
    """Makes configurations: ``tiny("dcgan", steps=5, recipe={"rate": 1.0})``."""
    return _tiny


def _tiny(name: str = "residual", **changes: Any) -> GeneratorConfig:
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape

    recipe = recipe_for(name, Shape(8, 8, 1), batch=8)
    small = {
        "latent": 4,
        "generator_widths": tuple(8 for _ in recipe.generator_widths),
        "discriminator_widths": tuple(8 for _ in recipe.discriminator_widths),
    }
    values: dict[str, Any] = {
        "height": 8,
        "width": 8,
        "channels": 1,
        "seed": 7,
        "steps": 12,
        "precision": "float32",
        "data": DataSummary("test", 40, "0" * 64),
        "command": "huanjing train generator test",
    }
    recipe = replace(recipe, **(small | changes.pop("recipe", {})))
    return GeneratorConfig(recipe=recipe, **(values | changes))


@pytest.fixture
def squares() -> NDArray[np.uint8]:
    """Forty dark pictures with a bright square somewhere: 40×8×8×1 uint8."""
    pictures = np.full((40, 8, 8, 1), 20, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number % 25, 5)
        picture[row : row + 4, column : column + 4] = 230
    return pictures

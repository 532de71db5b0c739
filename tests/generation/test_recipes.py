from __future__ import annotations

import pytest

from huanjing.errors import UsageError
from huanjing.generation.recipes import RECIPES, recipe_for
from huanjing.generation.shape import Shape


@pytest.mark.parametrize(("side", "base"), [(28, 7), (32, 8), (64, 16), (128, 16), (256, 16)])
def test_classic_starts_from_a_quarter_and_adds_doublings(side: int, base: int) -> None:
    shape = Shape(side, side, 3)
    assert shape.base(shape.doublings(16)) == (base, base)


def test_classic_is_the_published_network_at_64() -> None:
    recipe = recipe_for("dcgan", Shape(64, 64, 3))
    assert recipe.generator_widths == (128, 64)
    assert recipe.discriminator_widths == (64, 128)
    assert (recipe.rate, recipe.beta_1, recipe.penalty, recipe.average_half_life) == (2e-4, 0.5, 0, 0)


def test_sides_need_not_be_equal() -> None:
    assert Shape(104, 256, 1).doublings(16) == 3
    assert Shape(28, 32, 1).doublings(8) == 2


def test_what_cannot_be_is_said_with_what_can() -> None:
    with pytest.raises(UsageError, match=r"multiples of 4.*28 by 32"):
        recipe_for("residual", Shape(31, 28, 1))
    with pytest.raises(UsageError, match=r"no recipe 'x'. There are: dcgan, residual"):
        recipe_for("x", Shape(28, 28, 1))


def test_every_recipe_says_what_it_is() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.summary
        assert recipe.expected

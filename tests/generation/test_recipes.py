from __future__ import annotations

import math
from pathlib import Path

import pytest

from huanjing.errors import UsageError
from huanjing.generation.costs import COSTS
from huanjing.generation.recipes import RECIPES, default_recipe, recipe_for
from huanjing.generation.shape import Shape
from huanjing.generation.sizes import PACES, SIZES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("side", "base"), [(28, 7), (32, 8), (64, 16), (128, 16), (256, 16)])
def test_classic_starts_from_a_quarter_and_adds_doublings(side: int, base: int) -> None:
    shape = Shape(side, side, 3)
    assert shape.base(shape.doublings(16)) == (base, base)


def test_classic_is_the_published_network_at_64() -> None:
    recipe = recipe_for("dcgan", Shape(64, 64, 3))
    assert recipe.generator_widths == (128, 64)
    assert recipe.discriminator_widths == (64, 128)
    assert (recipe.rate, recipe.beta_1, recipe.penalty, recipe.average_half_life) == (2e-4, 0.5, 0, 0)


def test_slim_is_the_measured_pair_at_64() -> None:
    recipe = recipe_for("slim", Shape(64, 64, 3))
    assert recipe.generator_widths == (256, 128, 96, 64)
    assert recipe.discriminator_widths == (48, 96, 128, 192)
    assert (recipe.rate, recipe.last_rate, recipe.batch, recipe.penalty) == (6e-4, 5e-5, 16, 1.0)
    assert (recipe.beta_1, recipe.beta_2, recipe.penalty_share) == (0.0, 0.99, 0.125)


def test_modulated_is_slim_with_the_pictures_own_grid() -> None:
    slim, recipe = (recipe_for(name, Shape(64, 64, 3)) for name in ("slim", "modulated"))
    assert recipe.generator_widths == (*slim.generator_widths, 16)
    assert recipe.discriminator_widths == (16, *slim.discriminator_widths)
    assert (recipe.rate, recipe.last_rate, recipe.hold, recipe.batch) == (1e-3, 1e-4, 0.0, 16)
    assert (recipe.penalty, recipe.last_penalty, recipe.updates) == (1.0, None, 1)


@pytest.mark.parametrize(
    ("sides", "name"),
    [((28, 28), "residual"), ((32, 24), "residual"), ((32, 48), "modulated"), ((64, 64), "modulated")],
)
def test_the_recipe_goes_by_the_longer_side_unless_asked_for(sides: tuple[int, int], name: str) -> None:
    assert default_recipe(Shape(*sides, 3)) == name


def test_the_article_has_its_layers_and_its_one_kind_of_picture() -> None:
    recipe = recipe_for("dcgan-dense", Shape(32, 32, 3))
    assert recipe.generator_widths == (128, 256, 512, 1024, 2048, 4096, 8192)
    assert recipe.discriminator_widths == recipe_for("dcgan", Shape(32, 32, 3)).discriminator_widths
    assert (recipe.objective, recipe.rate, recipe.beta_1) == ("non-saturating", 2e-4, 0.5)
    with pytest.raises(
        UsageError, match=r"32 by 32 with 3 channels alone, and 28 by 28 with 1 are asked for"
    ):
        recipe_for("dcgan-dense", Shape(28, 28, 1))


def test_sizes_go_by_pictures_and_minutes_unless_asked_for() -> None:
    small, large = Shape(28, 28, 1), Shape(128, 96, 3)
    assert [recipe_for("residual", small, minutes=minutes).size for minutes in (1, 25, 30, None)] == [
        "medium", "medium", "large", "medium",
    ]  # fmt: skip
    assert recipe_for("residual", large, minutes=30).size == "small"
    assert recipe_for("residual", large, minutes=600).size == "medium"
    assert recipe_for("slim", Shape(64, 64, 3), minutes=2).size == "medium"
    assert recipe_for("residual", large).size == "medium"
    assert recipe_for("residual", small, size="large").generator_widths == (128, 64, 32)
    assert recipe_for("dcgan", small, size="auto").size == ""
    with pytest.raises(UsageError, match=r"--size is 'huge'; the sizes of slim are: small, medium, large"):
        recipe_for("slim", small, size="huge")
    with pytest.raises(UsageError, match=r"the sizes of dcgan are: one only, so leave --size out"):
        recipe_for("dcgan", small, size="large")


def test_the_shorter_the_training_the_longer_modulated_keeps_its_rate_and_the_smaller_its_batch() -> None:
    rates = [
        (recipe.rate, recipe.last_rate, recipe.hold, recipe.batch)
        for recipe in (
            recipe_for("modulated", Shape(64, 64, 3), minutes=minutes) for minutes in (3, 5, 20, 21, None)
        )
    ]
    assert rates == [
        (1e-3, 1e-3, 0.0, 8),
        (1e-3, 1e-3, 0.0, 16),
        (1e-3, 1e-4, 0.6, 16),
        (1e-3, 1e-4, 0.0, 16),
        (1e-3, 1e-4, 0.0, 16),
    ]
    assert recipe_for("modulated", Shape(64, 64, 3), batch=32, minutes=3).batch == 32


@pytest.mark.parametrize("name", ["residual", "slim", "modulated"])
@pytest.mark.parametrize("sides", [(28, 28), (64, 64), (48, 64), (104, 256), (256, 256)])
def test_strided_discriminators_end_on_a_grid_of_at_most_four(name: str, sides: tuple[int, int]) -> None:
    recipe = recipe_for(name, Shape(*sides, 3))
    halvings = len(recipe.discriminator_widths) - (name == "modulated")  # whose first one keeps the size
    assert math.ceil(max(sides) / 2**halvings) <= 4


def test_sides_need_not_be_equal() -> None:
    assert Shape(104, 256, 1).doublings(16) == 3
    assert Shape(28, 32, 1).doublings(8) == 2


def test_what_cannot_be_is_said_with_what_can() -> None:
    with pytest.raises(UsageError, match=r"multiples of 4.*28 by 32"):
        recipe_for("residual", Shape(31, 28, 1))
    with pytest.raises(
        UsageError, match=r"no recipe 'x'. There are: dcgan, dcgan-dense, residual, slim, modulated"
    ):
        recipe_for("x", Shape(28, 28, 1))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_states_what_each_recipe_costs(language: str) -> None:
    page = (DOCS / language / "train-generator.md").read_text(encoding="utf-8")
    assert {(cost.recipe, cost.size) for cost in COSTS} == {
        (name, row.name) for name, rows in SIZES.items() for row in rows
    }
    for cost in COSTS:
        numbers = f"{cost.generator / 1e6:.2f} | {cost.discriminator / 1e6:.2f} | {cost.seconds:.2f} |"
        assert f"| `{cost.recipe}` | {cost.size} | {cost.width}×{cost.height} " in page
        assert numbers in page
    for name, rows in PACES.items():
        for row in rows:
            assert f"| `{name}` | {row.side} | " in page


def test_every_recipe_says_what_it_is() -> None:
    assert set(RECIPES) == set(SIZES) == set(PACES)
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.summary
        assert all(pace.basis for pace in PACES[name])
        bounds = [(pace.side, pace.minutes) for pace in PACES[name]]
        assert bounds == sorted(bounds)

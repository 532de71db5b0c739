"""What private training spends, beside the accountant's own answer."""

from __future__ import annotations

from dataclasses import replace

import dp_accounting as dp
import pytest
from dp_accounting.pld import PLDAccountant

from huanjing.errors import UsageError
from huanjing.generation.budget import epsilon_so_far, plan, privacy_spent
from huanjing.generation.config import DataSummary, GeneratorConfig
from huanjing.generation.recipes import Recipe, recipe_for
from huanjing.generation.shape import Shape


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return replace(recipe_for("residual", Shape(28, 28, 1), batch=128))


def config(recipe: Recipe, epsilon: float, pictures: int = 60_000, steps: int = 100) -> GeneratorConfig:
    return GeneratorConfig(
        recipe=recipe,
        height=28,
        width=28,
        channels=1,
        seed=0,
        steps=steps,
        precision="float32",
        data=DataSummary("pictures", pictures, "0" * 64),
        private=plan(epsilon, recipe, pictures, steps),
    )


@pytest.mark.parametrize("epsilon", [0.5, 10.0])
def test_the_whole_run_spends_what_was_asked_for_by_the_accountants_own_answer(
    recipe: Recipe, epsilon: float
) -> None:
    private = config(recipe, epsilon)
    spent = privacy_spent(private, 100)
    assert spent is not None
    accountant = PLDAccountant()  # ten times finer than ours
    sample = dp.PoissonSampledDpEvent(128 / 60_000, dp.GaussianDpEvent(spent.noise_multiplier))
    accountant.compose(dp.SelfComposedDpEvent(sample, spent.updates))
    assert accountant.get_epsilon(1e-5) == pytest.approx(spent.epsilon, rel=2e-3)
    assert 0.99 * epsilon < spent.epsilon <= epsilon
    assert (spent.delta, spent.updates, spent.sampling_rate) == (1e-5, 100, 128 / 60_000)


def test_more_steps_spend_more_and_what_is_told_on_the_way_is_never_too_little(recipe: Recipe) -> None:
    private = config(recipe, 5.0)
    steps = (0, 1, 33, 64, 100)
    exact = [spent.epsilon for step in steps if (spent := privacy_spent(private, step))]
    told = [epsilon for step in steps if (epsilon := epsilon_so_far(private, step)) is not None]
    assert exact[0] == told[0] == 0
    assert exact == sorted(set(exact))
    assert told == sorted(told)
    assert all(ours >= really for ours, really in zip(told, exact, strict=True))
    assert told[-1] == exact[-1]


def test_a_smaller_epsilon_and_more_steps_need_more_noise(recipe: Recipe) -> None:
    noises = [
        plan(epsilon, recipe, 60_000, steps).noise_multiplier
        for epsilon, steps in ((10, 50), (3, 50), (3, 500), (0.5, 500))
    ]
    assert noises == sorted(set(noises))


@pytest.mark.parametrize(("pictures", "delta"), [(999, 1e-3), (1000, 1e-4), (60_000, 1e-5)])
def test_delta_is_the_power_of_ten_below_one_in_all_pictures(
    recipe: Recipe, pictures: int, delta: float
) -> None:
    assert plan(20, recipe, pictures, 2).delta == pytest.approx(delta)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 101.0, float("nan"), float("inf")])
def test_an_epsilon_that_is_none_or_promises_nothing_is_refused(recipe: Recipe, epsilon: float) -> None:
    with pytest.raises(UsageError, match="above 0 and at most 100"):
        plan(epsilon, recipe, 60_000, 100)


def test_an_epsilon_that_leaves_nothing_but_noise_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match=r"too small for 500 pictures .* Give a larger ε, fewer --steps or"):
        plan(0.01, recipe, 500, 1000)


def test_a_batch_of_more_pictures_than_there_are_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="128 cannot be drawn from 100 pictures"):
        plan(10, recipe, 100, 10)

"""Pictures that become finer while a generator trains."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.training import Interrupted, Run

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig
    from huanjing.generation.state import TrainingState

pytestmark = pytest.mark.training
Tiny = Callable[..., "GeneratorConfig"]
Pictures = NDArray[np.uint8]


def growing(tiny: Tiny, **changes: Any) -> GeneratorConfig:
    """``modulated`` for pictures of 8×8, which are of 4×4 during the first half."""
    return tiny("modulated", recipe={"growth": (0.5,), "penalty_share": 0.25}, **changes)


def train(config: GeneratorConfig, pictures: Pictures, folder: Path, on_tick: Any = None) -> Any:
    from huanjing.generation.train import train_generator

    with Run.start(folder, config) as run:
        return train_generator(config, pictures, run, on_tick)


def test_a_coarse_generator_makes_squares_of_one_colour_with_layers_of_the_whole_one(tiny: Tiny) -> None:
    from huanjing.generation.state import TrainingState

    coarse, whole = (each.generator for each in TrainingState(growing(tiny)).stages)
    pictures = np.asarray(coarse(np.random.default_rng(1).standard_normal((3, 4), np.float32)))
    assert pictures.shape == (3, 8, 8, 1)
    squares = pictures.reshape(3, 4, 2, 4, 2)
    assert np.ptp(squares, axis=(2, 4)).max() == 0
    assert np.ptp(squares) > 0
    shared = {id(each) for each in coarse.variables} & {id(each) for each in whole.variables}
    assert len(shared) == len(coarse.variables) - 2  # all but the convolution that makes its picture


def test_a_coarse_discriminator_sees_the_means_of_squares_alone(tiny: Tiny) -> None:
    from huanjing.generation.state import TrainingState

    coarse, whole = (each.discriminator for each in TrainingState(growing(tiny)).stages)
    random = np.random.default_rng(1)
    pictures = random.uniform(-1, 1, (2, 8, 8, 1)).astype(np.float32)
    detail = random.uniform(-1, 1, (2, 4, 2, 4, 2, 1)).astype(np.float32)
    detail -= detail.mean(axis=(2, 4), keepdims=True)
    finer = pictures + detail.reshape(2, 8, 8, 1)
    np.testing.assert_allclose(coarse(finer), coarse(pictures), atol=1e-5)
    assert np.abs(np.asarray(whole(finer)) - np.asarray(whole(pictures))).max() > 1e-3


def test_only_what_makes_and_sees_coarse_pictures_learns_before_they_grow(
    tiny: Tiny, squares: Pictures
) -> None:
    from huanjing.generation.state import TrainingState

    config = growing(tiny)
    state = TrainingState(config)
    coarse, whole = ({id(each) for each in _trained(state, stage)} for stage in (0, 1))
    before = {id(each): each.numpy() for stage in (0, 1) for each in _trained(state, stage)}
    take(state, config, squares, progress=0.2)
    after = {id(each): each.numpy() for stage in (0, 1) for each in _trained(state, stage)}
    changed = {key for key, value in after.items() if not np.array_equal(value, before[key])}
    assert not state.grown
    # The paired loss takes one score from another: what is added to all of them has no gradient.
    assert changed == coarse - {id(state.discriminator.trainable_variables[-1])}
    assert state.generator_optimiser.iterations.numpy() == 1
    take(state, config, squares, progress=0.6)
    assert state.grown
    # Adam counts from the start of the stage.
    assert state.generator_optimiser.iterations.numpy() == 1
    last = {id(each): each.numpy() for stage in (0, 1) for each in _trained(state, stage)}
    changed = {key for key, value in last.items() if not np.array_equal(value, after[key])}
    assert changed == whole - {id(state.discriminator.trainable_variables[-1])}


def take(state: TrainingState, config: GeneratorConfig, pictures: Pictures, progress: float) -> None:
    """One step."""
    import tensorflow as tf

    from huanjing.generation.step import make_step

    batch, labels = tf.constant(pictures[None, :8]), tf.zeros([1, 8], tf.int32)
    make_step(config, state)(batch, labels, tf.constant(1, tf.int64), tf.constant(progress))


def _trained(state: TrainingState, stage: int) -> list[Any]:
    """What one stage trains, and what follows it."""
    networks = state.stages[stage]
    averaged = state._averaged[stage]
    return [
        *networks.generator.trainable_variables,
        *networks.discriminator.trainable_variables,
        *averaged.trainable_variables,
    ]


def test_two_doublings_at_once_leave_a_stage_out(tiny: Tiny) -> None:
    from huanjing.generation.state import TrainingState

    recipe = {"growth": (0.5, 0.5), "generator_widths": (8, 8, 8, 8), "discriminator_widths": (8, 8, 8)}
    state = TrainingState(tiny("modulated", recipe=recipe, height=16, width=16))
    state.grow(0.49)
    assert state.stage == 0
    state.grow(0.5)
    assert (state.stage, state.grown) == (2, True)


@pytest.mark.parametrize("stopped", [3, 8])
def test_a_growing_run_stopped_and_resumed_equals_the_uninterrupted_one(
    tiny: Tiny, squares: Pictures, tmp_path: Path, stopped: int
) -> None:
    config = growing(tiny, augment="adaptive", held_out=8)
    sheets: list[Pictures] = []

    def watch(tick: Any) -> None:
        if tick.pictures is not None:
            sheets.append(tick.pictures)

    whole = train(config, squares, tmp_path / "whole", watch)
    # The first sheet has squares of one colour, the last does not.
    assert [np.ptp(each.reshape(-1, 4, 2, 4, 2), axis=(2, 4)).max() > 0 for each in (sheets[0], sheets[-1])] == [
        False, True,
    ]  # fmt: skip

    def interrupt(tick: Any) -> None:
        if tick.step == stopped:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        train(config, squares, tmp_path / "stopped", interrupt)
    resumed = train(config, squares, tmp_path / "stopped")
    expected, got = whole.state.arrays(), resumed.state.arrays()
    assert expected.keys() == got.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(array, got[key], err_msg=key)


def test_what_is_exported_is_the_whole_generator(tiny: Tiny, squares: Pictures, tmp_path: Path) -> None:
    from huanjing.generation.export import export_generator
    from huanjing.generation.samples import make_pictures
    from huanjing.runtime import Generator, latents

    config = growing(tiny)
    trained = train(config, squares, tmp_path / "run")
    export_generator(tmp_path / "model", config, trained.state.averaged, name="grown")
    drawn = Generator(tmp_path / "model").draw(latents(range(4), 4))
    kept = make_pictures(trained.state.averaged, latents(range(4), 4))
    assert np.abs(drawn.astype(int) - kept).max() <= 2
    assert np.ptp(drawn.reshape(4, 4, 2, 4, 2), axis=(2, 4)).max() > 0

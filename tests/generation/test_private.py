"""Private training: what a picture may change, what noise covers it, and what never sees a picture."""

from __future__ import annotations

import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.errors import RunError, UsageError
from huanjing.training import Interrupted, Run

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

pytestmark = pytest.mark.training
Tiny = Callable[..., "GeneratorConfig"]
Pictures = NDArray[np.uint8]
SEEDS = np.arange(6, dtype=np.int64).reshape(3, 2)


def private(tiny: Tiny, noise: float = 0.8, every: int = 2, **changes: Any) -> GeneratorConfig:
    from huanjing.generation.config import PrivateTraining

    recipe = {"objective": "non-saturating"} | changes.pop("recipe", {})
    spending = PrivateTraining(
        epsilon=50.0, delta=1e-2, noise_multiplier=noise, clip_norm=1.0, generator_every=every
    )
    return tiny(changes.pop("name", "residual"), recipe=recipe, private=spending, **changes)


def pairs(count: int) -> tuple[Any, Any]:
    import tensorflow as tf

    drawn = tf.random.stateless_uniform([2, count, 8, 8, 1], [3, 4], -1.0, 1.0)
    return drawn[0], drawn[1]


def parts(config: GeneratorConfig) -> tuple[Any, Any, list[Any]]:
    from huanjing.generation.private import PrivateStep
    from huanjing.generation.state import TrainingState

    state = TrainingState(config)
    step = PrivateStep(config, state)
    return state, step, [weight.value for weight in state.discriminator.trainable_variables]


def flat(gradients: Any) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(each, np.float64).ravel() for each in gradients])


@pytest.mark.parametrize("penalty", [0.0, 2.0])
def test_what_is_summed_are_the_clipped_gradients_of_single_pairs(tiny: Tiny, penalty: float) -> None:
    """Beside a plain loop that writes out L_D and both penalties once more."""
    import tensorflow as tf

    from huanjing.generation.private import clipped_sum

    state, step, weights = parts(private(tiny, recipe={"penalty": penalty}))
    real, made = pairs(5)
    score = state.discriminator
    expected, lengths = np.zeros(sum(weight.shape.num_elements() for weight in weights)), []
    for x, g in zip(real, made, strict=True):
        with tf.GradientTape() as outer:
            with tf.GradientTape(persistent=True) as inner:
                inner.watch((x, g))
                a, b = score(x[None])[0], score(g[None])[0]
            slopes = [tf.reduce_sum(inner.gradient(each, what) ** 2) for each, what in ((a, x), (b, g))]
            loss = tf.nn.softplus(-a) + tf.nn.softplus(b) + penalty / 2 * (slopes[0] + slopes[1])
        gradient = flat(outer.gradient(loss, weights))
        lengths.append(np.linalg.norm(gradient))
        expected += gradient / max(1.0, lengths[-1] / 0.5)
    assert max(lengths) > 0.5, "some must be clipped for this to say anything"
    summed = tf.function(lambda: clipped_sum(step.pair_loss, weights, real, made, 0.5))()
    np.testing.assert_allclose(flat(summed), expected, rtol=1e-4, atol=2e-6)


def test_no_picture_adds_more_than_the_norm(tiny: Tiny) -> None:
    """One that is absurd, and one that makes the gradient overflow, among others."""
    import tensorflow as tf

    from huanjing.generation.private import clipped_sum

    _, step, weights = parts(private(tiny, recipe={"penalty": 2.0}))
    real, made = pairs(4)
    without = flat(clipped_sum(step.pair_loss, weights, real, made, 1.0))
    for strange in (1e6, 1e38, float("nan")):
        more = tf.concat([real, tf.fill([1, 8, 8, 1], strange)], axis=0)
        beside = tf.concat([made, made[:1]], axis=0)
        change = flat(clipped_sum(step.pair_loss, weights, more, beside, 1.0)) - without
        assert np.linalg.norm(change) <= 1.0 + 1e-5


def test_gradients_are_clipped_as_one_vector_and_short_ones_left_alone() -> None:
    import tensorflow as tf

    from huanjing.generation.private import clip

    long = clip([tf.constant([3.0, 0.0]), tf.constant([[4.0]])], 1.0)
    np.testing.assert_allclose(flat(long), [0.6, 0.0, 0.8], rtol=1e-6)
    short = clip([tf.constant([0.3]), tf.constant([0.0])], 1.0)
    np.testing.assert_allclose(flat(short), [0.3, 0.0])
    assert not flat(clip([tf.constant([float("inf"), 1.0])], 1.0)).any()


def test_noise_has_the_deviation_that_is_accounted_for(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no picture in the sample what the optimiser gets is noise alone: σ C / (q N) strong."""
    import tensorflow as tf

    state, step, _ = parts(private(tiny, noise=3.0, recipe={"discriminator_widths": (64,)}))
    got: list[Any] = []
    monkeypatch.setattr(state.discriminator_optimiser, "apply", lambda gradients, _: got.append(gradients))
    nothing = tf.zeros([0, 8, 8, 1], tf.uint8)
    for number in range(8):
        step.update_discriminator(nothing, tf.constant(SEEDS + number))
    noise = np.stack([flat(each) for each in got])
    expected = 3.0 * 1.0 / 8
    assert noise.size > 10_000
    assert noise.std() == pytest.approx(expected, rel=0.03)
    assert abs(noise.mean()) < 4 * expected / np.sqrt(noise.size)
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.1, "each update has noise of its own"


def test_the_generator_learns_the_same_whatever_the_real_pictures_are(tiny: Tiny, squares: Pictures) -> None:
    """A discriminator's update that is drowned in no noise sees them; given it, the generator's does not."""
    import tensorflow as tf

    results = []
    for pictures in (squares[:8], 255 - squares[:8]):
        state, step, _ = parts(private(tiny, noise=1e-6, name="slim"))
        start = state.arrays()
        generator = [key for key in start if not key.startswith("discriminator")]
        step.update_discriminator(tf.constant(pictures), tf.constant(SEEDS))
        after = state.arrays()
        for key in generator:
            np.testing.assert_array_equal(start[key], after[key], err_msg=key)
        seen = after["discriminator/000"]
        state.restore(start)
        losses = step.update_generator(tf.constant(0, tf.int64))
        results.append((seen, [state.arrays()[key] for key in generator], losses))
    (seen, made, losses), (other_seen, other_made, other_losses) = results
    assert np.abs(seen - other_seen).max() > 1e-4
    for each, other in zip(made, other_made, strict=True):
        np.testing.assert_array_equal(each, other)
    assert [float(each) for each in losses] == [float(each) for each in other_losses]


def test_samples_are_drawn_picture_by_picture_and_by_the_key_alone(
    tiny: Tiny, squares: Pictures, tmp_path: Path
) -> None:
    from huanjing.generation.private import Key, PoissonFeed

    config = private(tiny)
    many = np.repeat(squares, 25, axis=0)
    sizes = []
    key = Key(tmp_path, begun=False)
    with PoissonFeed(config, many, key, 0) as feed:
        first, seeds = feed.next()
        assert len(first) == len(seeds) == 2
        sizes += [len(sample) for _ in range(300) for sample in feed.next()[0]]
    # A binomial of 1,000 pictures at 0.8 %: mean 8, variance 7.94; never a fixed batch.
    assert np.mean(sizes) == pytest.approx(8.0, abs=4 * np.sqrt(7.94 / 600))
    assert np.var(sizes) == pytest.approx(7.94, rel=0.25)
    with PoissonFeed(config, many, Key(tmp_path, begun=True), 0) as again:
        np.testing.assert_array_equal(first[0], again.next()[0][0])
    (tmp_path / "other").mkdir()
    with PoissonFeed(config, many, Key(tmp_path / "other", begun=False), 0) as other:
        drawn, others = other.next()
    assert not np.array_equal(others[0], seeds[0]), "the run's seed is the same, and says nothing"
    assert first[0].shape != drawn[0].shape or not np.array_equal(first[0], drawn[0])


def train(config: GeneratorConfig, pictures: Pictures, folder: Path, on_tick: Any = None) -> Any:
    from huanjing.generation.train import train_generator

    with Run.start(folder, config) as run:
        return train_generator(config, pictures, run, on_tick)


def test_stopped_and_resumed_it_takes_the_same_steps_and_spends_the_same(
    tiny: Tiny, squares: Pictures, tmp_path: Path
) -> None:
    """Given the key: of two runs each has its own, and they are not the same."""
    config = private(tiny, steps=6)
    for name in ("whole", "stopped"):
        with Run.start(tmp_path / name, config):
            (tmp_path / name / "noise.key").write_bytes(bytes(range(32)))
    whole = train(config, squares, tmp_path / "whole")

    def interrupt(tick: Any) -> None:
        if tick.step == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="Stopped after step 3"):
        train(config, squares, tmp_path / "stopped", interrupt)
    assert (tmp_path / "stopped" / "noise.key").is_file()
    ticks: list[Any] = []
    resumed = train(config, squares, tmp_path / "stopped", ticks.append)
    expected, got = whole.state.arrays(), resumed.state.arrays()
    for key, array in expected.items():
        np.testing.assert_array_equal(array, got[key], err_msg=key)
    logs = [Run(tmp_path / name).read_log() for name in ("whole", "stopped")]
    assert logs[0][-1]["epsilon"] == logs[1][-1]["epsilon"] == round(ticks[-1].epsilon, 4)
    assert "diversity" not in logs[0][-1]
    assert "certainty" not in logs[0][-1]
    assert not (tmp_path / "whole" / "noise.key").exists(), "done: nothing is left to subtract"
    assert train(config, squares, tmp_path / "whole").step == 6
    another = train(config, squares, tmp_path / "another")
    assert any(not np.array_equal(array, another.state.arrays()[key]) for key, array in expected.items())


def test_without_its_key_a_run_that_has_begun_does_not_go_on(
    tiny: Tiny, squares: Pictures, tmp_path: Path
) -> None:
    config = private(tiny, steps=4)

    def interrupt(tick: Any) -> None:
        if tick.step == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        train(config, squares, tmp_path / "run", interrupt)
    key = tmp_path / "run" / "noise.key"
    assert key.stat().st_size == 32
    if sys.platform != "win32":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    with pytest.raises(RunError, match=r"noise\.key: is gone, and with it the noise"):
        train(config, squares, tmp_path / "run")


def test_numbers_that_are_not_finite_end_a_private_run_and_no_step_is_taken_twice(
    tiny: Tiny, squares: Pictures, tmp_path: Path
) -> None:
    config = private(tiny, recipe={"rate": 1e38, "last_rate": 1e38})
    with pytest.raises(RunError, match="private training never goes back"):
        train(config, squares, tmp_path / "run")
    assert not any("went_back" in line for line in Run(tmp_path / "run").read_log())


def test_recipes_whose_discriminator_draws_at_random_are_refused() -> None:
    from huanjing.generation.private import private_recipe
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape

    with pytest.raises(
        UsageError, match=r"--private cannot go with the recipe dcgan.*residual, slim, modulated"
    ):
        private_recipe(recipe_for("dcgan", Shape(28, 28, 1)))
    for name in ("residual", "slim", "modulated"):
        recipe = private_recipe(recipe_for(name, Shape(28, 28, 1)))
        assert recipe.objective == "non-saturating", (
            "the relativistic one shows real pictures to the generator"
        )
        assert recipe.wanted_loss is None, "γ would follow the loss of real pictures"


def test_a_discriminator_that_keeps_statistics_is_refused(tiny: Tiny) -> None:
    with pytest.raises(RunError, match="training it cannot be private"):
        parts(private(tiny, name="dcgan"))

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huanjing.errors import RunError
from huanjing.training import Interrupted, Run

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig
    from huanjing.generation.train import Tick

pytestmark = pytest.mark.training
Tiny = Callable[..., "GeneratorConfig"]
Pictures = NDArray[np.uint8]


def train(config: GeneratorConfig, pictures: Pictures, folder: Path, on_tick: Any = None) -> Any:
    from huanjing.generation.train import train_generator

    with Run.start(folder, config) as run:
        return train_generator(config, pictures, run, on_tick)


@pytest.mark.parametrize(
    ("name", "precision", "augment"),
    [("residual", "float32", "adaptive"), ("dcgan", "float32", 0.5), ("residual", "mixed_bfloat16", 0.0)],
)
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(
    tiny: Tiny, squares: Pictures, tmp_path: Path, name: str, precision: str, augment: Any
) -> None:
    config = tiny(name, precision=precision, augment=augment, mirror=augment != 0, held_out=8)
    whole = train(config, squares, tmp_path / "whole")

    def interrupt(tick: Any) -> None:
        if tick.step == 5:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="Stopped after step 5"):
        train(config, squares, tmp_path / "stopped", interrupt)
    resumed = train(config, squares, tmp_path / "stopped")
    assert resumed.step == whole.step == 12
    expected, got = whole.state.arrays(), resumed.state.arrays()
    assert expected.keys() == got.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(array, got[key], err_msg=key)
    logs = [Run(tmp_path / folder).read_log() for folder in ("whole", "stopped")]
    assert logs[0][-1]["discriminator_loss"] == logs[1][-1]["discriminator_loss"]


def test_run_folder_holds_what_happened(tiny: Tiny, squares: Pictures, tmp_path: Path) -> None:
    ticks: list[Any] = []
    train(tiny(), squares, tmp_path / "run", ticks.append)
    assert ticks[0].step == 0
    assert ticks[0].pictures.shape == (64, 8, 8, 1)
    assert ticks[-1].progress == 1.0
    sheets = sorted(path.name for path in (tmp_path / "run" / "samples").iterdir())
    assert sheets[0] == "step-000000.png"
    assert sheets[-1] == "step-000012.png"
    assert Run(tmp_path / "run").checkpoints.steps() == [11, 12]
    again = train(tiny(), squares, tmp_path / "run")
    assert again.step == 12


def test_a_run_on_the_clock_ends_and_its_progress_is_kept(
    tiny: Tiny, squares: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.training import clock as module

    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            self.now += 0.05
            return self.now

    monkeypatch.setattr(module, "time", Clock())
    config = tiny(steps=None, minutes=0.2, checkpoint_every=20)

    def interrupt(tick: Any) -> None:
        if tick.progress > 0.5:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        train(config, squares, tmp_path / "run", interrupt)
    seen: list[Any] = []
    trained = train(config, squares, tmp_path / "run", seen.append)
    assert seen[0].progress > 0.5
    assert 12.0 <= trained.seconds < 16.0
    steps = [line["step"] for line in Run(tmp_path / "run").read_log()]
    assert steps == sorted(set(steps))


def test_it_learns_the_brightness_of_the_pictures(tiny: Tiny, squares: Pictures, tmp_path: Path) -> None:
    from huanjing.generation.samples import make_pictures, sample_latents

    recipe = {"rate": 3e-3, "last_rate": 1e-3, "batch": 16}
    trained = train(tiny(steps=250, recipe=recipe), squares, tmp_path / "run")
    pictures = make_pictures(trained.state.averaged, sample_latents(1, 128, 4))
    assert abs(float(pictures.mean()) - float(squares.mean())) < 20
    assert pictures.std() > 0.5 * squares.std()


def spoil(monkeypatch: pytest.MonkeyPatch, at: int, how: Any, times: int = 1) -> None:
    """Let ``how`` do harm to the state after step ``at``, the first few times that it is reached."""
    from huanjing.generation import train as module

    make_step, left = module.make_step, [times]

    def make(config: Any, state: Any) -> Any:
        step = make_step(config, state)

        def spoiled(pictures: Any, labels: Any, number: Any, progress: Any) -> Any:
            losses = step(pictures, labels, number, progress)
            if int(number) + 1 == at and left[0] > 0:
                left[0] -= 1
                how(state)
            return losses

        return spoiled

    monkeypatch.setattr(module, "make_step", make)


def not_a_number(state: Any) -> None:
    weight = state.discriminator.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))


def one_picture(state: Any) -> None:
    state.generator.set_weights([np.zeros_like(weight) for weight in state.generator.get_weights()])


def test_numbers_that_stay_not_finite_stop_it_after_three_returns(
    tiny: Tiny, squares: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 3, not_a_number, times=4)
    with pytest.raises(
        RunError, match=r"no longer finite, after going back 3 times.*checkpoint is that of step 2"
    ):
        train(tiny(), squares, tmp_path / "run")
    assert Run(tmp_path / "run").checkpoints.steps() == [1, 2]


@pytest.mark.parametrize("how", [not_a_number, one_picture])
def test_it_goes_back_with_half_the_rate_says_so_and_can_be_repeated_and_resumed(
    tiny: Tiny, squares: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Any
) -> None:
    from huanjing.generation import watch

    # A tiny network is as diverse as this from the start.
    monkeypatch.setattr(watch, "SPREAD", 0.0)
    monkeypatch.setattr(watch, "COLLAPSED", 1e-3)
    config = tiny(steps=64, augment="adaptive")  # a look every 8 steps
    ticks: list[Any] = []
    with monkeypatch.context() as patch:
        spoil(patch, 30, how)
        once = train(config, squares, tmp_path / "once", ticks.append)
    told = [tick.went_back for tick in ticks if tick.went_back]
    assert len(told) == 1
    assert (told[0].to, told[0].rate_scale) == (24, 0.5)
    log = Run(tmp_path / "once").read_log()
    assert [line["went_back"]["to"] for line in log if "went_back" in line] == [24]
    assert {line.get("rate_scale") for line in log if line["step"] <= 24} == {None}
    assert {line["rate_scale"] for line in log if line["step"] > 24} == {0.5}
    steps = [line["step"] for line in log]
    assert steps == sorted(set(steps))

    def interrupt(tick: Any) -> None:
        if tick.step == 40:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        spoil(patch, 30, how)
        with pytest.raises(Interrupted):
            train(config, squares, tmp_path / "resumed", interrupt)
    again = train(config, squares, tmp_path / "resumed")
    for key, array in once.state.arrays().items():
        np.testing.assert_array_equal(array, again.state.arrays()[key], err_msg=key)


def test_until_good_ends_when_the_score_has_settled_and_gives_the_best(
    tiny: Tiny, squares: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.generation import scoring
    from huanjing.generation.train import train_generator

    monkeypatch.setattr(scoring, "FIRST", 10)
    monkeypatch.setattr(scoring, "GROWTH", 1.0)
    judged: list[int] = []

    def score(pictures: Pictures) -> float:
        judged.append(len(pictures))
        return abs(len(judged) - 4) + 1.0

    config = tiny(steps=160, until="good")
    with Run.start(tmp_path / "run", config) as run:
        trained = train_generator(config, squares, run, score=score)
        log = run.read_log()
    curve = {line["step"]: line["frechet"] for line in log if "frechet" in line}
    assert list(curve.values()) == [3, 2, 1, 2, 3, 4]
    assert judged == [len(squares), *[500] * 6]  # real pictures once, for the floor
    assert max(curve) < 160
    assert trained.step == list(curve)[2]
    with Run.start(tmp_path / "run", config) as run:
        again = train_generator(config, squares, run, score=score)
    assert len(judged) == 7
    for key, array in trained.state.arrays().items():
        np.testing.assert_array_equal(array, again.state.arrays()[key], err_msg=key)


def test_a_newest_checkpoint_that_was_cut_short_gives_way_and_the_end_is_the_same(
    tiny: Tiny, squares: Pictures, tmp_path: Path
) -> None:
    config = tiny(augment="adaptive")
    whole = train(config, squares, tmp_path / "run").state.arrays()
    newest = max((tmp_path / "run" / "checkpoints").glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:1000])
    again = train(config, squares, tmp_path / "run")
    for key, array in again.state.arrays().items():
        np.testing.assert_array_equal(array, whole[key], err_msg=key)


def test_pictures_of_another_shape_are_refused(tiny: Tiny, squares: Pictures, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the run needs uint8"):
        train(tiny(), squares[:, :4], tmp_path / "run")


def test_until_a_score_ends_once_it_is_reached_and_a_resumed_run_hears_the_same(
    tiny: Tiny, squares: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.generation import scoring
    from huanjing.generation.train import train_generator

    monkeypatch.setattr(scoring, "FIRST", 5)
    monkeypatch.setattr(scoring, "GROWTH", 1.0)

    def score(pictures: Pictures) -> float:
        """How far the mean brightness is from black, so that real pictures are told from generated ones."""
        return 1.0 + float(pictures.mean())

    def lines(
        folder: Path, config: GeneratorConfig, stop_after: int | None = None
    ) -> list[dict[str, object]]:
        def interrupt(tick: Tick) -> None:
            if stop_after is not None and tick.score is not None and tick.step >= stop_after:
                signal.raise_signal(signal.SIGINT)

        with Run.start(folder, config) as run:
            if stop_after is None:
                train_generator(config, squares, run, score=score)
            else:
                with pytest.raises(Interrupted):
                    train_generator(config, squares, run, interrupt, score=score)
            return [line for line in run.read_log() if "frechet" in line]

    config = tiny(steps=80, until=1e-3, checkpoint_every=10)
    whole = lines(tmp_path / "whole", config)
    assert len(whole) >= 6
    assert [("score_at_end" in line.get("forecast", {})) for line in whole] == [
        3 <= k < len(whole) - 1 for k in range(len(whole))
    ]
    lines(tmp_path / "resumed", config, stop_after=50)
    resumed = lines(tmp_path / "resumed", config)
    kept = ("step", "frechet")
    assert [[line[key] for key in kept] for line in resumed] == [
        [line[key] for key in kept] for line in whole
    ]
    ends = [
        [line["forecast"]["score_at_end"] for line in log if line.get("forecast")] for log in (whole, resumed)
    ]
    assert np.allclose([e["middle"] for e in ends[0]], [e["middle"] for e in ends[1]], atol=2e-3)

    easy = tiny(steps=80, until=1000.0)
    with Run.start(tmp_path / "easy", easy) as run:
        trained = train_generator(easy, squares, run, score=score)
    assert trained.step == 10
    assert trained.best_score < 1000


@pytest.mark.parametrize(("progress", "constant"), [(0.0, 8.0), (1.0, 2.0), (0.5, 5.0)])
def test_the_penalty_falls_with_the_rate(tiny: Tiny, progress: float, constant: float) -> None:
    import tensorflow as tf

    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import make_step

    def after_a_step(**penalties: float | None) -> Pictures:
        config = tiny("modulated", recipe={"hold": 0.0, **penalties})
        state = TrainingState(config)
        pictures = tf.constant(np.random.default_rng(1).integers(0, 256, (1, 8, 8, 8, 1)), tf.uint8)
        labels = tf.zeros([1, 8], tf.int32)
        make_step(config, state)(pictures, labels, tf.constant(0, tf.int64), tf.constant(progress))
        return state.arrays()["discriminator/000"]

    falling = after_a_step(penalty=8.0, last_penalty=2.0)
    np.testing.assert_allclose(
        falling, after_a_step(penalty=constant, last_penalty=None), rtol=1e-5, atol=1e-7
    )
    assert not np.allclose(falling, after_a_step(penalty=100.0, last_penalty=None), rtol=1e-5, atol=1e-7)

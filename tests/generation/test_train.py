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

pytestmark = pytest.mark.training
Tiny = Callable[..., "GeneratorConfig"]
Pictures = NDArray[np.uint8]


def train(config: GeneratorConfig, pictures: Pictures, folder: Path, on_tick: Any = None) -> Any:
    from huanjing.generation.train import train_generator

    with Run.start(folder, config) as run:
        return train_generator(config, pictures, run, on_tick)


@pytest.mark.parametrize(
    ("name", "precision"), [("residual", "float32"), ("dcgan", "float32"), ("residual", "mixed_bfloat16")]
)
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(
    tiny: Tiny, squares: Pictures, tmp_path: Path, name: str, precision: str
) -> None:
    config = tiny(name, precision=precision)
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
    assert Run(tmp_path / "run").checkpoints.steps() == [12]
    again = train(tiny(), squares, tmp_path / "run")
    assert again.step == 12


def test_a_run_on_the_clock_ends_and_its_progress_is_kept(
    tiny: Tiny, squares: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.generation import train as module

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
    assert trained.step % 10 == 0
    steps = [line["step"] for line in Run(tmp_path / "run").read_log()]
    assert steps == sorted(set(steps))


def test_it_learns_the_brightness_of_the_pictures(tiny: Tiny, squares: Pictures, tmp_path: Path) -> None:
    from huanjing.generation.samples import make_pictures, sample_latents

    recipe = {"rate": 3e-3, "last_rate": 1e-3, "batch": 16}
    trained = train(tiny(steps=250, recipe=recipe), squares, tmp_path / "run")
    pictures = make_pictures(trained.state.averaged, sample_latents(1, 128, 4))
    assert abs(float(pictures.mean()) - float(squares.mean())) < 20
    assert pictures.std() > 0.5 * squares.std()


def test_numbers_that_are_not_finite_stop_it_and_name_the_last_good_checkpoint(
    tiny: Tiny, squares: Pictures, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"diverged.*There is no checkpoint before it"):
        train(tiny(recipe={"rate": float("inf")}), squares, tmp_path / "run")
    assert Run(tmp_path / "run").checkpoints.steps() == []


def test_pictures_of_another_shape_are_refused(tiny: Tiny, squares: Pictures, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the run needs uint8"):
        train(tiny(), squares[:, :4], tmp_path / "run")

"""A generator that is told a class, from the folder's labels to OpenVINO; here with transparency, too."""

from __future__ import annotations

import signal
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
LABELS = np.arange(40, dtype=np.int32) % 4 // 3
"""Thirty dark pictures, ten bright ones."""


@pytest.fixture
def discs() -> NDArray[np.uint8]:
    """Forty pictures, dark or bright by their class, opaque in the middle alone: 40×8×8×4 uint8."""
    pictures = np.full((40, 8, 8, 4), 30, np.uint8)
    pictures[LABELS == 1, :, :, :3] = 220
    pictures[..., 3] = 0
    pictures[:, 2:6, 2:6, 3] = 255
    return pictures


def conditional(tiny: Tiny, name: str = "slim", **changes: Any) -> GeneratorConfig:
    from huanjing.generation.config import TrainedClass

    return tiny(name, channels=4, classes=[TrainedClass("dark", 30), TrainedClass("bright", 10)], **changes)


def train(config: GeneratorConfig, pictures: NDArray[np.uint8], folder: Path, on_tick: Any = None) -> Any:
    from huanjing.generation.train import train_generator

    with Run.start(folder, config) as run:
        return train_generator(config, pictures, run, on_tick, LABELS)


def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(
    tiny: Tiny, discs: NDArray[np.uint8], tmp_path: Path
) -> None:
    config = conditional(tiny)
    whole = train(config, discs, tmp_path / "whole")

    def interrupt(tick: Any) -> None:
        if tick.step == 5:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="Stopped after step 5"):
        train(config, discs, tmp_path / "stopped", interrupt)
    resumed = train(config, discs, tmp_path / "stopped")
    expected, got = whole.state.arrays(), resumed.state.arrays()
    assert expected.keys() == got.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(array, got[key], err_msg=key)


@pytest.mark.parametrize("name", ["dcgan", "slim"])
def test_each_class_looks_like_its_pictures(
    tiny: Tiny, discs: NDArray[np.uint8], tmp_path: Path, name: str
) -> None:
    from huanjing.generation.samples import make_pictures, sample_latents

    recipe = {"rate": 3e-3, "last_rate": 1e-3, "batch": 16}
    trained = train(conditional(tiny, name, steps=200, recipe=recipe), discs, tmp_path / "run")
    latents = sample_latents(1, 64, 4)
    inside = []
    for told in np.eye(2, dtype=np.float32):
        pictures = make_pictures(trained.state.averaged, latents, np.tile(told, (64, 1)))
        assert pictures[:, 3:5, 3:5, 3].mean() > pictures[:, 0, 0, 3].mean() + 80
        inside.append(pictures[:, 3:5, 3:5, :3].mean())
    assert inside[0] + 40 < inside[1]


def test_a_row_of_the_sample_sheet_is_a_class(tiny: Tiny, discs: NDArray[np.uint8], tmp_path: Path) -> None:
    from huanjing.images import decode_file

    ticks: list[Any] = []
    train(conditional(tiny, steps=1), discs, tmp_path / "run", ticks.append)
    assert ticks[0].pictures.shape == (16, 8, 8, 4)
    sheet = decode_file(tmp_path / "run" / "samples" / "step-000000.png", channels=4)
    assert sheet.shape == (2 * 8 + 2, 8 * 8 + 7 * 2, 4)


def test_openvino_makes_what_keras_makes_of_every_class(tiny: Tiny, tmp_path: Path) -> None:
    from huanjing.generation.export import TOLERANCE, export_generator
    from huanjing.generation.networks import build_generator, call
    from huanjing.runtime import Generator, latents

    config = conditional(tiny, precision="mixed_bfloat16")
    network = build_generator(config.recipe, config.shape, config.precision, 3, 2)
    generator = Generator(export_generator(tmp_path / "model", config, network, name="discs"))
    assert [each.id for each in generator.classes] == ["dark", "bright"]
    assert generator.latent.frequencies == [0.75, 0.25]
    plain = build_generator(config.recipe, config.shape, "float32", 3, 2)
    z = latents(range(40), 4)
    mixed = np.random.default_rng(1).dirichlet([1, 1], 40).astype(np.float32)
    for classes in (np.eye(2, dtype=np.float32)[LABELS], mixed):
        expected = np.asarray(call(plain, z, classes))
        np.testing.assert_allclose(generator.pictures(z, classes), expected, atol=TOLERANCE)

    dark, bright = generator.generate(range(40), "dark"), generator.generate(range(40), class_=1)
    assert dark.shape == (40, 8, 8, 4)
    assert not np.array_equal(dark, bright)
    # Left open, a seed's class is its own, and the classes come as often as in training.
    rows = generator.class_rows(range(2000))
    assert rows is not None
    assert rows[:, 1].mean() == pytest.approx(0.25, abs=0.03)
    both = generator.generate(range(40))
    for seed in range(40):
        np.testing.assert_array_equal(both[seed], (dark, bright)[int(rows[seed, 1])][seed])
    np.testing.assert_array_equal(generator.generate([23])[0], both[23])

    with pytest.raises(UsageError, match=r"no class 'green' among its 2. Its classes are: dark, bright."):
        generator.generate([1], "green")
    with pytest.raises(UsageError, match=r"takes classes of shape \(40, 2\), and was given none"):
        generator.pictures(z)


def test_an_untold_generator_says_so(tiny: Tiny, tmp_path: Path) -> None:
    from huanjing.generation.export import export_generator
    from huanjing.generation.networks import build_generator
    from huanjing.runtime import Generator

    config = tiny()
    network = build_generator(config.recipe, config.shape, config.precision, 3)
    generator = Generator(export_generator(tmp_path / "model", config, network, name="squares"))
    assert generator.classes == []
    with pytest.raises(UsageError, match="squares was taught no classes, so that 'dark' cannot be asked"):
        generator.generate([1], "dark")


def test_pictures_without_their_classes_are_refused(
    tiny: Tiny, discs: NDArray[np.uint8], tmp_path: Path
) -> None:
    from huanjing.generation.train import train_generator

    config = conditional(tiny)
    with (
        Run.start(tmp_path / "run", config) as run,
        pytest.raises(RunError, match="each of its 40 pictures needs one"),
    ):
        train_generator(config, discs, run)

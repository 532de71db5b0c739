"""The loop that trains networks, on the small network and pictures of stripes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from huanjing.datasets import PictureArray
from huanjing.recognition.config import LabelledSummary, RecognizerConfig
from huanjing.recognition.dataset import LabelledPictures
from huanjing.training import Interrupted, Run
from tests.official_weights import random_network, write_official

if TYPE_CHECKING:
    from huanjing.recognition.finetune import Tick

pytestmark = pytest.mark.training

SIDE = 16
CLASSES = ("across", "down", "dots")


def stripes(count: int) -> LabelledPictures:
    """Stripes across, stripes down and dots of different widths and places; every fourth is for validation."""
    draw = np.random.default_rng(1)
    labels = np.arange(count) % len(CLASSES)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    pictures = []
    for label in labels:
        period, place = draw.integers(4, 7), draw.integers(0, 6)
        across, down = ((line + place) // (period // 2) % 2 for line in (rows, columns))
        pattern = (across, down, across & down)[label]
        pictures.append(60 + 130 * pattern + draw.normal(0, 12, (SIDE, SIDE)))
    array = np.stack(pictures).clip(0, 255).astype(np.uint8)[..., None]
    names = [f"{number}.png" for number in range(count)]
    prepared = PictureArray(Path(), array, names, [""] * count, [], "0" * 64)
    parts = tuple("val" if number // 3 % 4 == 0 else "train" for number in range(count))
    return LabelledPictures(prepared, CLASSES, labels, parts, split_here=True)


def configuration(**changes: Any) -> RecognizerConfig:
    values: dict[str, Any] = {
        "start": "scratch",
        "side": SIDE,
        "channels": 1,
        "seed": 3,
        "batch": 16,
        "epochs": 2,
        "precision": "float32",
        "data": LabelledSummary("stripes", 96, list(CLASSES), "0" * 64),
    }
    return RecognizerConfig(**(values | changes))


def train(
    config: RecognizerConfig,
    data: LabelledPictures,
    folder: Path,
    on_tick: Callable[[Tick], None] | None = None,
    make: Callable[[], Any] | None = None,
) -> Any:
    from huanjing.recognition.finetune import FROM_SCRATCH, train_network
    from huanjing.recognition.scratch import build_network

    if make is None:

        def make() -> object:
            return build_network(config.side, config.channels, len(CLASSES), config.seed)

    with Run.start(folder, config) as run:
        tell = on_tick or (lambda _: None)
        return train_network(config, FROM_SCRATCH, make, data, run, tell, time.monotonic())


@pytest.mark.parametrize(
    ("start", "precision"),
    [("scratch", "float32"), ("scratch", "mixed_bfloat16"), ("mobilenet", "mixed_bfloat16")],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(
    tmp_path: Path, start: str, precision: str
) -> None:
    """So for the small network as for a classic one, whose weights come from a file."""
    data = stripes(96)
    config = configuration(precision=precision)
    make = None
    if start != "scratch":
        config = configuration(precision=precision, side=32, channels=3)
        make = classic(start, tmp_path)
    whole = train(config, data, tmp_path / "whole", make=make)

    def interrupt(tick: Tick) -> None:
        if tick.validation is not None and tick.progress < 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="Stopped after step 5"):
        train(config, data, tmp_path / "stopped", interrupt, make)
    resumed = train(config, data, tmp_path / "stopped", make=make)
    for expected, got in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(expected, got)
    last = [Run(tmp_path / folder).checkpoints.latest() for folder in ("whole", "stopped")]
    assert last[0] is not None
    assert last[1] is not None
    assert last[0].step == last[1].step == 10
    for name, array in last[0].arrays.items():
        np.testing.assert_array_equal(array, last[1].arrays[name], err_msg=name)


def classic(name: str, folder: Path) -> Callable[[], Any]:
    """How a classic network for the three classes is made, from random weights in the official layout."""
    from huanjing.recognition.classic import reference_pictures
    from huanjing.recognition.classic_training import build_body, fine_tunable
    from huanjing.recognition.head import Head
    from huanjing.recognition.presets import PRESETS

    preset = PRESETS[name]
    path = write_official(random_network(preset, reference_pictures(224, 1)), folder / preset.file)
    width = build_body(preset, 32).output.shape[1]
    kernel = np.random.default_rng(0).normal(0, 0.1, (len(CLASSES), width)).astype(np.float32)
    return fine_tunable(preset, path, 32, Head(kernel, np.zeros(len(CLASSES), np.float32), 1.0))[0]


def test_writing_and_answering_fit_into_the_minutes() -> None:
    from huanjing.recognition.finetune import WRITING_SECONDS, training_budget

    assert training_budget(10, each=0.002, answering=2000) == pytest.approx(600 - WRITING_SECONDS - 4)
    assert training_budget(10, each=0.002, answering=20_000) == pytest.approx(600 - WRITING_SECONDS - 40)
    assert training_budget(1, each=0.1, answering=10_000) == 30, "never less than half"


def test_it_learns_to_tell_stripes(tmp_path: Path) -> None:
    from huanjing.recognition.judge import Judge

    data = stripes(240)
    config = configuration(epochs=12, batch=20)
    ticks: list[Any] = []
    network = train(config, data, tmp_path / "run", ticks.append)
    accuracy, loss = Judge(config, data)(network)
    assert accuracy > 0.9
    assert loss < 0.6
    assert accuracy == pytest.approx(max(tick.validation for tick in ticks if tick.validation is not None))
    log = Run(tmp_path / "run").read_log()
    assert log[-1]["step"] <= 12 * 9
    assert log[-1]["loss"] < log[0]["loss"]


def test_minutes_bound_it(tmp_path: Path) -> None:
    ticks: list[Any] = []
    train(configuration(epochs=None, minutes=0.02, batch=32), stripes(960), tmp_path / "run", ticks.append)
    assert ticks[-1].progress == 1.0
    assert 1.0 <= ticks[-1].seconds < 30.0, "a second at least, however long getting there took"


def test_augmentation_is_a_function_of_the_seed_and_keeps_the_range() -> None:
    import tensorflow as tf

    from huanjing.recognition.augment import augment, to_size

    pictures = tf.constant(stripes(6).pictures.array)
    seed = tf.constant([1, 2], tf.int64)
    one, other = (augment(pictures, seed, 24, 3, 0.6).numpy() for _ in range(2))
    assert one.shape == (6, 24, 24, 3)
    np.testing.assert_array_equal(one, other)
    assert one.min() >= 0
    assert one.max() <= 255
    assert np.abs(one - augment(pictures, seed + 1, 24, 3, 0.6).numpy()).max() > 10
    np.testing.assert_array_equal(to_size(pictures, SIDE, 1), pictures)


def test_resizing_is_that_of_the_runtime() -> None:
    import tensorflow as tf
    from PIL import Image

    from huanjing.images import fit
    from huanjing.recognition.augment import to_size

    picture = stripes(1).pictures.array[0]
    expected = np.asarray(fit(Image.fromarray(picture[..., 0]), 40, 40, mode="crop"), np.float32)
    got = to_size(tf.constant(picture[None]), 40, 1).numpy()[0, ..., 0]
    assert np.abs(got - expected).max() <= 1.0


def test_a_mirrored_crop_of_the_whole_is_the_mirror_picture() -> None:
    import tensorflow as tf

    from huanjing.recognition.augment import _crops

    pictures = stripes(3).pictures.array
    none = tf.zeros([3])
    got = _crops(tf.constant(pictures), none, none, none + 1, none + 1, none < 1, SIDE, 1).numpy()
    np.testing.assert_allclose(got, pictures[:, :, ::-1].astype(np.float32), atol=1e-3)

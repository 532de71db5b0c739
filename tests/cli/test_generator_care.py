"""What a generator's training is looked after by, unless told otherwise."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from huanjing.cli.generator_care import (
    choose_mirror,
    choose_strength,
    count_held_out,
    make_score,
    parse_strength,
    parse_until,
    tell,
)
from huanjing.cli.train import Asked, configure
from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.errors import RunError, UsageError
from huanjing.training import Progress, Run


def test_few_pictures_are_augmented_as_needed_and_many_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_strength("auto", 4999) == "adaptive"
    assert "With 4,999 pictures" in capsys.readouterr().err
    assert choose_strength("auto", 5000) == 0
    assert choose_strength(0.3, 10) == 0.3
    assert [parse_strength(text) for text in ("auto", "none", "0.3")] == ["auto", 0.0, 0.3]


def test_somebody_with_hardly_any_pictures_is_told_what_to_expect(capsys: pytest.CaptureFixture[str]) -> None:
    choose_strength("auto", 100)
    assert "copies" not in capsys.readouterr().err
    choose_strength("auto", 99)
    assert (
        "Pictures to learn from: 99. Of fewer than 100 a generator mostly learns copies"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("text", ["much", "-0.1", "1", "nan"])
def test_a_strength_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"it is auto, none, or a probability such as 0.3"):
        parse_strength(text)


def test_mirrored_pictures_are_shown_where_asked_or_harmless() -> None:
    clothing = prepare_pictures(clothing_folder() / "test", (28, 28), 1)
    shoes = np.array(clothing.array[np.array(clothing.labels) == "sneaker"])
    either = shoes.copy()
    either[::2] = either[::2, :, ::-1]
    assert not choose_mirror("auto", shoes, augmented=True)
    assert choose_mirror("yes", shoes, augmented=True)
    assert choose_mirror("auto", either, augmented=True)
    assert not choose_mirror("auto", either, augmented=False)
    assert not choose_mirror("no", either, augmented=True)


def test_a_twentieth_is_held_out_but_of_very_few_none() -> None:
    assert [count_held_out(count) for count in (99, 100, 1000, 100_000)] == [0, 5, 50, 256]


def test_the_score_knows_real_pictures_from_noise() -> None:
    test = prepare_pictures(clothing_folder() / "test", (28, 28), 1).array
    some = test[np.random.default_rng(1).permutation(len(test))[:300]]
    score = make_score(some[:150])
    noise = np.random.default_rng(0).integers(0, 256, (150, 28, 28, 1), np.uint8)
    assert score(some[150:]) < 0.2 * score(noise)


def test_the_score_sees_what_is_transparent() -> None:
    """Grey cut into shapes by transparency alone, beside other shapes, and beside none."""
    shapes = prepare_pictures(clothing_folder() / "test", (28, 28), 1).array
    some = np.full((300, 28, 28, 4), 90, np.uint8)
    some[..., 3:] = shapes[np.random.default_rng(1).permutation(len(shapes))[:300]]
    score = make_score(some[:150])
    shapeless = some[150:].copy()
    shapeless[..., 3] = 255
    assert score(some[150:]) < 0.3 * score(shapeless)


def test_until_is_a_word_or_a_score() -> None:
    assert [parse_until(text) for text in ("end", "good", "40", "0.5")] == ["end", "good", 40.0, 0.5]
    for wrong in ("0", "-3", "better", "inf", "nan"):
        with pytest.raises(UsageError, match="it is end, good, or a score to reach"):
            parse_until(wrong)


@pytest.mark.training
def test_the_doctor_speaks_the_language_that_is_asked_for() -> None:
    import keras

    from huanjing.generation.alarms import Return
    from huanjing.generation.forecast import Range
    from huanjing.generation.outlook import Outlook
    from huanjing.generation.train import Tick

    back = Return("collapse", 750, 500, 0.5)
    tick = Tick(
        750,
        0.5,
        60.0,
        100.0,
        0.1,
        3.0,
        None,
        None,
        keras.Sequential(),
        alarms=("copies",),
        went_back=back,
        outlook=Outlook(750, 51.2, None, Range(27.0, 31.0, 38.0), None, 600.0),
    )
    said = {}
    for language in ("en", "zh"):
        written = io.StringIO()
        with Progress("Training", console=Console(file=written)) as progress:
            tell(progress, tick, language)  # type: ignore[arg-type]
        said[language] = written.getvalue()
    assert "By step 750 the generator had collapsed. Back to step 500, with 0.5 times the rate." in said["en"]
    assert "copies training pictures" in said["en"]
    assert "到第 750 步时生成网络已经坍缩，已退回第 500 步" in said["zh"]
    assert "照抄训练图片" in said["zh"]
    assert "Score 51.2 at step 750. At the end probably 31.0 (27.0 to 38.0)." in said["en"]
    assert "第 750 步得分 51.2。结束时大约 31.0（27.0～38.0）。" in said["zh"]


def test_a_run_goes_on_only_with_the_care_it_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUANJING_CACHE", str(tmp_path / "cache"))
    folder, run = tmp_path / "pictures", tmp_path / "run"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (120, 8, 8), np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.png")
    config, _ = configure(run, folder, Asked(steps=9, resolution=(8, 8)))
    assert (config.augment, config.mirror, config.held_out, config.until) == ("adaptive", True, 6, "end")
    assert "--augment auto --flip yes --until end" in config.command
    with Run.start(run, config):
        pass
    assert configure(run, folder, Asked(augment="auto", flip="auto"))[0] == config
    scored = tmp_path / "scored"
    config, _ = configure(scored, folder, Asked(steps=9, resolution=(8, 8), until=40.5))
    assert "--until 40.5 " in config.command
    with Run.start(scored, config):
        pass
    assert configure(scored, folder, Asked(until=40.5))[0] == config
    with pytest.raises(RunError, match=r"--until was 40.5, now 'good'"):
        configure(scored, folder, Asked(until="good"))
    with pytest.raises(
        RunError, match=r"--augment was 'auto', now 0.0; --flip was 'yes', now 'no'; --until was 'end'"
    ):
        configure(run, folder, Asked(augment=0.0, flip="no", until="good"))

"""Generation without TensorFlow: a seed's picture is always the same."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import huanjing
from huanjing import Generator
from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.errors import BundleError
from huanjing.runtime import latents


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator()


def test_the_embedded_generator_makes_pictures(generator: Generator) -> None:
    pictures = generator.generate(range(40))
    assert pictures.shape == (40, 28, 28, 1)
    assert pictures.dtype == np.uint8
    # Clothing on black: the corners are dark, the middle is not, and no two pictures are alike.
    assert pictures[:, :2, :2].mean() < 20
    assert pictures[:, 10:18, 10:18].mean() > 60
    assert len({picture.tobytes() for picture in pictures}) == 40


def test_the_embedded_generator_makes_what_it_is_asked_for(generator: Generator) -> None:
    for named in ("bag", "包", 1):
        np.testing.assert_array_equal(generator.generate([7], named), generator.generate([7], "Bag"))
    real = prepare_pictures(clothing_folder() / "test", (28, 28), 1)
    means = {name: real.array[np.array(real.labels) == name].mean(axis=0) for name in set(real.labels)}
    for each in generator.classes:
        made = generator.generate(range(64), each.id).mean(axis=0)
        assert min(means, key=lambda name: float(np.square(means[name] - made).mean())) == each.id


def test_a_seeds_picture_does_not_depend_on_its_company(generator: Generator) -> None:
    together = generator.generate(range(100, 180))
    alone = generator.generate([163])
    np.testing.assert_array_equal(together[63], alone[0])


def test_the_reference_is_met(generator: Generator) -> None:
    with np.load(generator.bundle.reference, allow_pickle=False) as reference:
        pictures = generator.pictures(reference["latent"], reference["classes"])
        assert np.abs(pictures - reference["picture"]).max() < 0.02


def test_latents_are_standard_normal_and_follow_their_seeds() -> None:
    rows = latents(range(2000), 64)
    assert rows.dtype == np.float32
    assert rows.mean() == pytest.approx(0, abs=0.01)
    assert rows.std() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(latents([1999], 64)[0], rows[1999])


def test_no_seeds_give_no_pictures(generator: Generator) -> None:
    assert generator.generate([]).shape == (0, 28, 28, 1)


def test_the_shortcut_counts_from_its_seed() -> None:
    np.testing.assert_array_equal(huanjing.generate(3, seed=5)[1], huanjing.generate(1, seed=6)[0])


def test_the_embedded_bundle_is_small_and_says_how_it_was_made(generator: Generator) -> None:
    folder = generator.bundle.folder
    assert sum(path.stat().st_size for path in Path(folder).rglob("*")) < 4 * 2**20
    training = generator.bundle.manifest.training
    assert training.command.startswith("python -m benchmarks.curves")
    assert training.seed is not None


@pytest.mark.parametrize("threads", [1, 2])
def test_a_seeds_picture_does_not_depend_on_the_engines_threads(
    threads: int, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huanjing.runtime import engine

    monkeypatch.setattr(engine, "processors", lambda: threads)
    np.testing.assert_array_equal(Generator().generate([163, 5]), generator.generate([163, 5]))


def test_a_graph_of_another_shape_than_the_manifest_says_is_refused(
    generator: Generator, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(generator.bundle.folder, folder)
    manifest = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    manifest["input"]["height"] = 32
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(
        BundleError, match=r"graph's picture has shape \[32,28,28,1\].* says \[32, 28, 1\] for one"
    ):
        Generator(folder).generate([7])


def test_truncation_moves_latents_towards_their_mean(generator: Generator) -> None:
    whole, some, none = (
        generator.generate(range(64), "bag", truncation=truncation) for truncation in (1.0, 0.5, 0.0)
    )
    assert (none == none[0]).all()
    middle = generator.draw(np.zeros((1, 64), np.float32), generator.class_rows([0], "bag"))
    np.testing.assert_array_equal(none[0], middle[0])
    assert none.std(axis=0).mean() < some.std(axis=0).mean() < whole.std(axis=0).mean()

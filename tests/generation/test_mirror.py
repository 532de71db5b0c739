from __future__ import annotations

import numpy as np

from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.generation.mirror import compare_with_mirror, thumbnails


def test_shoes_that_all_point_one_way_must_not_be_mirrored() -> None:
    clothing = prepare_pictures(clothing_folder() / "test", (28, 28), 1)
    shoes = clothing.array[np.array(clothing.labels) == "sneaker"]
    found = compare_with_mirror(shoes)
    assert found.share > 0.95
    assert not found.harmless
    either = np.array(shoes)
    either[::2] = either[::2, :, ::-1]
    found = compare_with_mirror(either)
    assert found.pictures == len(shoes)
    assert found.harmless


def test_few_pictures_or_symmetrical_ones_prove_what_they_can() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (12, 8, 8, 3), np.uint8)
    assert not compare_with_mirror(noise).harmless
    halves = np.random.default_rng(1).integers(0, 256, (400, 8, 4, 3), np.uint8)
    symmetrical = compare_with_mirror(np.concatenate([halves, halves[:, :, ::-1]], axis=2))
    assert symmetrical.share == 0.5
    assert symmetrical.harmless


def test_thumbnails_are_means_over_boxes() -> None:
    pictures = np.arange(2 * 32 * 48 * 3, dtype=np.float64).reshape(2, 32, 48, 3) % 251
    expected = pictures.reshape(2, 16, 2, 16, 3, 3).mean(axis=(2, 4)).reshape(2, -1)
    np.testing.assert_allclose(thumbnails(pictures.astype(np.uint8)), expected, rtol=1e-6)
    assert thumbnails(np.zeros((3, 28, 9, 1), np.uint8)).shape == (3, 16 * 9)


def test_a_colour_that_is_hidden_makes_no_difference() -> None:
    seen = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 4), np.uint8)
    seen[:, :, :4, 3] = 0
    hidden = seen.copy()
    hidden[:, :, :4, :3] = 255
    np.testing.assert_array_equal(thumbnails(seen), thumbnails(hidden))
    assert not np.array_equal(thumbnails(seen[:1]), thumbnails(seen[1:]))

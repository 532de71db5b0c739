from __future__ import annotations

import numpy as np

from huanjing.images import premultiply, unpremultiply


def test_what_cannot_be_seen_becomes_black() -> None:
    pictures = np.array([[[[200, 100, 50, 0], [200, 100, 50, 255], [200, 100, 50, 51]]]], np.uint8)
    assert premultiply(pictures).tolist() == [[[[0, 0, 0, 0], [200, 100, 50, 255], [40, 20, 10, 51]]]]


def test_back_again_every_colour_is_as_near_as_its_opacity_allows() -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    pictures = np.stack([colour, colour, colour, alpha], axis=-1).astype(np.uint8)
    back = unpremultiply(premultiply(pictures))
    np.testing.assert_array_equal(back[..., 3], alpha)
    error = np.abs(back[..., 0].astype(int) - colour)
    assert (error[1:] <= np.ceil(255 / alpha[1:] / 2)).all()
    assert (back[255] == pictures[255]).all()
    assert not back[0].any()


def test_colours_brighter_than_their_opacity_become_full_ones() -> None:
    assert unpremultiply(np.array([[[[90, 10, 0, 30]]]], np.uint8)).tolist() == [[[[255, 85, 0, 30]]]]


def test_pictures_without_alpha_are_left_alone() -> None:
    pictures = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(unpremultiply(premultiply(pictures)), pictures)

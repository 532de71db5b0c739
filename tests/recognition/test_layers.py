"""Looking inside a network: each layer's output, and that together they are the network."""

from __future__ import annotations

import numpy as np
import pytest

from huanjing.bundle import find_model
from huanjing.recognition.layers import layer_outputs
from huanjing.runtime import Recognizer


def test_the_layers_are_all_there_and_hold_all_weights() -> None:
    bundle = find_model(None, "recognizer")
    picture = np.random.default_rng(3).integers(0, 256, (224, 224, 3), np.uint8)
    layers = layer_outputs(bundle, picture)

    kinds = [layer.kind for layer in layers]
    assert (kinds.count("convolution"), kinds.count("pooling"), kinds.count("dense")) == (49, 1, 1)
    assert layers[0].values.shape == (32, 112, 112)
    assert layers[0].values.min() >= 0  # after its ReLU6
    # 3×3×3 kernels of 32 channels, and four numbers of normalisation a channel.
    assert layers[0].weights == 27 * 32 + 4 * 32
    # The depthwise kernels have one input channel each.
    assert layers[1].weights == 9 * 32 + 4 * 32

    logits = Recognizer(bundle, precision="f32").logits(picture[None])[0]
    np.testing.assert_allclose(layers[-1].values, logits, rtol=1e-4, atol=1e-4)


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(224, 224, 3\)"):
        layer_outputs(find_model(None, "recognizer"), np.zeros((8, 8, 3), np.uint8))

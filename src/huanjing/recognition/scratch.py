"""The small network that starts from nothing, to be read: convolution, pooling, dense.

Three times: two 3×3 convolutions look for ever larger shapes, and pooling halves the picture. Then the mean over the
picture, and one dense layer that weighs what was found for each class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huanjing.recognition.efficientnet_lite import MEAN, SCALE

if TYPE_CHECKING:
    import keras

WIDTHS = (32, 64, 128)
DROPOUT = 0.2
SCRATCH_ARCHITECTURE = "convolution_pooling_dense"
NORMALISATION = f"(x - {MEAN:g}) / {SCALE:g}"


def build_network(side: int, channels: int, classes: int, seed: int) -> keras.Model:
    """The network, freshly initialised from ``seed``.

    Input: ``[N, side, side, channels]``, 0..255. Output: float32 logits ``[N, classes]``. The layers ``feature_map``
    ``[N, side/8, side/8, 128]`` and ``features`` ``[N, 128]`` (its mean) bear the names of the graph's outputs.
    """
    import keras
    from keras import layers

    picture = keras.Input((side, side, channels), name="picture")
    x = layers.Rescaling(1 / SCALE, -MEAN / SCALE, dtype="float32", name="rescale")(picture)
    for number, width in enumerate(WIDTHS):
        for half in "ab":
            name = f"stage{number + 1}{half}"
            start = keras.initializers.HeNormal(seed=seed + 10 * number + "ab".index(half))
            convolution = layers.Conv2D(
                width, 3, padding="same", use_bias=False, kernel_initializer=start, name=f"{name}_convolution"
            )
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_normalisation")(convolution(x))
            last = number == len(WIDTHS) - 1 and half == "b"
            x = layers.ReLU(name="feature_map" if last else f"{name}_relu")(x)
        if number < len(WIDTHS) - 1:
            x = layers.MaxPooling2D(padding="same", name=f"stage{number + 1}_pooling")(x)
    x = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    x = layers.Dropout(DROPOUT, seed=seed, name="dropout", dtype="float32")(x)
    start = keras.initializers.GlorotUniform(seed=seed + 99)
    x = layers.Dense(classes, kernel_initializer=start, name="classifier", dtype="float32")(x)
    return keras.Model(picture, x, name=SCRATCH_ARCHITECTURE)

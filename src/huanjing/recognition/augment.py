"""Pictures as they might also have been taken: other crops, mirrored, brighter or duller. A function of a seed."""

from __future__ import annotations

import tensorflow as tf

STRETCH = 1.25
"""How far a crop's aspect ratio may be from the picture's."""
BRIGHTNESS = 0.1
CONTRAST = 0.2


def augment(
    pictures: tf.Tensor, seed: tf.Tensor, side: int, channels: int, smallest_crop: float
) -> tf.Tensor:
    """Each picture in a crop of its own, half of them mirrored, with brightness and contrast changed a little.

    :param pictures: uint8 ``[N, H, W, C]``, 0..255.
    :param seed: two int64; the same seed makes the same pictures.
    :param smallest_crop: the least part of the area that a crop shows, 0..1.
    :returns: float32 ``[N, side, side, channels]``, 0..255.
    """
    count = tf.shape(pictures)[0]
    chance = tf.unstack(tf.random.stateless_uniform([7, count], seed=seed))
    area = smallest_crop + (1.0 - smallest_crop) * chance[0]
    ratio = tf.exp(tf.math.log(STRETCH) * (2.0 * chance[1] - 1.0))
    width = tf.minimum(1.0, tf.sqrt(area * ratio))
    height = tf.minimum(1.0, tf.sqrt(area / ratio))
    left, top = chance[2] * (1.0 - width), chance[3] * (1.0 - height)
    seen = _crops(pictures, left, top, width, height, chance[4] < 0.5, side, channels)
    mean = tf.reduce_mean(seen, axis=[1, 2, 3], keepdims=True)
    contrast = 1.0 + CONTRAST * (2.0 * chance[5] - 1.0)
    brightness = 255.0 * BRIGHTNESS * (2.0 * chance[6] - 1.0)
    changed = (seen - mean) * contrast[:, None, None, None] + mean + brightness[:, None, None, None]
    return tf.clip_by_value(changed, 0.0, 255.0)


def to_size(pictures: tf.Tensor, side: int, channels: int) -> tf.Tensor:
    """Whole pictures, uint8 ``[N, H, W, C]``, as float32 ``[N, side, side, channels]``, 0..255."""
    none = tf.zeros([tf.shape(pictures)[0]])
    return _crops(pictures, none, none, none + 1.0, none + 1.0, none > 0.0, side, channels)


def _crops(
    pictures: tf.Tensor,
    left: tf.Tensor,
    top: tf.Tensor,
    width: tf.Tensor,
    height: tf.Tensor,
    mirrored: tf.Tensor,
    side: int,
    channels: int,
) -> tf.Tensor:
    """Boxes, in shares of the picture, brought to ``side`` × ``side``, bilinear.

    The centre of pixel j lies at j + 1/2: x_in + 1/2 = W (left + width (x_out + 1/2) / side), as in Pillow.
    """
    high, wide = (tf.cast(length, tf.float32) for length in tf.unstack(tf.shape(pictures))[1:3])
    across, down = width * wide / side, height * high / side
    sign = tf.where(mirrored, -1.0, 1.0)
    start = tf.where(mirrored, left + width, left) * wide
    none = tf.zeros_like(left)
    first = start + 0.5 * sign * across - 0.5
    rows = [sign * across, none, first, none, down, top * high + 0.5 * down - 0.5, none, none]
    seen = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(pictures, tf.float32),
        transforms=tf.stack(rows, axis=1),
        output_shape=[side, side],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    seen = tf.reshape(seen, [-1, side, side, pictures.shape[3]])
    return tf.repeat(seen, 3, axis=3) if pictures.shape[3] == 1 and channels == 3 else seen

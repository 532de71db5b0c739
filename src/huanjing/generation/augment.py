"""Augmentation that the discriminator sees and the generator does not learn: what makes few pictures suffice.

Karras et al., "Training generative adversarial networks with limited data" (ADA, NeurIPS 2020): every picture that
the discriminator is shown, real or generated, goes through random transformations first, each applied with
probability p. Zhao et al., "Differentiable augmentation for data-efficient GAN training" (NeurIPS 2020), have the same
idea with p = 1 and fewer transformations.

The generator is not led to make transformed pictures as long as the transformation, seen as an operator T on
distributions of pictures, can be undone. Applied with probability p it is (1 - p) I + p T, which is singular only where
T has the eigenvalue -(1 - p) / p. So the amounts here are drawn such that T has no negative eigenvalue: turns evenly
from their group; shifts as the sum of two alike, brightness, contrast, saturation and scale from a Gaussian, whose
characteristic functions are nowhere negative; and to cut out only ever takes away (Bora et al., "AmbientGAN", 2018).
Every p under 1 can then be undone, the worse the nearer it is to 1; :data:`MOST` is as far as we go. Edges, where
pictures are continued by their mirror image, make this an approximation.

All transformations are linear in the pixels, by matrices and masks, so derivatives of any order go through them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

MOST = 0.8
"""The highest p. The paper, too, found leaks only above it."""
SHIFT = 1 / 16
"""Of a side: the most of either of the two whole numbers of pixels whose sum a picture is moved by."""
SCALE = 0.2
"""Standard deviation of log₂ of the scale; no more than three of them are drawn."""
BRIGHTNESS = 0.2
"""Standard deviation of what is added to pixels of -1..1."""
CONTRAST = 0.5
"""Standard deviation of log₂ of the contrast."""
SATURATION = 1.0
"""Standard deviation of log₂ of the saturation."""
HOLE = 0.5
"""Of each side: the size of what is cut out."""


@dataclass(frozen=True)
class Augmentation:
    """What happens to each of N pictures; to be called with them. The same for every call.

    Pictures are NHWC, -1..1, of the type that the augmentation was drawn for; some pixels may come out beyond.
    """

    turned: tf.Tensor | None
    """``[N]``: whether rows and columns change places; None where none are turned."""
    rows: tf.Tensor
    """``[N, H, H]``: by what pixels of its column a pixel is made."""
    columns: tf.Tensor
    """``[N, W, W]``: the same for rows."""
    colours: tf.Tensor
    """``[N, C, C]``: by what channels of its pixel a channel is made."""
    brightness: tf.Tensor
    """``[N, 1, 1, C]``: what is added then."""
    visible: tf.Tensor
    """``[N, H, W, 1]``: 0 where the picture is cut out, 1 elsewhere."""

    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        """Augmented pictures, of the same shape."""
        x = pictures
        if self.turned is not None:
            x = tf.where(self.turned[:, None, None, None], tf.transpose(x, [0, 2, 1, 3]), x)
        x = tf.einsum("nij,njwc->niwc", self.rows, x)
        x = tf.einsum("nvw,niwc->nivc", self.columns, x)
        x = tf.einsum("ncd,nhwd->nhwc", self.colours, x) + self.brightness
        return x * self.visible

    def part(self, start: int, stop: int) -> Augmentation:
        """That of the pictures ``start`` to ``stop - 1`` alone."""
        turned = None if self.turned is None else self.turned[start:stop]
        rest = (self.rows, self.columns, self.colours, self.brightness, self.visible)
        return Augmentation(turned, *(tensor[start:stop] for tensor in rest))


def draw_augmentation(
    shape: tuple[int, int, int, int],
    probability: tf.Tensor,
    seed: tf.Tensor,
    *,
    turn: bool = False,
    rows: Callable[[tf.Tensor, int], tf.Tensor] = lambda drawn, axis: drawn,  # noqa: ARG005
) -> Augmentation:
    """Draw for ``shape`` (N, H, W, C) pictures, each transformation with ``probability`` on its own.

    :param probability: a scalar, 0..1; its type becomes the pictures'.
    :param seed: two int64; the same seed draws the same.
    :param turn: whether pictures may also be turned, by quarters where they are square, else by halves.
    :param rows: takes what is wanted of the pictures, along an axis; all unless told.
    """
    count, height, width, channels = shape
    kind = probability.dtype
    seeds = tf.random.split(seed, 3)
    chance = iter(tf.unstack(rows(tf.random.stateless_uniform([16, count], seeds[0], dtype=kind), 1)))
    normal = iter(tf.unstack(rows(tf.random.stateless_normal([4, count], seeds[1], dtype=kind), 1)))
    shifts = rows(tf.random.stateless_uniform([4, count], seeds[2], dtype=kind), 1)
    nothing, one = tf.zeros(shifts.shape[1:], kind), tf.ones(shifts.shape[1:], kind)

    def maybe(amount: tf.Tensor, neutral: tf.Tensor) -> tf.Tensor:
        return tf.where(next(chance) < probability, amount, neutral)

    quarters = tf.floor(4.0 * next(chance)) if height == width else 2.0 * tf.floor(2.0 * next(chance))
    quarters = maybe(quarters, nothing) if turn else nothing
    turned = tf.math.floormod(quarters, 2.0) > 0.5
    upside = tf.where((quarters > 0.5) & (quarters < 2.5), -one, one)
    mirrored = tf.where(quarters > 1.5, -one, one)

    size = maybe(tf.pow(2.0, SCALE * tf.clip_by_value(next(normal), -3.0, 3.0)), one)
    down, right = (
        _whole_number(shifts[k], side) + _whole_number(shifts[k + 1], side)
        for k, side in ((0, height), (2, width))
    )
    moves = next(chance) < probability
    rows = _resample(height, upside / size, tf.where(moves, down, nothing))
    columns = _resample(width, mirrored / size, tf.where(moves, right, nothing))

    offset = maybe(BRIGHTNESS * next(normal), nothing)
    contrast = maybe(tf.pow(2.0, CONTRAST * next(normal)), one)
    saturation = maybe(tf.pow(2.0, SATURATION * next(normal)), one)
    coloured = tf.constant([float(channel < min(3, channels)) for channel in range(channels)], kind)
    visible = _hole(height, width, next(chance), next(chance), next(chance) < probability)
    return Augmentation(
        turned if turn and height == width else None,
        rows,
        columns,
        _colours(channels, contrast, saturation, coloured),
        offset[:, None, None, None] * coloured,
        visible,
    )


def mirror_half(pictures: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Half of the pictures ``[N, H, W, C]``, which ``seed`` says, as a mirror shows them."""
    mirrored = tf.random.stateless_uniform(tf.shape(pictures)[:1], seed) < 0.5
    return tf.where(mirrored[:, None, None, None], tf.reverse(pictures, [2]), pictures)


def _whole_number(chance: tf.Tensor, side: int) -> tf.Tensor:
    """Evenly from -m..m pixels, m being :data:`SHIFT` of the side, and one at least."""
    most = max(1, round(SHIFT * side))
    return tf.floor((2 * most + 1) * chance) - most


def _resample(side: int, slope: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """``[N, side, side]``: pixel i is taken from c + slope (i - c - shift), c being the middle.

    Between pixels it is interpolated linearly, over more of them where the picture shrinks; beyond the edges the
    picture goes on as its mirror image. Where slope is 1 or -1 pixels are only moved, not one is changed.
    """
    middle = (side - 1) / 2.0
    place = tf.range(side, dtype=slope.dtype)
    source = middle + slope[:, None] * (place - middle - shift[:, None])
    # Folded into 0..side - 1: there and back again is 2 (side - 1) long.
    there_and_back = 2.0 * (side - 1)
    source = tf.abs(tf.math.floormod(source + (side - 1), there_and_back) - (side - 1))
    reach = tf.maximum(1.0, tf.abs(slope))[:, None, None]
    weights = tf.nn.relu(1.0 - tf.abs(source[:, :, None] - place) / reach)
    return weights / tf.reduce_sum(weights, axis=2, keepdims=True)


def _colours(channels: int, contrast: tf.Tensor, saturation: tf.Tensor, coloured: tf.Tensor) -> tf.Tensor:
    """``[N, C, C]``: contrast about middle grey and saturation about the grey of each pixel; alpha is left alone."""
    colours = tf.linalg.diag(contrast[:, None] * coloured + (1.0 - coloured))
    if channels < 3:
        return colours
    grey = coloured[:, None] * coloured[None, :] / 3.0
    keep = tf.linalg.diag(1.0 - coloured)
    s = saturation[:, None, None]
    return tf.matmul(colours, s * (tf.linalg.diag(coloured) - grey) + grey + keep)


def _hole(height: int, width: int, down: tf.Tensor, right: tf.Tensor, cut: tf.Tensor) -> tf.Tensor:
    """``[N, H, W, 1]``: 0 in a rectangle about a point anywhere in the picture, where ``cut`` says so; else 1."""

    def within(side: int, centre: tf.Tensor) -> tf.Tensor:
        place = (tf.range(side, dtype=centre.dtype) + 0.5) / side
        return tf.abs(place - centre[:, None]) < HOLE / 2

    hole = within(height, down)[:, :, None] & within(width, right)[:, None, :] & cut[:, None, None]
    return tf.cast(~hole, down.dtype)[..., None]


class AdaptiveStrength:
    """p, moved as ADA does it: up where the discriminator over-fits, else down.

    Over-fitting is ADA's r_v: how far pictures that were held out score on the way from training pictures to generated
    ones, h = (E D(x) - E D(x_held)) / (E D(x) - E D(G(z))), in moving averages; 0 where they score like training
    pictures, 1 where the discriminator takes them for generated. Where none are held out it is r, ADA's r_t for scores
    of which only differences mean anything: r = E sign(D(x) - D(G(z))) over all pairs in the batches of the last four
    steps; 0 where it can only guess, 1 where every real picture scores above every generated one. A discriminator that
    is right, and knows nothing by heart, has a high r, too; so h is better.
    """

    TARGET = 0.6
    """The r at which p stays."""
    OVERFITTED = 0.3
    """The h at which p stays."""
    HALF_LIFE = 100
    """Steps, of the averages in h."""
    EVERY = 4
    """Steps between two moves."""
    PICTURES = 50_000
    """Real pictures shown while p goes from 0 to 1, where it always goes up."""

    def __init__(self, start: float = 0.0, *, adaptive: bool = True, watched: bool = False) -> None:
        self.adaptive = adaptive
        """Else p stays what it is, and only r is measured."""
        self.watched = watched
        """Whether p goes by h."""
        self.probability, self.certainty, self._sum, self._lead, self._gap = (
            keras.Variable(value, trainable=False, dtype="float32", name=name)
            for name, value in (
                ("probability", start), ("certainty", 0.0), ("sum", 0.0), ("lead", 0.0), ("gap", 0.0)
            )
        )  # fmt: skip

    @property
    def variables(self) -> list[keras.Variable]:
        """Everything that a checkpoint needs; ``certainty`` is r, when it was last measured."""
        return [self.probability, self.certainty, self._sum, self._lead, self._gap]

    @property
    def over_fitting(self) -> float | None:
        """h; None where it is not known, or the discriminator does not tell real pictures from generated ones."""
        lead = float(self._lead.numpy())
        return round(float(self._gap.numpy()) / lead, 4) if self.watched and lead > 0 else None

    def remember(self, real: tf.Tensor, generated: tf.Tensor, held_out: tf.Tensor | None = None) -> None:
        """Take a step's scores, ``[N]`` and ``[n]``, into account, inside its graph."""
        lead = tf.reduce_mean(tf.sign(real[:, None] - generated[None, :]))
        self._sum.assign_add(tf.cast(lead, tf.float32))
        if held_out is not None:
            for average, others in ((self._lead, generated), (self._gap, held_out)):
                now = tf.reduce_mean(real) - tf.reduce_mean(others)
                average.assign_add((1.0 - 0.5 ** (1.0 / self.HALF_LIFE)) * (now - average))

    def adapt(self, number: tf.Tensor, batch: int) -> None:
        """Move p where it is time to, after step ``number`` with its ``batch`` real pictures."""
        due = tf.equal(tf.math.floormod(number + 1, self.EVERY), 0)
        certainty = self._sum / self.EVERY
        excess = self._gap - self.OVERFITTED * self._lead if self.watched else certainty - self.TARGET
        stride = self.EVERY * batch / self.PICTURES if self.adaptive else 0.0
        moved = tf.clip_by_value(self.probability + stride * tf.sign(excess), 0.0, MOST)
        self.probability.assign(tf.where(due, moved, self.probability))
        self.certainty.assign(tf.where(due, certainty, self.certainty))
        self._sum.assign(tf.where(due, 0.0, self._sum))

"""What the two networks are asked for: the losses, and the penalties that keep their game stable.

D(x) is the score that the discriminator gives picture x, G(z) the picture that the generator makes of latent z;
f(t) = log(1 + exp(t)), called softplus. All scores are float32 ``[N]``; every loss is their mean, a scalar.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Objective:
    """A pair of losses; each takes the scores of real and of generated pictures, in this order."""

    discriminator: Loss
    generator: Loss
    turned: Loss
    """By picture, ``[N]``: the gradient of L_G by D(G(z)) over that of L_D."""
    paired: bool
    """Whether the generator's loss compares with real pictures, so that their scores are needed too."""
    balance: float
    """L_D where the discriminator can only guess, and gives all pictures one score."""


def classic_discriminator(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """L_D = E f(-D(x)) + E f(D(G(z))): tell real from generated (Goodfellow et al., NeurIPS 2014, eq. 1)."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(generated))


def classic_generator(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:  # noqa: ARG001
    """L_G = E f(-D(G(z))): the non-saturating form (Goodfellow et al., section 3)."""
    return tf.reduce_mean(tf.nn.softplus(-generated))


def relativistic_discriminator(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """L_D = E f(-(D(x) - D(G(z)))): each real picture above the generated one that it is paired with.

    Jolicoeur-Martineau, "The relativistic discriminator" (ICLR 2019); with the penalties of
    :func:`gradient_penalty` on both sides it converges locally (Huang et al., NeurIPS 2024).
    """
    return tf.reduce_mean(tf.nn.softplus(generated - real))


def relativistic_generator(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """L_G = E f(-(D(G(z)) - D(x))): the same game, the sides changed."""
    return tf.reduce_mean(tf.nn.softplus(real - generated))


def classic_turned(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:  # noqa: ARG001
    """-f'(-s) / f'(s) = -exp(-s), with s = D(G(z)), since f'(-t) = exp(-t) f'(t)."""
    return -tf.exp(tf.minimum(-generated, LARGEST_EXPONENT))


def relativistic_turned(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """-f'(r - s) / f'(s - r) = -exp(r - s), with r = D(x) and s = D(G(z))."""
    return -tf.exp(tf.minimum(real - generated, LARGEST_EXPONENT))


LARGEST_EXPONENT = 50.0
"""Beyond it L_D hardly has a gradient left that float32 can hold, and the product would be infinite times nothing."""

OBJECTIVES = {
    "non-saturating": Objective(
        classic_discriminator, classic_generator, classic_turned, False, 2 * math.log(2)
    ),
    "relativistic": Objective(
        relativistic_discriminator, relativistic_generator, relativistic_turned, True, math.log(2)
    ),
}


def gradient_penalty(discriminator: Callable[[tf.Tensor], tf.Tensor], pictures: tf.Tensor) -> tf.Tensor:
    """E ‖∇ₓ D(x)‖², the zero-centred penalty: a scalar, float32.

    R1 on real pictures, R2 on generated ones (Mescheder, Geiger and Nowozin, "Which training methods for GANs do
    actually converge?", ICML 2018). The caller weighs it by γ/2.

    :param pictures: NHWC, -1..1. Every layer of ``discriminator`` must differentiate twice; TensorFlow's
        bilinear resizing does not, and does not say so.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(pictures)
        scores = tf.reduce_sum(discriminator(pictures))
    gradients = tape.gradient(scores, pictures)
    return tf.reduce_mean(tf.reduce_sum(tf.square(tf.cast(gradients, scores.dtype)), axis=[1, 2, 3]))

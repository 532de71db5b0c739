"""Private training: what the discriminator learns of any one picture drowns in noise, and the generator asks it alone.

The discriminator learns by differentially private gradient descent (Abadi et al., "Deep learning with differential
privacy", CCS 2016), the generator only through it, as in Xie et al., "Differentially private generative adversarial
network" (2018). An update of the discriminator is

    S ~ every picture with probability q, on its own
    g ← (Σ_{i ∈ S} clip(∇ℓ(xᵢ, G(zᵢ)), C) + σ C n) / (q N),    n ~ N(0, 1) for each number of it,

clip(v, C) = v min(1, C / ‖v‖), ‖v‖ taken over all weights together. The loss of a pair ℓ holds all that a real picture
takes part in: its score, that of the generated picture beside it, and both gradient penalties. This needs that a pair's
loss depends on no other pair: so the discriminator has no batch normalisation; the pictures of the pairs come from a
generator that, here, normalises by its moving averages; and latents are drawn on their own. It needs, too, that nobody
knows S, z and n: they come from a key of the operating system's randomness, which :class:`Key` keeps in the run folder
while training lasts, and never from the run's seed, which everybody may read. A gradient that is not finite counts 0.

Nothing else in a private run looks at real pictures: no adaptive augmentation, no score, no alarm, no class, and the
training doctor never goes back, since to take a step once more with the same noise would give the noise away.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from huanjing.errors import RunError, UsageError
from huanjing.generation.augment import mirror_half
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.feed import Feed
from huanjing.generation.networks import call
from huanjing.generation.objectives import OBJECTIVES, gradient_penalty
from huanjing.generation.recipes import RECIPES, Recipe
from huanjing.generation.state import TrainingState
from huanjing.images import premultiply
from huanjing.training.checkpoint import write_whole

KEY_FILE = "noise.key"
KEY_BYTES = 32
RATE = 5e-4
"""Adam's, from start to end."""
BETA_1 = 0.5
BETA_2 = 0.999
BARE = ("strided", "modulated")
"""Discriminators that give a picture its score without a look at the others, or at chance."""

PairLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def private_recipe(recipe: Recipe) -> Recipe:
    """The recipe with what private training changes of it.

    The relativistic loss of the generator compares with scores of real pictures, which no noise covers: the
    non-saturating one does not.

    :raises UsageError: where the discriminator mixes the pictures of a batch, or draws at random.
    """
    if recipe.discriminator not in BARE:
        able = ", ".join(name for name, row in RECIPES.items() if row.discriminator in BARE)
        raise UsageError(
            f"--private cannot go with the recipe {recipe.name}: its discriminator has dropout, whose draws follow "
            f"from the run's seed, so that the promise would not hold. Those that it can go with: {able}."
        )
    return replace(
        recipe,
        objective="non-saturating",
        penalty_share=1.0,
        last_penalty=None,
        wanted_loss=None,
        rate=RATE,
        last_rate=RATE,
        beta_1=BETA_1,
        beta_2=BETA_2,
        distance=None,
    )


class Key:
    """Where sampling, latents and noise of a private run come from: 256 bits that only the run folder knows.

    :param begun: whether there are steps that were taken with the key.
    :raises RunError: where they were, and it is gone.
    """

    def __init__(self, folder: Path, *, begun: bool) -> None:
        self.path = folder / KEY_FILE
        if not self.path.is_file():
            if begun:
                raise RunError(
                    f"{self.path}: is gone, and with it the noise of this private run. Going on with other noise would "
                    "spend more than it promises. Put it back, or start a new run with --run."
                )
            write_whole(self.path, _write_key)
        self._bytes = self.path.read_bytes()
        if len(self._bytes) != KEY_BYTES:
            raise RunError(
                f"{self.path}: has {len(self._bytes)} bytes and not {KEY_BYTES}; start a new run with --run."
            )

    def seeds(self, update: int) -> NDArray[np.int64]:
        """What belongs to one update of the discriminator: ``[4, 2]``."""
        digest = hashlib.blake2b(update.to_bytes(8, "little"), key=self._bytes, digest_size=64).digest()
        return np.frombuffer(digest, "<i8").reshape(4, 2).astype(np.int64)

    def destroy(self) -> None:
        """Remove it: what it hid stays hidden."""
        self.path.unlink(missing_ok=True)


class PoissonFeed(Feed):
    """The samples of a step: every picture is in each with the same probability, on its own, by the key."""

    def __init__(self, config: GeneratorConfig, pictures: NDArray[np.uint8], key: Key, step: int) -> None:
        assert config.private is not None
        self._key, self._updates = key, config.private.generator_every
        self._rate = config.recipe.batch / len(pictures)
        super().__init__(config, pictures, None, step)

    def _gather(self, step: int) -> tuple[list[tf.Tensor], list[NDArray[np.int64]]]:
        """A sample for each update, uint8 ``[n, H, W, C]``, n as chance has it, and the update's other seeds."""
        samples, seeds = [], []
        for update in range(step * self._updates, (step + 1) * self._updates):
            drawn = self._key.seeds(update)
            chance = np.random.default_rng(drawn[0].view(np.uint64)).random(len(self.pictures))
            chosen = np.flatnonzero(chance < self._rate)
            samples.append(tf.constant(premultiply(self.pictures[chosen])))
            seeds.append(drawn[1:])
        return samples, seeds


class PrivateStep:
    """A step: the discriminator learns some times, each by a sample with noise, then the generator against it."""

    def __init__(self, config: GeneratorConfig, state: TrainingState) -> None:
        assert config.private is not None
        if state.discriminator.non_trainable_variables:
            raise RunError(
                "The discriminator normalises or draws at random; training it cannot be private. Start a new run with "
                "another --recipe."
            )
        self.config, self.state, self.private = config, state, config.private
        self.objective = OBJECTIVES[config.recipe.objective]
        shape = (None, config.height, config.width, config.channels)
        self._update = tf.function(
            self.update_discriminator,
            input_signature=[tf.TensorSpec(shape, tf.uint8), tf.TensorSpec((3, 2), tf.int64)],
            autograph=False,
        )
        self._follow = tf.function(self.update_generator, autograph=False)

    def __call__(
        self,
        samples: Sequence[tf.Tensor],
        seeds: Sequence[NDArray[np.int64]],
        number: tf.Tensor,
        progress: tf.Tensor,  # noqa: ARG002
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Take step ``number``; both losses on generated pictures alone, since those on real ones stay untold."""
        for sample, drawn in zip(samples, seeds, strict=True):
            self._update(sample, tf.constant(drawn))
        losses: tuple[tf.Tensor, tf.Tensor] = self._follow(number)
        return losses

    def update_discriminator(self, pictures: tf.Tensor, seeds: tf.Tensor) -> None:
        """Learn from a sample ``[n, H, W, C]``, uint8, with latents, mirroring and noise of ``seeds`` ``[3, 2]``."""
        discriminator, recipe = self.state.discriminator, self.config.recipe
        real = tf.cast(pictures, tf.float32) / 127.5 - 1.0
        if self.config.mirror:
            real = mirror_half(real, seeds[1])
        z = tf.random.stateless_normal([tf.shape(pictures)[0], recipe.latent], seeds[0])
        generated = call(self.state.generator, z, None)
        weights = [weight.value for weight in discriminator.trainable_variables]
        total = clipped_sum(self.pair_loss, weights, real, generated, self.private.clip_norm)
        scale = self.private.noise_multiplier * self.private.clip_norm
        noised = [
            (each + scale * tf.random.stateless_normal(each.shape, seed)) / recipe.batch
            for each, seed in zip(total, tf.unstack(tf.random.split(seeds[2], len(total))), strict=True)
        ]
        self.state.discriminator_optimiser.apply(noised, discriminator.trainable_variables)

    def pair_loss(self, real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
        """ℓ of one pair, each picture ``[1, H, W, C]``: L_D + γ/2 (‖∇D(x)‖² + ‖∇D(G(z))‖²)."""
        both = tf.concat([real, generated], axis=0)

        def score(x: tf.Tensor) -> tf.Tensor:
            return call(self.state.discriminator, x, None, training=True)

        real_score, made_score = tf.split(score(both), 2)
        loss = self.objective.discriminator(real_score, made_score)
        penalty = self.config.recipe.penalty
        return loss if penalty == 0 else loss + penalty * gradient_penalty(score, both)

    def update_generator(self, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Learn from the discriminator as it is, by latents of the run's seed; what both then lose."""
        state, recipe = self.state, self.config.recipe
        seed = tf.stack([tf.cast(self.config.seed, tf.int64), number])
        z = tf.random.stateless_normal([recipe.batch, recipe.latent], seed=seed)
        weights = [weight.value for weight in state.generator.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            generated = call(state.generator, z, None, training=True)
            scores = call(state.discriminator, generated, None, training=True)
            loss = self.objective.generator(scores, scores)
        state.generator_optimiser.apply(tape.gradient(loss, weights), state.generator.trainable_variables)
        if state.average is not None:
            state.average.update(number)
        return tf.reduce_mean(tf.nn.softplus(scores)), loss


def clipped_sum(
    loss: PairLoss, weights: Sequence[tf.Variable], real: tf.Tensor, generated: tf.Tensor, norm: float
) -> list[tf.Tensor]:
    """Σᵢ clip(∇ℓ(xᵢ, G(zᵢ)), ``norm``) for each weight, pair after pair.

    A loop, and nothing cleverer: tf.vectorized_map saves a tenth to a fifth of the time on these networks, holds all
    gradients at once, and falls back to a loop inside each convolution.

    :param loss: of one pair, ``[1, H, W, C]`` each; a scalar.
    :param real: ``[n, H, W, C]``, -1..1; n may be 0.
    :param generated: one beside each.
    """

    def add(k: tf.Tensor, sums: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            value = loss(real[k : k + 1], generated[k : k + 1])
        gradients = tape.gradient(value, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        clipped = clip(gradients, norm)
        return k + 1, [total + each for total, each in zip(sums, clipped, strict=True)]

    count = tf.shape(real)[0]
    start = (tf.constant(0), [tf.zeros_like(weight) for weight in weights])
    _, sums = tf.while_loop(lambda k, _: k < count, add, start)
    return list(sums)


def clip(gradients: Sequence[tf.Tensor], norm: float) -> list[tf.Tensor]:
    """Give v min(1, ``norm`` / ‖v‖), ‖v‖ over all of them; 0 where that is not finite."""
    length = tf.linalg.global_norm(gradients)
    factor = tf.minimum(1.0, norm / length)
    return [tf.where(tf.math.is_finite(length), each * factor, tf.zeros_like(each)) for each in gradients]


def _write_key(file: BinaryIO) -> None:
    if os.name == "posix":
        os.fchmod(file.fileno(), 0o600)
    file.write(secrets.token_bytes(KEY_BYTES))

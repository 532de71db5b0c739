"""One step of training: the discriminator learns, then the generator, then the average follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from huanjing.generation.config import GeneratorConfig
from huanjing.generation.objectives import OBJECTIVES, gradient_penalty
from huanjing.generation.state import TrainingState

Step = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def make_step(config: GeneratorConfig, state: TrainingState) -> Step:
    """The step as one graph: (pictures, number, progress) to both losses, without their penalties.

    Pictures are uint8 ``[U, N, H, W, C]``, 0..255: a batch for each update, or one for both; ``number`` is the step's,
    int64; ``progress`` the part of the training that is done, float32, 0..1, which drives the rate.
    """
    recipe = config.recipe
    objective = OBJECTIVES[recipe.objective]
    generator, discriminator = state.generator, state.discriminator
    penalised = max(1, round(recipe.batch * recipe.penalty_share))

    def penalised_loss(loss: tf.Tensor, real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
        """L_D + γ/2 (E ‖∇D(x)‖² + E ‖∇D(G(z))‖²)."""
        if recipe.penalty == 0:
            return loss
        # The mean over real and generated together is half the sum of both means, hence γ and not γ/2.
        some = tf.stop_gradient(tf.concat([real[:penalised], generated[:penalised]], axis=0))
        return loss + recipe.penalty * gradient_penalty(discriminator, some)

    def update_in_turn(real: tf.Tensor, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The discriminator learns, then the generator against what it has become, on fresh pictures and latents."""
        with _tape(discriminator) as tape:
            generated = generator(z[0], training=True)
            scores = discriminator(tf.concat([real[0], generated], axis=0), training=True)
            loss_d = objective.discriminator(*tf.split(scores, 2))
            total = penalised_loss(loss_d, real[0], generated)
        _descend(tape, total, discriminator, state.discriminator_optimiser)

        with _tape(generator) as tape:
            scores = discriminator(generator(z[1], training=True), training=True)
            real_scores = discriminator(real[1], training=True) if objective.paired else scores
            loss_g = objective.generator(real_scores, scores)
        _descend(tape, loss_g, generator, state.generator_optimiser)
        return loss_d, loss_g

    def update_together(real: tf.Tensor, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Both learn from one pass over the same pictures, as in the classic loop: cheaper."""
        with _tape(generator, discriminator) as tape:
            generated = generator(z[0], training=True)
            real_scores = discriminator(real[0], training=True)
            scores = discriminator(generated, training=True)
            loss_d = objective.discriminator(real_scores, scores)
            loss_g = objective.generator(real_scores, scores)
            total = penalised_loss(loss_d, real[0], generated)
        gradients = tape.gradient(loss_g, _weights(generator))
        _descend(tape, total, discriminator, state.discriminator_optimiser)
        state.generator_optimiser.apply(gradients, generator.trainable_variables)
        return loss_d, loss_g

    update = update_in_turn if recipe.updates == 2 else update_together

    def rate(progress: tf.Tensor) -> tf.Tensor:
        """From the first rate to the last by half a cosine."""
        fall = 0.5 * (1.0 + tf.cos(math.pi * progress))
        return recipe.last_rate + (recipe.rate - recipe.last_rate) * fall

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(pictures: tf.Tensor, number: tf.Tensor, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        real = tf.cast(pictures, tf.float32) / 127.5 - 1.0
        z = tf.random.stateless_normal(
            [recipe.updates, recipe.batch, recipe.latent],
            seed=tf.stack([tf.cast(config.seed, tf.int64), number]),
        )
        for optimiser in (state.discriminator_optimiser, state.generator_optimiser):
            optimiser.learning_rate.assign(rate(progress))

        loss_d, loss_g = update(real, z)
        if state.average is not None:
            state.average.update(number)
        return loss_d, loss_g

    return step  # type: ignore[no-any-return]


@contextmanager
def _tape(*networks: keras.Model) -> Iterator[tf.GradientTape]:
    """Record what these networks' weights, and nothing else, take part in; to be asked once for each of them."""
    with tf.GradientTape(persistent=len(networks) > 1, watch_accessed_variables=False) as tape:
        for network in networks:
            tape.watch(_weights(network))
        yield tape


def _descend(
    tape: tf.GradientTape, loss: tf.Tensor, network: keras.Model, optimiser: keras.optimizers.Optimizer
) -> None:
    optimiser.apply(tape.gradient(loss, _weights(network)), network.trainable_variables)


def _weights(network: keras.Model) -> list[tf.Variable]:
    return [weight.value for weight in network.trainable_variables]

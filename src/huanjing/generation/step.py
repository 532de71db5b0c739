"""One step of training: the discriminator learns, then the generator, then the average follows.

Where pictures are augmented, D sees T(x) in place of x everywhere, T being drawn anew for each picture it is shown. The
penalties are of the gradient with respect to x, the picture as it is, as Karras et al. (ADA, NeurIPS 2020) and Huang et
al. (NeurIPS 2024) take them, so that they go through T too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import tensorflow as tf

from huanjing.generation.augment import Augmentation, draw_augmentation, mirror_half
from huanjing.generation.config import GeneratorConfig
from huanjing.generation.networks import call
from huanjing.generation.objectives import OBJECTIVES, gradient_penalty
from huanjing.generation.share import penalised_pictures
from huanjing.generation.state import TrainingState

Step = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

GAME_HALF_LIFE = 50
"""Of the average of the discriminator's loss, in steps."""
PENALTY_SPEED = 0.01
"""How much of its own γ goes down or up in a step, for each unit that the loss is above or below what is wanted."""
LEAST_PENALTY = 0.1
"""γ goes down to this part of the recipe's."""


@dataclass(frozen=True)
class _Batches:
    """What a step is played with; U is the recipe's ``updates``."""

    real: tf.Tensor
    """x: ``[U, N, H, W, C]``, -1..1."""
    classes: tf.Tensor
    """Theirs, and of the generated pictures beside them: ``[U, N, K]``, one-hot."""
    z: tf.Tensor
    """Latents ``[U, N, latent]``."""
    held_out: tuple[tf.Tensor, tf.Tensor] | None
    """Some pictures that were held out, ``[n, H, W, C]``, and their classes, where the configuration is watched."""
    t: Augmentation | None
    """T for all that the discriminator is shown: each update's batches, what is penalised, what was held out."""
    fall: tf.Tensor
    """From 1, as long as the recipe holds its rate, to 0 at the end by half a cosine."""

    def seen(self, pictures: tf.Tensor, start: int = 0) -> tf.Tensor:
        """T(x), by the draws from number ``start`` on; x itself without augmentation."""
        return pictures if self.t is None else self.t.part(start, start + pictures.shape[0])(pictures)


def make_step(config: GeneratorConfig, state: TrainingState) -> Step:
    """The step as one graph: (pictures, labels, number, progress) to both losses, without their penalties.

    Pictures are uint8 ``[U, N, H, W, C]``, 0..255: a batch for each update, or one for both; ``labels`` their classes,
    int32 ``[U, N]``, which the generated pictures beside them get too; both have one row more, of pictures held out,
    where the configuration is ``watched``. ``number`` is the step's, int64; ``progress`` the part of the training that
    is done, float32, 0..1, which drives the rate.

    Batches are whole, whatever the step runs on, which is the state's ``distribution``. Where augmentation adapts there
    are two graphs, since to change nothing, as p = 0 does, takes a tenth of the time that a step takes.
    """
    if config.augment != "adaptive":
        return _compile(config, state, augmented=config.augment > 0)
    plain, augmented = (_compile(config, state, augmented=augmented) for augmented in (False, True))

    def step(*given: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return (augmented if state.strength.probability.numpy() > 0 else plain)(*given)

    return step


def _compile(config: GeneratorConfig, state: TrainingState, *, augmented: bool) -> Step:
    recipe, distribution = config.recipe, state.distribution
    game = _Game(config, state, augmented=augmented)
    update = game.update_in_turn if recipe.updates == 2 else game.update_together

    def rate(fall: tf.Tensor) -> tf.Tensor:
        """From the first rate to the last; lower after the training went back."""
        return state.rate_scale * (recipe.last_rate + (recipe.rate - recipe.last_rate) * fall)

    def step(
        pictures: tf.Tensor, labels: tf.Tensor, number: tf.Tensor, progress: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        falling = tf.maximum(progress - recipe.hold, 0.0) / (1.0 - recipe.hold)
        fall = 0.5 * (1.0 + tf.cos(math.pi * falling))
        for optimiser in (state.discriminator_optimiser, state.generator_optimiser):
            optimiser.learning_rate.assign(rate(fall))
        loss_d, loss_g = distribution.mean(*update(game.batches(pictures, labels, number, fall)))
        if state.average is not None:
            state.average.update(number)
        state.game.assign_add((1.0 - 0.5 ** (1.0 / GAME_HALF_LIFE)) * (loss_d - state.game))
        if recipe.wanted_loss is not None:
            turned = state.penalty_scale * tf.exp(PENALTY_SPEED * (recipe.wanted_loss - state.game))
            state.penalty_scale.assign(tf.clip_by_value(turned, LEAST_PENALTY, 1.0))
        state.strength.adapt(number, recipe.batch)
        return loss_d, loss_g

    return distribution.compile(step)


class _Game:
    """The two updates, for the graph of the step, by this replica's rows of the batch."""

    def __init__(self, config: GeneratorConfig, state: TrainingState, *, augmented: bool) -> None:
        self.config, self.state, self.distribution = config, state, state.distribution
        self.augmented = augmented
        self.recipe = config.recipe
        self.objective = OBJECTIVES[config.recipe.objective]
        self.size = self.recipe.batch // self.distribution.replicas
        self.penalised = penalised_pictures(self.recipe) // self.distribution.replicas
        self.shown = 2 * self.recipe.updates * self.size
        """Pictures that the discriminator is shown for the losses, before those for the penalties."""

    def batches(self, pictures: tf.Tensor, labels: tf.Tensor, number: tf.Tensor, fall: tf.Tensor) -> _Batches:
        """Everything that is drawn for step ``number``, from it and the seed: of the whole batch, our rows."""
        recipe, seed = self.recipe, tf.stack([tf.cast(self.config.seed, tf.int64), number])
        real = tf.cast(pictures, tf.float32) / 127.5 - 1.0
        classes = tf.one_hot(labels, len(self.config.classes))
        z = tf.random.stateless_normal([recipe.updates, recipe.batch, recipe.latent], seed=seed)
        seeds = tf.random.split(seed, pictures.shape[0] + 1)
        if self.config.mirror:
            real = tf.stack([mirror_half(real[k], seeds[k]) for k in range(pictures.shape[0])])
        rows = self.distribution.rows
        real, classes, z = rows(real, 1), rows(classes, 1), rows(z, 1)
        held_out = None
        if self.config.watched:
            held_out = real[-1][: 2 * self.penalised], classes[-1][: 2 * self.penalised]
            real, classes = real[:-1], classes[:-1]
        if not self.augmented:
            return _Batches(real, classes, z, held_out, None, fall)
        shown = self.shown + (4 if self.config.watched else 2) * self.penalised
        shape = (shown * self.distribution.replicas, *real.shape[2:])
        p = tf.identity(self.state.strength.probability.value)
        return _Batches(real, classes, z, held_out, draw_augmentation(shape, p, seeds[-1], rows=rows), fall)

    def update_in_turn(self, b: _Batches) -> tuple[tf.Tensor, tf.Tensor]:
        """The discriminator learns, then the generator against what it has become, on fresh pictures and latents."""
        state = self.state
        loss_d, gradients = self.discriminator_gradients(b)
        state.discriminator_optimiser.apply(gradients, state.discriminator.trainable_variables)
        loss_g, gradients = self.generator_gradients(b)
        state.generator_optimiser.apply(gradients, state.generator.trainable_variables)
        return loss_d, loss_g

    def discriminator_gradients(self, b: _Batches) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """L_D without its penalties, and the gradient with them."""
        generator, discriminator = self.state.generator, self.state.discriminator
        with _tape(discriminator) as tape:
            generated = call(generator, b.z[0], b.classes[0], training=True)
            both, theirs = tf.concat([b.real[0], generated], axis=0), tf.concat([b.classes[0]] * 2, axis=0)
            real_scores, scores = tf.split(call(discriminator, b.seen(both), theirs, training=True), 2)
            loss = self.objective.discriminator(real_scores, scores)
            total = self.distribution.part(self._penalised(loss, b, generated))
        self._remember(b, real_scores, scores)
        return loss, tape.gradient(total, _weights(discriminator))

    def generator_gradients(self, b: _Batches) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """L_G and its gradient, on the pictures and latents of the second update."""
        generator, discriminator, size = self.state.generator, self.state.discriminator, self.size
        with _tape(generator) as tape:
            generated = call(generator, b.z[1], b.classes[1], training=True)
            scores = real_scores = call(
                discriminator, b.seen(generated, 2 * size), b.classes[1], training=True
            )
            if self.objective.paired:
                real_scores = call(discriminator, b.seen(b.real[1], 3 * size), b.classes[1], training=True)
            loss = self.objective.generator(real_scores, scores)
            total = self.distribution.part(loss)
        return loss, tape.gradient(total, _weights(generator))

    def update_together(self, b: _Batches) -> tuple[tf.Tensor, tf.Tensor]:
        """Both learn from one pass over the same pictures, as in the classic loop: cheaper."""
        state = self.state
        losses, gradients_d, gradients_g = self.gradients_together(b)
        state.discriminator_optimiser.apply(gradients_d, state.discriminator.trainable_variables)
        state.generator_optimiser.apply(gradients_g, state.generator.trainable_variables)
        return losses

    def gradients_together(
        self, b: _Batches
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
        """Both losses without penalties, and the gradients of both networks.

        Backwards through the discriminator, too, once is enough. It must look at each picture alone, so without batch
        normalisation: then what a generated picture adds to L_G is that part of L_D turned round, picture by picture.
        """
        generator, discriminator, objective = self.state.generator, self.state.discriminator, self.objective
        with _tape(generator) as making:
            generated = call(generator, b.z[0], b.classes[0], training=True)
        with _tape(discriminator) as judging:
            judging.watch(generated)
            real_scores = call(discriminator, b.seen(b.real[0]), b.classes[0], training=True)
            scores = call(discriminator, b.seen(generated, self.size), b.classes[0], training=True)
            loss_d = objective.discriminator(real_scores, scores)
            loss_g = objective.generator(real_scores, scores)
            total_d = self.distribution.part(self._penalised(loss_d, b, generated))
        self._remember(b, real_scores, scores)
        *gradients_d, by_picture = judging.gradient(total_d, [*_weights(discriminator), generated])
        by_picture *= tf.reshape(objective.turned(real_scores, scores), [-1, 1, 1, 1])
        gradients_g = making.gradient(generated, _weights(generator), output_gradients=by_picture)
        return (loss_d, loss_g), gradients_d, gradients_g

    def _remember(self, b: _Batches, real_scores: tf.Tensor, scores: tf.Tensor) -> None:
        """Let the strength of augmentation know the discriminator's scores, and those of pictures held out."""
        told = self.distribution.gather(real_scores, scores)
        if b.held_out is not None:
            pictures, classes = b.held_out
            seen = b.seen(pictures, self.shown + 2 * self.penalised)
            told += self.distribution.gather(call(self.state.discriminator, seen, classes, training=True))
        self.state.strength.remember(*told)

    def _penalised(self, loss: tf.Tensor, b: _Batches, generated: tf.Tensor) -> tf.Tensor:
        """L_D + γ/2 (E ‖∇D(x)‖² + E ‖∇D(G(z))‖²)."""
        if self.recipe.penalty == 0:
            return loss
        # The mean over real and generated together is half the sum of both means, hence γ and not γ/2.
        count = self.penalised
        some = tf.stop_gradient(tf.concat([b.real[0][:count], generated[:count]], axis=0))
        classes = tf.concat([b.classes[0][:count]] * 2, axis=0)

        def score(x: tf.Tensor) -> tf.Tensor:
            return call(self.state.discriminator, b.seen(x, self.shown), classes)

        gamma, last = self.recipe.penalty, self.recipe.last_penalty
        gamma = gamma if last is None else last + (gamma - last) * b.fall
        return loss + self.state.penalty_scale * gamma * gradient_penalty(score, some)


@contextmanager
def _tape(network: keras.Model) -> Iterator[tf.GradientTape]:
    """Record what this network's weights, and nothing else, take part in."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(_weights(network))
        yield tape


def _weights(network: keras.Model) -> list[tf.Variable]:
    return [weight.value for weight in network.trainable_variables]

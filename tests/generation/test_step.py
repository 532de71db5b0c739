"""What a step does: the gradients of one pass are those of each network's own loss, and the rate follows its recipe."""

from __future__ import annotations

from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

pytestmark = pytest.mark.training


@pytest.mark.parametrize("augment", [0.0, 0.7])
@pytest.mark.parametrize("name", ["modulated", "slim", "dcgan"])
def test_one_pass_gives_both_networks_the_gradients_of_their_own_losses(
    tiny: Callable[..., GeneratorConfig], squares: NDArray[np.uint8], name: str, augment: float
) -> None:
    import tensorflow as tf

    from huanjing.generation.networks import call
    from huanjing.generation.objectives import OBJECTIVES, gradient_penalty
    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import _Game

    config = tiny(name, recipe={"updates": 1, "penalty": 3.0, "penalty_share": 0.5}, augment=augment)
    state = TrainingState(config)
    game = _Game(config, state, augmented=config.augment != 0)
    generator, discriminator = state.generator, state.discriminator
    if name == "dcgan":  # its dropout draws anew at every call
        for layer in discriminator.layers:
            if layer.__class__.__name__ == "Dropout":
                layer.rate = 0.0
    b = game.batches(
        tf.constant(squares[None, :8]), tf.zeros([1, 8], tf.int32), tf.constant(3, tf.int64), tf.constant(1.0)
    )

    losses, gradients_d, gradients_g = game.gradients_together(b)

    objective = OBJECTIVES[config.recipe.objective]
    with tf.GradientTape(persistent=True) as tape:
        generated = call(generator, b.z[0], b.classes[0], training=True)
        real_scores = call(discriminator, b.seen(b.real[0]), b.classes[0], training=True)
        scores = call(discriminator, b.seen(generated, 8), b.classes[0], training=True)
        loss_d = objective.discriminator(real_scores, scores)
        loss_g = objective.generator(real_scores, scores)
        penalised = tf.stop_gradient(tf.concat([b.real[0][:4], generated[:4]], axis=0))
        total_d = loss_d + 3.0 * gradient_penalty(
            lambda x: call(discriminator, b.seen(x, 16), b.classes[0]), penalised
        )
    np.testing.assert_allclose(losses, (loss_d, loss_g), rtol=1e-5)
    for network, loss, found in (
        (discriminator, total_d, gradients_d),
        (generator, loss_g, gradients_g),
    ):
        right = tape.gradient(loss, [weight.value for weight in network.trainable_variables])
        assert max(float(tf.reduce_max(tf.abs(each))) for each in right) > 1e-3, "something to learn"
        for one, other in zip(found, right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_augmentation_that_changes_nothing_is_left_out_and_changes_nothing(
    tiny: Callable[..., GeneratorConfig], squares: NDArray[np.uint8]
) -> None:
    import tensorflow as tf

    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import _Game

    config = tiny("modulated", augment="adaptive")
    state = TrainingState(config)
    given = (
        tf.constant(squares[None, :8]), tf.zeros([1, 8], tf.int32), tf.constant(3, tf.int64), tf.constant(1.0)
    )  # fmt: skip
    games = [_Game(config, state, augmented=augmented) for augmented in (False, True)]
    assert games[0].batches(*given).t is None
    assert games[1].batches(*given).t is not None
    found = [game.gradients_together(game.batches(*given)) for game in games]
    for one, other in zip(*map(tf.nest.flatten, found), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


def test_the_rate_is_held_then_falls_by_half_a_cosine(
    tiny: Callable[..., GeneratorConfig], squares: NDArray[np.uint8]
) -> None:
    import tensorflow as tf

    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import make_step

    config = tiny("modulated", recipe={"rate": 0.01, "last_rate": 0.002, "hold": 0.5})
    state = TrainingState(config)
    step = make_step(config, state)
    pictures, labels = tf.constant(squares[None, :8]), tf.zeros([1, 8], tf.int32)
    rates = []
    for number, progress in enumerate([0.0, 0.5, 0.75, 1.0]):
        step(pictures, labels, tf.constant(number, tf.int64), tf.constant(progress))
        rates.append(float(state.generator_optimiser.learning_rate))
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.006, 0.002], rtol=1e-5)


@pytest.mark.parametrize("wanted", [None, 0.0, 2.0])
def test_the_penalty_goes_down_where_the_loss_is_above_what_is_wanted(
    tiny: Callable[..., GeneratorConfig], squares: NDArray[np.uint8], wanted: float | None
) -> None:
    import tensorflow as tf

    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import PENALTY_SPEED, make_step

    config = tiny("modulated", recipe={"wanted_loss": wanted})
    state = TrainingState(config)
    make_step(config, state)(
        tf.constant(squares[None, :8]), tf.zeros([1, 8], tf.int32), tf.constant(0, tf.int64), tf.constant(0.0)
    )
    loss = float(state.game)
    assert 0 < loss < 2
    expected = np.exp(PENALTY_SPEED * (wanted - loss)) if wanted == 0.0 else 1.0
    np.testing.assert_allclose(float(state.penalty_scale), expected, rtol=1e-6)


def test_the_scale_of_the_penalty_is_a_factor_of_the_recipes(
    tiny: Callable[..., GeneratorConfig], squares: NDArray[np.uint8]
) -> None:
    import tensorflow as tf

    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import _Game

    def gradient(penalty: float, scale: float) -> NDArray[np.float32]:
        config = tiny("modulated", recipe={"penalty": penalty})
        state = TrainingState(config)
        state.penalty_scale.assign(scale)
        game = _Game(config, state, augmented=config.augment != 0)
        some, labels = tf.constant(squares[None, :8]), tf.zeros([1, 8], tf.int32)
        _, of_discriminator, _ = game.gradients_together(
            game.batches(some, labels, tf.constant(0, tf.int64), tf.constant(1.0))
        )
        return of_discriminator[0].numpy()

    np.testing.assert_allclose(gradient(8.0, 0.25), gradient(2.0, 1.0), rtol=1e-5)
    assert not np.allclose(gradient(8.0, 0.25), gradient(8.0, 1.0), rtol=1e-3)


@pytest.mark.parametrize("name", ["residual", "modulated", "dcgan"])
def test_every_weight_is_read_before_it_is_updated_or_after_and_never_as_it_happens(
    tiny: Callable[..., GeneratorConfig], squares: NDArray[np.uint8], name: str
) -> None:
    """TensorFlow's optimised graph still says which of a weight's readings come before which of its updates."""
    nodes = optimised(tiny(name, augment=0.6), squares)
    before = ancestors(nodes)
    users: dict[str, list[str]] = {}
    for node in nodes.values():
        if node.op == "ReadVariableOp" or node.op.startswith("Assign"):
            users.setdefault(node.input[0], []).append(node.name)
    updates = [(update, users[nodes[update].input[0]]) for update in nodes if nodes[update].op in UPDATES]
    assert len(updates) > 20
    unordered = [
        (update, other)
        for update, others in updates
        for other in others
        if other != update and other not in before[update] and update not in before[other]
    ]
    assert unordered == []


UPDATES = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")


def optimised(config: GeneratorConfig, pictures: NDArray[np.uint8]) -> dict[str, Any]:
    """The nodes by name of the graph that TensorFlow makes of the step, and runs."""
    import tensorflow as tf
    from tensorflow.python.eager import context  # no public way shows this graph

    from huanjing.generation.feed import Feed
    from huanjing.generation.state import TrainingState
    from huanjing.generation.step import make_step

    step = make_step(config, TrainingState(config))
    with Feed(config, pictures, None, 0) as feed:
        context.context().enable_graph_collection()
        try:
            step(*feed.next(), tf.constant(0, tf.int64), tf.constant(0.0))
            graphs = context.context().export_run_metadata().function_graphs
        finally:
            context.context().disable_graph_collection()
    largest = max((each.post_optimization_graph for each in graphs), key=lambda graph: len(graph.node))
    return {node.name: node for node in largest.node}


def ancestors(nodes: dict[str, Any]) -> dict[str, set[str]]:
    """By name: all nodes that must have run before."""
    inputs = {name: {each.lstrip("^").split(":")[0] for each in node.input} for name, node in nodes.items()}
    found: dict[str, set[str]] = {}
    for name in TopologicalSorter(inputs).static_order():
        direct = inputs.get(name, set())
        found[name] = direct.union(*(found[each] for each in direct))
    return found

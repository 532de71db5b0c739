"""How a batch is shared out among replicas: in equal parts, the penalised pictures too."""

from __future__ import annotations

from huanjing.errors import UsageError
from huanjing.generation.recipes import Recipe

LEAST_PENALISED = 2
"""Of a batch, so that two replicas can share them."""


def penalised_pictures(recipe: Recipe, batch: int | None = None) -> int:
    """How many real pictures of a batch, and as many generated ones, the gradient penalties are taken on."""
    batch = recipe.batch if batch is None else batch
    return min(batch, max(LEAST_PENALISED, round(batch * recipe.penalty_share)))


def refuse_private(replicas: int) -> None:
    """Private training knows one replica.

    :raises UsageError: for several.
    """
    if replicas > 1:
        raise UsageError(
            f"--private goes with one process and at most one GPU, and there are {replicas} workers or GPUs: samples "
            "and noise are drawn once for all. Leave --workers out."
        )


def check_shares(recipe: Recipe, replicas: int) -> None:
    """See that every replica gets as many pictures as the others.

    :raises UsageError: where that cannot be, naming the nearest batches that can.
    """
    if _shared(recipe, replicas, recipe.batch):
        return
    largest = max(2 * recipe.batch, round(replicas / recipe.penalty_share) + replicas)
    possible = [batch for batch in range(replicas, largest + 1, replicas) if _shared(recipe, replicas, batch)]
    nearest = sorted(sorted(possible, key=lambda batch: abs(batch - recipe.batch))[:2])
    raise UsageError(
        f"A batch of {recipe.batch} pictures"
        + (f", {penalised_pictures(recipe)} of them penalised," if recipe.penalty else "")
        + f" cannot be shared out equally among {replicas} workers or GPUs. Start a new run with --batch "
        f"{' or '.join(map(str, nearest))}, or take another number of workers."
    )


def _shared(recipe: Recipe, replicas: int, batch: int) -> bool:
    return batch % replicas == 0 and penalised_pictures(recipe, batch) % replicas == 0

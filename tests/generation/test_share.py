from __future__ import annotations

import re
from dataclasses import replace

import pytest

from huanjing.errors import UsageError
from huanjing.generation.recipes import RECIPES
from huanjing.generation.share import check_shares, penalised_pictures, refuse_private


@pytest.mark.parametrize("name", RECIPES)
def test_two_share_the_batch_of_every_recipe_or_one_of_8_and_more_share_one_of_64(name: str) -> None:
    for replicas in (1, 2):
        check_shares(RECIPES[name], replicas)
        check_shares(replace(RECIPES[name], batch=8), replicas)
    for replicas in (4, 8):
        check_shares(replace(RECIPES[name], batch=64), replicas)


@pytest.mark.parametrize(("batch", "replicas"), [(64, 3), (64, 16), (63, 2), (8, 4), (1, 8)])
def test_others_are_refused_and_the_batches_that_are_named_can_be_shared(batch: int, replicas: int) -> None:
    recipe = replace(RECIPES["residual"], batch=batch)
    with pytest.raises(UsageError, match=f"A batch of {batch} pictures.*among {replicas} workers") as caught:
        check_shares(recipe, replicas)
    named = re.search(r"--batch ([0-9]+)(?: or ([0-9]+))?,", str(caught.value))
    assert named is not None
    for size in filter(None, named.groups()):
        possible = replace(recipe, batch=int(size))
        check_shares(possible, replicas)
        assert int(size) % replicas == penalised_pictures(possible) % replicas == 0


def test_private_training_knows_one_replica() -> None:
    refuse_private(1)
    with pytest.raises(UsageError, match=r"at most one GPU, and there are 2 workers or GPUs"):
        refuse_private(2)


def test_penalties_are_taken_on_two_pictures_at_least_where_there_are_two() -> None:
    counts = [penalised_pictures(replace(RECIPES["modulated"], batch=batch)) for batch in (1, 2, 8, 16, 64)]
    assert counts == [1, 2, 2, 2, 8]

"""The sheets that a run draws of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from huanjing.runtime.declared import read_declared

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig

pytestmark = pytest.mark.training


def test_a_sheet_says_that_it_was_generated_by_which_run_and_when(
    tiny: Callable[..., GeneratorConfig], tmp_path: Path
) -> None:
    from huanjing.generation.networks import build_generator
    from huanjing.generation.samples import SampleSheets

    config = tiny()
    network = build_generator(config.recipe, config.shape, config.precision, 3)
    path, pictures = SampleSheets(config, network, tmp_path / "cats" / "samples").draw(500)
    assert len(pictures) == 64
    found = read_declared(path)
    assert found.generated == "yes"
    assert found.record is not None
    assert (found.record["model"], found.record["step"], found.record["run_seed"]) == ("cats", 500, 7)
    assert found.label is not None

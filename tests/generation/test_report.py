"""The page of a run that is done, and how it lies on a phone and on a desktop."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.generation.report import interpolation_sheet, write_run_report
from huanjing.images import encode_png, picture_grid, write_atomically
from huanjing.runtime import Generator
from huanjing.training import Run
from tests.browser import lay_out, needs_browser


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of three moments: the embedded generator, its log and its sheets."""
    place = tmp_path_factory.mktemp("report") / "boots & bags"
    place.mkdir()
    generator = Generator()
    shutil.copytree(generator.bundle.folder, place / "model")
    opened = Run(place)
    opened.samples.mkdir()
    for step, seconds in ((0, 0.0), (50, 4.5), (6000, 700.0)):
        losses = {"discriminator_loss": 0.7 - step / 1e5, "generator_loss": 0.6 + step / 1e5}
        opened.log({"step": step, "seconds": seconds, "frechet": 300 - step / 50} | (losses if step else {}))
        if step == 50:
            forecast = {"score_at_end": {"low": 150.0, "middle": 175.0, "high": 200.0}}
            opened.log({"step": 60, "seconds": 5.0, "frechet": 298.0, "forecast": forecast})
        sheet = picture_grid(generator.generate(range(64)), 8)
        write_atomically(opened.samples / f"step-{step:06d}.png", encode_png(sheet))
    boots = prepare_pictures(clothing_folder() / "train" / "ankle-boot", (28, 28), 1)
    evaluation = write_run_report(place, boots.array[:60], names=boots.names)
    assert evaluation.pictures == 30
    assert evaluation.real == "train"
    return place


def test_the_page_has_curves_and_pictures_and_needs_nothing_from_elsewhere(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count('<svg class="chart"') == 2
    assert "minutes of training" in page
    assert "forecast of the end" in page
    assert "当时对结束得分的预测" in page
    assert page.count("data:image/") > 30
    assert "step 6,000, 700 s" in page
    assert not re.search(r'(?:src|href)="(?!data:image/)', page)
    assert len(page) < 2_000_000


@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_holds_at_any_width(run: Path, width: int, language: str) -> None:
    layout = lay_out(run / "report.html", width, language)
    assert layout.language == language
    assert layout.overflow <= 0
    assert layout.wide == []
    assert layout.broken == 0
    assert layout.images > 30
    assert layout.requests == []
    assert ("Does it copy?" in layout.text) == (language == "en")
    assert ("它在照抄吗？" in layout.text) == (language == "zh")


def test_interpolation_begins_and_ends_at_pictures_of_seeds() -> None:
    generator = Generator()
    sheet = interpolation_sheet(generator, 3)
    ends = generator.generate([3, 4])
    assert np.abs(sheet[:28, :28].astype(int) - ends[0]).max() <= 1
    assert np.abs(sheet[:28, -28:].astype(int) - ends[1]).max() <= 1

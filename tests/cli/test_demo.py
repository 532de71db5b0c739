"""``huanjing demo``, whole: it sees, it learns, and the page that shows both holds on a phone and on a desktop."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import lay_out, needs_browser

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    output = tmp_path_factory.mktemp("demo") / "first look"
    done = subprocess.run(
        [sys.executable, "-m", "huanjing", "demo", "--steps", "300", "--output", str(output)],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return output, done


def test_the_report_is_named_on_standard_output(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    output, done = demo
    assert done.stdout.splitlines()[-1] == str(output / "report.html")
    assert (output / "report.html").is_file()


def test_training_came_closer_to_real_pictures(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = demo
    found = re.search(r"(\d+) before training, (\d+) after .*; (\d+) between real", done.stderr)
    assert found, done.stderr
    before, after, real = map(int, found.groups())
    assert real < after < before


def test_minutes_or_steps_but_not_both(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "huanjing", "demo", "--minutes", "1", "--steps", "9", "-o", str(tmp_path / "d")],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--minutes and --steps" in done.stderr
    assert not (tmp_path / "d").exists()


def test_the_model_can_be_used(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    from huanjing import Generator

    output, _ = demo
    assert Generator(output / "runs" / "clothing-1").generate([1, 2]).shape == (2, 28, 28, 1)


def test_the_page_needs_nothing_from_elsewhere(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    page = (demo[0] / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert len(sources) > 20
    assert all(source.startswith("data:image/") for source in sources)
    assert len(page) < 4_000_000


@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_holds_at_any_width(
    demo: tuple[Path, subprocess.CompletedProcess[str]], width: int, language: str
) -> None:
    layout = lay_out(demo[0] / "report.html", width, language)
    assert layout.language == language
    assert layout.width == width
    assert layout.overflow <= 0
    assert layout.wide == []
    assert layout.broken == 0
    assert layout.images > 20
    assert layout.requests == []
    assert ("espresso" in layout.text) == (language == "en")
    assert ("意式浓缩咖啡" in layout.text) == (language == "zh")

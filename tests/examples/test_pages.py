"""What the pages about generators say of the code is what the code is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import tables
from huanjing.generation.recipes import recipe_for
from huanjing.generation.shape import Shape

ROOT = Path(__file__).parents[2]
DOCS, SOURCE = ROOT / "docs", ROOT / "src" / "huanjing"
LANGUAGES = ("en", "zh")
ABOUT_CODE = ("classic-gan", "modern-gan", "choose-a-recipe", "read-the-report")
PLACES = (SOURCE, SOURCE / "generation", ROOT)
"""What file names on the pages begin from."""


def read(language: str, page: str) -> str:
    """A page's text."""
    return (DOCS / language / f"{page}.md").read_text(encoding="utf-8")


def source(name: str) -> str:
    """The text of a source file as a page names it."""
    return next(place / name for place in PLACES if (place / name).is_file()).read_text(encoding="utf-8")


def test_both_languages_have_the_same_pages_and_their_index_lists_all() -> None:
    english, chinese = ({path.name for path in (DOCS / language).glob("*.md")} for language in LANGUAGES)
    assert english == chinese
    for language in LANGUAGES:
        listed = set(re.findall(r"\(([a-z-]+\.md)\)", read(language, "README")))
        assert english - {"README.md"} <= listed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ABOUT_CODE)
def test_files_and_names_are_where_a_page_says(language: str, page: str) -> None:
    text = read(language, page)
    assert all(source(name) for name in re.findall(r"`([\w/]+\.py)`", text))
    beside = r"(?:, | 的 |，)"
    pairs = re.findall(rf"`([\w/]+\.py)`{beside}`(\w+)`", text)
    pairs += [(file, name) for name, file in re.findall(rf"`(\w+)`{beside}`([\w/]+\.py)`", text)]
    for file, name in pairs:
        assert re.search(rf"^\s*(def {name}\(|class {name}\b|{name}(:| =))", source(file), re.MULTILINE), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ABOUT_CODE)
def test_quoted_lines_of_code_are_in_the_source(language: str, page: str) -> None:
    lines = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    for block in re.findall(r"```python\n(.*?)```", read(language, page), re.DOTALL):
        assert all(line.strip() in lines for line in block.splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", tables.PAGES)
def test_tables_of_curves_have_the_figures_of_the_curves(name: str, language: str) -> None:
    page = read(language, name)
    assert tables.filled(page) == page
    curves = [row["curve"] for row in tables.ROW.finditer(page)]
    assert curves == [row["curve"] for row in tables.ROW.finditer(read(LANGUAGES[0], name))]
    assert curves
    assert all(tables.scores(one) for curve in curves for one in tables.of_each_seed(curve))


def test_a_figure_that_is_not_the_curves_is_filled_in() -> None:
    page = read("en", "what-each-change-buys")
    wrong = page.replace("| 95.5 |", "| 59.5 |", 1)
    assert wrong != page
    assert tables.filled(wrong) == page


def test_a_row_of_several_seeds_has_their_median_and_range() -> None:
    table = (
        "<!-- curves -->\n| recipe | 4 | 99 core-minutes |\n|---|---:|---:|\n"
        "| <!-- faces-dcgan-8@1,2 --> both |\n<!-- /curves -->"
    )
    one, two = (tables.nearest(tables.scores(f"faces-dcgan-8@{seed}"), 4) for seed in (1, 2))
    assert one is not None
    assert two is not None
    cell = f"{(one + two) / 2:.1f} ({min(one, two):.1f}–{max(one, two):.1f})"
    assert f"both | {cell} |  |\n" in tables.filled(table)


def test_a_row_of_two_curves_has_the_ratio_of_each_seed() -> None:
    ours, theirs = "faces-modulated-zen3-b8-8", "faces-modulated-zen3-8"
    table = (
        "<!-- curves -->\n| without | 8 | 99 core-minutes |\n|---|---:|---:|\n"
        f"| <!-- {ours}/{theirs}@1,2 --> it |\n<!-- /curves -->"
    )
    at_eight = [
        [tables.nearest(tables.scores(f"{curve}@{seed}"), 8) or 0.0 for curve in (ours, theirs)]
        for seed in (1, 2)
    ]
    one, two = (above / below for above, below in at_eight)
    cell = f"{(one + two) / 2:.2f} ({min(one, two):.2f}–{max(one, two):.2f})"
    assert f"it | {cell} |  |\n" in tables.filled(table)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_recipes_are_shown_as_the_command_prints_them(language: str) -> None:
    from huanjing.cli.train import train

    printed = CliRunner().invoke(train, ["generator", "--list-recipes", "--lang", language]).output
    shown = {line.rstrip() for line in read(language, "choose-a-recipe").splitlines()}
    assert {line.rstrip() for line in printed.splitlines()} <= shown


@pytest.mark.training
def test_the_classic_networks_have_the_layers_of_the_table() -> None:
    from huanjing.generation.networks import build_networks

    shape = Shape(28, 28, 1)
    networks = build_networks(recipe_for("dcgan", shape), shape, "float32", seed=0)
    for language in LANGUAGES:
        page = read(language, "classic-gan")
        for network in (networks.generator, networks.discriminator):
            assert f"| **{network.count_params():,}** |" in page
            for layer in network.layers:
                if layer.count_params():
                    made = layer.output.shape[1:]
                    made_text = f"{made[0]:,}" if len(made) == 1 else "×".join(map(str, made))
                    assert f"| {made_text} | {layer.count_params():,} |" in page

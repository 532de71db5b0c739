"""Fill the tables of curves on the pages with what the curves' files say: ``python -m benchmarks.tables``.

A table lies between ``<!-- curves -->`` and ``<!-- /curves -->``; each row begins with a curve's name, as in
``<!-- faces-dcgan-100 -->``, or ``<!-- faces-dcgan-8@1 -->`` for that of seed 1, and each column's heading with its
core-minutes. ``<!-- faces-dcgan-8@0,1,2 -->`` shows the median of those seeds, the least and the most.
``<!-- faces-dcgan-8/faces-slim-8 -->`` shows how many times the second's score the first's is, seed by seed.
``<!-- curves 10000 own_frechet -->`` takes the scores on that many pictures alone, and that score.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import RESULTS

CURVES = RESULTS / "curves"
DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("what-each-change-buys", "little-data")
EMBEDDED, OWN_SCORE = "frechet", "own_frechet"
"""Points of a curve have the distance by the embedded recogniser's features, and may have that by another's."""
DECIMALS = {EMBEDDED: 1, OWN_SCORE: 2}
TOLERANCE = 0.125
"""How far from its core-minutes a point may lie, as a part of them."""
TABLE = re.compile(r"(?<=<!-- curves)(?P<asked>[^>]*) -->\n(?P<rows>.*?)(?=<!-- /curves -->)", re.DOTALL)
ROW = re.compile(r"^\| <!-- (?P<curve>\S+) --> (?P<label>[^|]*) \|.*$", re.MULTILINE)


def main() -> None:
    """The command."""
    for page in (page for name in PAGES for page in DOCS.glob(f"*/{name}.md")):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str) -> str:
    """The page with the numbers of its curves."""
    return TABLE.sub(_table, page)


def scores(curve: str, score: str = EMBEDDED, pictures: int | None = None) -> dict[float, float]:
    """What a curve has by core-minutes, on so many pictures where it says so; nothing where there is no curve.

    :param curve: its name, with ``@1`` where it is that of seed 1.
    """
    name, _, seed = curve.partition("@")
    file = CURVES / f"{name}-{seed or 0}.json"
    if not file.is_file():
        return {}
    points: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["points"]
    return {
        point["core_minutes"]: point[score]
        for point in points
        if score in point and pictures in (None, point["pictures"])
    }


def of_each_seed(curve: str) -> list[str]:
    """The names of the curves that a row is of, seed by seed: ``a@0`` and ``a@1`` for ``a@0,1``."""
    names, _, seeds = curve.partition("@")
    return [f"{name}@{seed}" for seed in (seeds or "0").split(",") for name in names.split("/")]


def nearest(by_minutes: dict[float, float], minutes: float) -> float | None:
    """The score nearest to so many core-minutes; None where none is near enough."""
    at = min(by_minutes, key=lambda each: abs(each - minutes), default=None)
    return None if at is None or abs(at - minutes) > TOLERANCE * minutes else by_minutes[at]


def _table(found: re.Match[str]) -> str:
    numbers = [int(word) for word in found["asked"].split() if word.isdigit()]
    score = OWN_SCORE if OWN_SCORE in found["asked"] else EMBEDDED
    columns = [int(minutes) for minutes in re.findall(r"\| (\d+)", found["rows"].split("\n", 1)[0])]

    def row(line: re.Match[str]) -> str:
        known = [scores(curve, score, next(iter(numbers), None)) for curve in of_each_seed(line["curve"])]
        ratio = "/" in line["curve"]
        form = f"{{:.{2 if ratio else DECIMALS[score]}f}}"
        found = ([nearest(each, at) for each in known] for at in columns)
        cells = (
            _cell(_ratios(at) if ratio else [each for each in at if each is not None], form) for at in found
        )
        return f"| <!-- {line['curve']} --> {line['label']} | {' | '.join(cells)} |"

    return f"{found['asked']} -->\n{ROW.sub(row, found['rows'])}"


def _ratios(found: list[float | None]) -> list[float]:
    """Each first of two as a multiple of the second, where both are known."""
    pairs = zip(found[::2], found[1::2], strict=True)
    return [above / below for above, below in pairs if above is not None and below is not None]


def _cell(found: list[float], form: str) -> str:
    if len(found) < 2:
        return "".join(map(form.format, found))
    middle, least, most = (form.format(each) for each in (median(found), min(found), max(found)))
    return f"{middle} ({least}–{most})"


if __name__ == "__main__":
    main()

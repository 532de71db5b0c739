"""Charts: round numbers on the axes, every point in its place, nothing that breaks the page."""

import math
import re
from xml.etree import ElementTree as ET

import pytest

from huanjing.reports import Series, line_chart
from huanjing.reports.chart import round_ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 487, [0, 100, 200, 300, 400, 500]),
        (-0.3, 0.9, [-0.5, 0, 0.5, 1]),
        (5, 5, None),
    ],
)
def test_ticks_are_round_and_enclose(low: float, high: float, expected: list[float] | None) -> None:
    ticks = round_ticks(low, high, 5)
    assert ticks[0] <= low
    assert ticks[-1] >= high - 1e-9
    assert len(ticks) >= 2
    if expected is not None:
        assert ticks == pytest.approx(expected)


def svg_of(chart: str) -> ET.Element:
    match = re.search("<svg.*</svg>", chart)
    assert match
    return ET.fromstring(match[0])


def test_a_higher_value_is_higher_on_the_page() -> None:
    chart = svg_of(line_chart([Series("a", "甲", [(0, 1), (10, 3)])], x_en="x", x_zh="横"))
    line = chart.find("polyline")
    assert line is not None
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert x0 < x1
    assert y0 > y1


def test_what_is_not_finite_is_left_out() -> None:
    points = [(0, math.nan), (1, 2.0), (2, math.inf), (3, 4.0)]
    line = svg_of(line_chart([Series("a", "甲", points)], x_en="x", x_zh="横")).find("polyline")
    assert line is not None
    assert len(line.attrib["points"].split()) == 2


def test_no_points_still_make_a_chart() -> None:
    assert svg_of(line_chart([Series("a", "甲", [])], x_en="x", x_zh="横")) is not None


def test_names_are_escaped() -> None:
    chart = line_chart([Series("<b>", "<i>", [(0, 1)])], x_en="<u>", x_zh="&")
    assert not re.search("<[biu]>", chart)
    svg_of(chart)

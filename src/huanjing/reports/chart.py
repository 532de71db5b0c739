"""Line charts as inline SVG: they need no script, scale with the page, and follow its colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from markupsafe import Markup

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 36


@dataclass(frozen=True)
class Series:
    """One line: its name in both languages and its points ``(x, y)``, left to right."""

    en: str
    zh: str
    points: Sequence[tuple[float, float]]


def line_chart(series: Sequence[Series], *, x_en: str, x_zh: str, dots: bool = False) -> Markup:
    """An SVG of one or more lines over a common x axis, with round numbers on both axes and a legend.

    Points that are not finite are left out; a series without any stands in the legend alone.
    """
    finite = [[(x, y) for x, y in one.points if math.isfinite(x) and math.isfinite(y)] for one in series]
    xs = [x for points in finite for x, _ in points] or [0.0, 1.0]
    ys = [y for points in finite for _, y in points] or [0.0, 1.0]
    x_ticks, y_ticks = round_ticks(min(xs), max(xs), 6), round_ticks(min(0.0, *ys), max(ys), 5)
    x_low, x_high = min(xs), max(*xs, min(xs) + 1e-9)
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low)
        up = (y - y_low) / (y_high - y_low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for tick in y_ticks:
        _, y = place(x_low, tick)
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 8}" y="{y + 4:.1f}">{tick:g}</text>')
    for tick in x_ticks:
        if x_low <= tick <= x_high:
            x, _ = place(tick, y_low)
            parts.append(f'<text class="tick middle" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}">{tick:g}</text>')
    parts.append(_text("tick end", WIDTH - RIGHT, HEIGHT - 4, x_en, x_zh))
    for number, points in enumerate(finite):
        placed = [place(x, y) for x, y in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline class="line line{number}" points="{line}"/>')
        if dots:
            parts += [
                f'<circle class="dot dot{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in placed
            ]
    parts.append("</svg>")
    legend = "".join(
        f'<span class="key key{number}"><span lang="en">{escape(one.en)}</span>'
        f'<span lang="zh">{escape(one.zh)}</span></span>'
        for number, one in enumerate(series)
    )
    return Markup("".join(parts) + f'<p class="legend">{legend}</p>')  # noqa: S704 (every text is escaped)


def round_ticks(low: float, high: float, count: int) -> list[float]:
    """At most about ``count`` round numbers (1, 2 or 5 times a power of ten apart) that enclose low..high."""
    span = max(high - low, 1e-9)
    raw = span / count
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def _text(css: str, x: float, y: float, english: str, chinese: str) -> str:
    place = f'class="{css}" x="{x}" y="{y}"'
    return f'<text {place} lang="en">{escape(english)}</text><text {place} lang="zh">{escape(chinese)}</text>'

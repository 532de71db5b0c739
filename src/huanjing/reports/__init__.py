"""Self-contained report pages: one HTML file with everything inside, in English and Chinese."""

from huanjing.reports.chart import Series, line_chart
from huanjing.reports.page import picture_uri, render_page

__all__ = ["Series", "line_chart", "picture_uri", "render_page"]

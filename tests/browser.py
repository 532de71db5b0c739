"""A page as headless Chromium lays it out."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed; CI installs it")

_PROBE = """
<script>
addEventListener("load", () => {
  const page = document.documentElement;
  const wide = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("pre, .wide, svg"));
  page.setAttribute("data-probe", JSON.stringify({
    width: innerWidth,
    overflow: page.scrollWidth - innerWidth,
    wide: wide.map((e) => e.tagName + "." + e.className).slice(0, 5),
    broken: [...document.images].filter((i) => !i.complete || i.naturalWidth === 0).length,
    images: document.images.length,
    language: page.lang,
    text: document.body.innerText,
    requests: performance.getEntriesByType("resource").map((r) => r.name).filter((n) => !n.startsWith("data:")),
  }));
});
</script>
"""


@dataclass(frozen=True)
class Layout:
    """What the browser says of a page."""

    width: int
    overflow: int
    """Pixels by which the page is wider than the window."""
    wide: list[str]
    """Elements that reach over the right edge."""
    broken: int
    """Images that did not load."""
    images: int
    language: str
    text: str
    """What a person sees."""
    requests: list[str]
    """Everything that the page fetched from anywhere."""


def lay_out(page: Path, width: int, language: str) -> Layout:
    """Open ``page`` in a window of ``width`` pixels, in ``language`` (``en`` or ``zh``)."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory() as place:
        # Chromium's window is at least 500 pixels wide: a narrower page is shown in a frame.
        probed = Path(place) / "page.html"
        probed.write_text(
            page.read_text(encoding="utf-8").replace("</body>", _PROBE + "</body>"), encoding="utf-8"
        )
        outer = Path(place) / "outer.html"
        outer.write_text(
            f'<body><iframe src="page.html#{language}" width="{width}" height="900" style="border:0"></iframe>'
            "<script>addEventListener('load', () => setTimeout(() => { document.body.textContent ="
            "document.querySelector('iframe').contentDocument.documentElement.dataset.probe; }, 300));</script>",
            encoding="utf-8",
        )
        done = subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--allow-file-access-from-files", f"--user-data-dir={place}/profile", "--window-size=1600,1000",
                "--virtual-time-budget=20000", "--dump-dom", outer.as_uri(),
            ],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    import html
    import re

    found = re.search(r"<body>(\{.*\})</body>", done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:]
    return Layout(**json.loads(html.unescape(found[1])))

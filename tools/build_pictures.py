"""Make ``docs/pictures`` from the report of a finished demo, with headless Chromium.

huanjing demo --output demo
python tools/build_pictures.py demo/report.html
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

TARGET = Path(__file__).parent.parent / "docs" / "pictures"
WIDTH = 1120
STYLE = """<style>
header, footer, h2, .tiles, main > p, main > h3, .panel, .legend, .strip, figcaption { display: none !important; }
.cards .card:nth-child(n+9), .pair:last-of-type { display: none !important; }
.cards { grid-template-columns: repeat(4, 1fr) !important; }
main { padding: 8px 16px !important; }
</style>"""


def main() -> None:
    """The command."""
    page = Path(sys.argv[1]).read_text(encoding="utf-8").replace("</head>", STYLE + "</head>")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, language in (("overview.jpg", "en"), ("overview.zh-CN.jpg", "zh")):
        picture = screenshot(page, language)
        blank = Image.new("RGB", picture.size, picture.getpixel((2, picture.height - 2)))
        box = ImageChops.difference(picture, blank).getbbox()
        height = box[3] + 12 if box else picture.height
        picture.crop((0, 0, picture.width, height)).save(TARGET / name, quality=88, optimize=True)
        print(TARGET / name, (TARGET / name).stat().st_size)


def screenshot(page: str, language: str) -> Image.Image:
    """What a browser shows of the page at a fixed width."""
    chromium = shutil.which("chromium") or sys.exit("Chromium is needed: install it as your system does.")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "page.html"
        file.write_text(page, encoding="utf-8")
        subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={place}/profile", f"--window-size={WIDTH},2200",
                f"--screenshot={place}/shot.png", f"{file.as_uri()}#{language}",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        with Image.open(Path(place) / "shot.png") as opened:
            return opened.convert("RGB")


if __name__ == "__main__":
    main()

"""Cut real photographs to small pictures, for measuring the training of generators in colour.

    python tools/photographs/build.py FOLDER            writes FOLDER/train, FOLDER/test and FOLDER/CREDITS.tsv

The photographs are those of galaxies, nebulae and star clusters in Debian's package ``stellarium-data`` (0.22.2: 555
of them, 128 to 2,048 pixels a side), which ``apt-get`` fetches (246 MB, nothing is installed). The package is GPL-2+,
in Debian's main section; each photograph was taken by somebody whom its ``textures.json`` and ``CREDITS.md`` name
(observatories such as ESO, NASA/ESA and SDSS, and amateurs), some under CC BY or into the public domain.
``CREDITS.tsv`` carries those names on. Nothing of it is part of Huanjing.

The sky has no upper side, so each photograph gives several windows, turned at random and from the whole of it to a
little over half. Photographs of the same place in the sky are all in one part: no test picture shows what a training
picture shows. Every window follows from the photograph and its name alone.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse.csgraph import connected_components

PACKAGE = "stellarium-data"
INSIDE = Path("usr/share/stellarium/nebulae/default")
SMALLEST_SOURCE = 256
"""Pixels a side; smaller photographs would be enlarged."""
SMALLEST_WINDOW = 0.6
"""The smallest window's side, as a part of the largest that fits when turned so."""
DARK = 10.0
"""Windows of a lower mean brightness, 0..255, show next to nothing."""
WIDE = 3.0
"""Degrees: wider photographs show a part of the Milky Way with many others in it."""
TEST = 8
"""One in so many places is for the test."""


@dataclass(frozen=True)
class Photograph:
    """One photograph, its credit, and the circle of the sky that it shows."""

    file: Path
    credit: str
    source: str
    centre: NDArray[np.float64]
    """A unit vector."""
    radius: float
    """Degrees."""


def main() -> None:
    """Parse the command line, fetch and cut."""
    parser = argparse.ArgumentParser(description="Cut photographs of the deep sky to small pictures.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write; must not exist")
    parser.add_argument("--side", type=int, default=64, help="pixels a side (default: 64)")
    parser.add_argument("--windows", type=int, default=16, help="windows of each photograph (default: 16)")
    parser.add_argument(
        "--source", type=Path, metavar="DIR", help=f"photographs already here, as in /{INSIDE}"
    )
    asked = parser.parse_args()
    if asked.folder.exists():
        sys.exit(f"{asked.folder} exists; name a folder that does not.")
    with tempfile.TemporaryDirectory() as scratch:
        photographs = read_index(asked.source or fetch(Path(scratch)))
        aside = asked.folder.with_name(asked.folder.name + ".part")
        shutil.rmtree(aside, ignore_errors=True)
        print(write(photographs, aside, asked.side, asked.windows))
        aside.rename(asked.folder)


def fetch(scratch: Path) -> Path:
    """Download and unpack the package into ``scratch``: where the photographs then are."""
    installed = Path("/") / INSIDE
    if installed.exists():
        return installed
    try:
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=scratch, check=True)  # noqa: S607
        (package,) = scratch.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(package), str(scratch)], check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"{PACKAGE} could not be fetched: {error}. This needs Debian, after apt-get update; or use --source."
        )
    return scratch / INSIDE


def read_index(folder: Path) -> list[Photograph]:
    """The photographs that ``textures.json`` lists and that are large enough and not too wide."""
    # The file writes -.5 for -0.5, which is no JSON.
    text = re.sub(r"(?<!\d)\.(\d)", r"0.\1", (folder / "textures.json").read_text("utf-8"))
    found = []
    for entry in json.loads(text)["subTiles"]:
        photograph = _photograph(folder, entry)
        with Image.open(photograph.file) as picture:
            if min(picture.size) >= SMALLEST_SOURCE and photograph.radius <= WIDE / 2:
                found.append(photograph)
    return sorted(found, key=lambda each: each.file.name)


def _photograph(folder: Path, entry: dict[str, Any]) -> Photograph:
    credit = {name.lower(): value for name, value in entry["imageCredits"].items()}
    longitude, latitude = np.radians(np.array(entry["worldCoords"][0], np.float64)).T
    corners = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
    centre = corners.mean(axis=0)
    centre /= np.linalg.norm(centre)
    radius = float(np.degrees(np.arccos(np.clip(corners @ centre, -1, 1))).max())
    return Photograph(folder / entry["imageUrl"], credit["short"], credit.get("infourl", ""), centre, radius)


def places(photographs: list[Photograph]) -> NDArray[np.int32]:
    """A number for each photograph, ``[N]``; the same where what they show overlaps, directly or through others."""
    centres = np.stack([each.centre for each in photographs])
    radii = np.array([each.radius for each in photographs])
    apart = np.degrees(np.arccos(np.clip(centres @ centres.T, -1, 1)))
    _, numbers = connected_components(apart < radii[:, None] + radii, directed=False)
    return np.asarray(numbers, np.int32)


def windows(photograph: Photograph, side: int, count: int) -> list[Image.Image]:
    """At most ``count`` pictures of ``side`` pixels, turned and cut at random; dark ones are left out."""
    random = np.random.default_rng(zlib.crc32(photograph.file.name.encode()))
    with Image.open(photograph.file) as opened:
        seen = opened.convert("RGBA")
    picture = Image.new("RGB", seen.size)
    picture.paste(seen, mask=seen)
    picture = picture.reduce(max(1, min(picture.size) // max(SMALLEST_SOURCE, 4 * side)))
    width, height = picture.size
    cut = []
    for _ in range(count):
        angle = random.uniform(0, 2 * math.pi)
        cosine, sine = math.cos(angle), math.sin(angle)
        reach = abs(cosine) + abs(sine)
        # A square of side s, turned, spans s * reach in either direction.
        span = min(width, height) * random.uniform(SMALLEST_WINDOW, 1)
        x, y = random.uniform(span / 2, width - span / 2), random.uniform(span / 2, height - span / 2)
        window = span / reach
        # About as large as in the photograph first, then means: turning alone would drop pixels.
        fine = max(side, side * math.ceil(window / side))
        scale = window / fine
        a, b = scale * cosine, -scale * sine
        affine = (a, b, x - (a + b) * fine / 2, -b, a, y - (a - b) * fine / 2)
        turned = picture.transform((fine, fine), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
        small = turned.resize((side, side), Image.Resampling.BOX)
        if np.asarray(small).mean() >= DARK:
            cut.append(small)
    return cut


def write(photographs: list[Photograph], folder: Path, side: int, count: int) -> str:
    """Write both parts and the credits, and say how much that is."""
    numbers = places(photographs)
    counts = {"train": [0, 0], "test": [0, 0]}
    for part in counts:
        (folder / part).mkdir(parents=True)
    lines = ["photograph\tpart\tcredit\tsource"]
    for photograph, number in zip(photographs, numbers, strict=True):
        part = "test" if number % TEST == TEST - 1 else "train"
        cut = windows(photograph, side, count)
        for k, picture in enumerate(cut):
            picture.save(folder / part / f"{photograph.file.stem}-{k:02d}.png")
        if cut:
            counts[part][0] += len(cut)
            counts[part][1] += 1
            lines.append(f"{photograph.file.name}\t{part}\t{photograph.credit}\t{photograph.source}")
    (folder / "CREDITS.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return ", ".join(f"{part}: {n:,} pictures of {m} photographs" for part, (n, m) in counts.items())


if __name__ == "__main__":
    main()

"""Steering a generator: what its first directions change, and the latent that comes nearest to a picture."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from huanjing.images import encode_png, picture_grid, write_atomically
from huanjing.runtime import Generator, latents
from huanjing.runtime.provenance import provenance
from huanjing.runtime.steering import find_directions, slerp

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
folder.mkdir(parents=True, exist_ok=True)
generator = Generator()  # the embedded one, which makes clothing; or the path of a run

directions, strengths = find_directions(generator.bundle)
print(
    f"{len(directions)} directions; how much the first four do: {', '.join(f'{each:.1f}' for each in strengths[:4])}"
)
start, end = latents([1, 42], generator.latent.size)
steps = np.linspace(-3, 3, 7, dtype=np.float32)
rows = [start + step * direction for direction in directions[:4] for step in steps]
rows.extend(
    slerp(start, end, np.linspace(0, 1, 7, dtype=np.float32))
)  # and, last, the way from seed 1 to seed 42
marks = provenance(generator.bundle, [1, 42], kind="directions")
kinds = generator.class_rows([1] * len(rows))  # all of seed 1's class; None where there are none
sheet = picture_grid(generator.draw(np.stack(rows), kinds), columns=7)
write_atomically(folder / "directions.png", encode_png(sheet, marks.png_text))
print(folder / "directions.png")

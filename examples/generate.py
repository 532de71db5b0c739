"""New pictures: by seed, truncated, moved along a direction, and as a film; each file says what it is."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from huanjing.images import encode_png, picture_grid, write_atomically
from huanjing.images.animation import encode_gif
from huanjing.runtime import Generator, latents
from huanjing.runtime.provenance import provenance
from huanjing.runtime.steering import class_path, latent_path

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
folder.mkdir(parents=True, exist_ok=True)
generator = Generator()  # the embedded one, which makes clothing; or the path of a run

seeds = range(16)
for truncation in (1.0, 0.7, 0.4):
    pictures = generator.generate(seeds, truncation=truncation)  # generate(seeds, "bag"): bags alone
    marks = provenance(generator.bundle, seeds, truncation=truncation)
    path = folder / f"grid-{truncation}.png"
    write_atomically(path, encode_png(picture_grid(pictures, 8), marks.png_text))
    print(f"{path}: pixels differ between pictures by {pictures.std(axis=0).mean():.1f} of 255")

stops = latents([7, 42, 3, 7], generator.latent.size)
kinds = generator.class_rows([7, 42, 3, 7])  # each seed has a class of its own, where there are any
frames = generator.draw(latent_path(stops, 8), class_path(kinds, 8)).repeat(4, axis=1).repeat(4, axis=2)
marks = provenance(generator.bundle, [7, 42, 3, 7], kind="interpolation", frames=8)
write_atomically(folder / "film.gif", encode_gif(frames, rate=12, xmp=marks.xmp))
print(
    f"{folder / 'film.gif'}: {len(frames)} frames, no two alike: {len(np.unique(frames, axis=0)) >= len(frames) - 1}"
)

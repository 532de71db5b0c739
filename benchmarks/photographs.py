"""A folder of many different photographs, made from the ones in the package: windows, mirrored or not, at 640 px."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from huanjing.datasets import photographs


def make_photographs(folder: Path, count: int, *, seed: int = 0) -> list[Path]:
    """Write ``count`` JPEGs of 640×480 and 640×427 in turn, quality 88, as cameras and phones shrink them."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    for photograph in photographs():
        with Image.open(photograph.path) as opened:
            sources.append(opened.convert("RGB"))
    random = np.random.default_rng(seed)
    paths = []
    for number in range(count):
        source = sources[number % len(sources)]
        width, height = (640, 480) if number % 2 else (640, 427)
        scale = random.uniform(0.6, 1.0) * min(source.width / width, source.height / height)
        left = random.uniform(0, source.width - width * scale)
        upper = random.uniform(0, source.height - height * scale)
        window = (left, upper, left + width * scale, upper + height * scale)
        picture = source.resize((width, height), Image.Resampling.BICUBIC, box=window)
        if random.integers(2):
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        path = folder / f"{number:05d}.jpg"
        picture.save(path, quality=88)
        paths.append(path)
    return paths

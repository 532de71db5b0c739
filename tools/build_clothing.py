"""Make ``src/huanjing/assets/clothing`` from Debian's package ``dataset-fashion-mnist``.

    python tools/build_clothing.py                     the subset in the package, as sheets of one class each
    python tools/build_clothing.py --unpack-all FOLDER all 60,000 + 10,000 as a folder of pictures

Fashion-MNIST: Xiao, Rasul and Vollgraf, 2017; Copyright Zalando SE, MIT licence. Balanced over the ten classes, the
first pictures of each class in the original order; every pixel as it was.
"""

from __future__ import annotations

import argparse
import gzip
import io
import math
import sys
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "src"))

from huanjing.datasets.samples import ClothingIndex, ClothingSheet  # noqa: E402

SOURCE = Path("/usr/share/datasets/fashion-mnist")
TARGET = ROOT / "src" / "huanjing" / "assets" / "clothing"
LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
SIDE = 28
TRAIN, TEST = 1_000, 200
"""Pictures of each class in the package."""
LIMIT_BYTES = 5_500_000

LICENCE = """The MIT License (MIT)

Copyright © 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS
OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

README = """Clothing: a subset of Fashion-MNIST
====================================

{train:,} training and {test:,} test pictures of clothes, 28×28, grey, {each_train:,} and {each_test:,} of each of ten
classes: the first of each class in the original order, every pixel unchanged. One sheet for each class and split;
`clothing.json` lists them. `huanjing.datasets.clothing_folder()` unpacks them into a folder of pictures.

Origin: Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", 2017, https://github.com/zalandoresearch/fashion-mnist, taken from Debian's package
dataset-fashion-mnist by tools/build_clothing.py. Licence: MIT, Copyright 2017 Zalando SE; see LICENCE.
"""


def read(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures ``[N, 28, 28]`` and labels ``[N]`` of ``train`` or ``test``."""
    stem = {"train": "train", "test": "t10k"}[split]
    pictures = gzip.decompress((SOURCE / f"{stem}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((SOURCE / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
    return (
        np.frombuffer(pictures, np.uint8, offset=16).reshape(-1, SIDE, SIDE),
        np.frombuffer(labels, np.uint8, offset=8),
    )


def encode(sheet: NDArray[np.uint8]) -> tuple[bytes, str]:
    """The smaller of lossless WebP and PNG, and its suffix."""
    picture = Image.fromarray(sheet)
    png, webp = io.BytesIO(), io.BytesIO()
    picture.save(png, "PNG", optimize=True)
    picture.convert("RGB").save(webp, "WEBP", lossless=True, quality=100, method=6)
    return min((webp.getvalue(), ".webp"), (png.getvalue(), ".png"), key=lambda pair: len(pair[0]))


def build() -> None:
    """Write the assets."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for path in TARGET.iterdir():
        path.unlink()
    sheets = []
    for split, count in (("train", TRAIN), ("test", TEST)):
        pictures, labels = read(split)
        columns = math.isqrt(count - 1) + 1
        for number, label in enumerate(LABELS):
            tiles = pictures[labels == number][:count]
            rows = math.ceil(count / columns)
            grid = np.zeros((rows * columns, SIDE, SIDE), np.uint8)
            grid[:count] = tiles
            sheet = (
                grid.reshape(rows, columns, SIDE, SIDE).swapaxes(1, 2).reshape(rows * SIDE, columns * SIDE)
            )
            data, suffix = encode(sheet)
            name = f"{split}-{label}{suffix}"
            (TARGET / name).write_bytes(data)
            sheets.append(ClothingSheet(name, label, split, count, columns))  # type: ignore[arg-type]
    index = msgspec.json.format(msgspec.json.encode(ClothingIndex(SIDE, sheets)), indent=1)
    (TARGET / "clothing.json").write_bytes(index + b"\n")
    (TARGET / "LICENCE").write_text(LICENCE, encoding="utf-8")
    classes = len(LABELS)
    text = README.format(train=TRAIN * classes, test=TEST * classes, each_train=TRAIN, each_test=TEST)
    (TARGET / "README.md").write_text(text, encoding="utf-8")
    total = sum(path.stat().st_size for path in TARGET.iterdir())
    print(f"{TARGET}: {total:,} bytes")
    if total > LIMIT_BYTES:
        raise SystemExit(
            f"more than the {LIMIT_BYTES:,} bytes that the package can spare; lower TRAIN or TEST"
        )


def unpack_all(folder: Path) -> None:
    """Write every picture as ``SPLIT/CLASS/00001.png``, numbered in the original order."""
    for split in ("train", "test"):
        pictures, labels = read(split)
        for label in LABELS:
            (folder / split / label).mkdir(parents=True)
        for number, (picture, label_number) in enumerate(zip(pictures, labels, strict=True), start=1):
            path = folder / split / LABELS[label_number] / f"{number:05d}.png"
            Image.fromarray(picture).save(path, compress_level=1)
        print(f"{folder / split}: {len(pictures):,} pictures")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--unpack-all", metavar="FOLDER", type=Path, help="write the whole set as pictures")
    arguments = parser.parse_args()
    if not SOURCE.is_dir():
        raise SystemExit(f"{SOURCE} is missing: install Debian's package dataset-fashion-mnist")
    if arguments.unpack_all:
        unpack_all(arguments.unpack_all)
    else:
        build()


if __name__ == "__main__":
    main()

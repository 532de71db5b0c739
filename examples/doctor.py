"""What is wrong with this folder of pictures? Plants some faults, finds them, and writes what to leave out."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from huanjing.datasets import photographs
from huanjing.datasets.doctor import examine
from huanjing.images import write_atomically

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
classes = folder / "pictures"
for number, photograph in enumerate(photographs()):
    place = classes / ("things", "animals")[number % 2]
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(photograph.path, place)
one, other = sorted((classes / "animals").iterdir())[:2]
(classes / "animals" / "cut-short.jpg").write_bytes(one.read_bytes()[:9000])
shutil.copy(one, classes / "things" / "the-same.jpg")
with Image.open(other) as picture:
    picture.reduce(3).save(classes / "animals" / "smaller.png")

report = examine(classes)
for finding in report.findings:
    print(
        f"{finding.kind.severity}: {finding.kind.title}: {', '.join(finding.files)} {finding.detail}".rstrip()
    )
write_atomically(folder / "exclude.txt", "".join(f"{name}\n" for name in report.exclude).encode())
print(f"{len(report.exclude)} files to leave out: {folder / 'exclude.txt'}")

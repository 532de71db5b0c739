"""What a generated file says of itself, and reading it back, from any program's files."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from huanjing.datasets import photographs
from huanjing.images import encode_jpeg, encode_png, encode_webp, write_atomically
from huanjing.images.label import draw_label
from huanjing.runtime import Generator
from huanjing.runtime.declared import read_declared
from huanjing.runtime.provenance import provenance

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
folder.mkdir(parents=True, exist_ok=True)
generator = Generator()  # the embedded one, which makes clothing; or the path of a run

picture = generator.generate([7])[0].repeat(4, axis=0).repeat(4, axis=1)
marks = provenance(generator.bundle, [7])
shown = draw_label(picture, "zh")  # the label that a person sees; the marks are what programs read
write_atomically(folder / "shoe.png", encode_png(shown, marks.png_text))
write_atomically(folder / "shoe.jpg", encode_jpeg(shown, xmp=marks.xmp))
write_atomically(folder / "shoe.webp", encode_webp(shown, xmp=marks.xmp))

for path in (folder / "shoe.png", folder / "shoe.jpg", folder / "shoe.webp", photographs()[0].path):
    found = read_declared(path)
    seeds = found.record["seeds"] if found.record else "-"
    number = found.label["ProduceID"] if found.label else "-"
    print(f"{path.name:20} generated: {found.generated:7} seeds: {seeds:3} AIGC ProduceID: {number}")

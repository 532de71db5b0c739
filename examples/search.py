"""Which of my pictures is like this one, and which are there twice? Indexes a folder, asks it, and groups copies."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from huanjing.datasets import photographs
from huanjing.recognition.search import embed
from huanjing.recognition.search_update import update_index
from huanjing.runtime import Recognizer

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
pictures = folder / "pictures"
pictures.mkdir(parents=True, exist_ok=True)
for photograph in photographs():
    shutil.copy(photograph.path, pictures)
with Image.open(pictures / "red-panda.jpg") as panda:
    panda.reduce(2).save(pictures / "small.jpg", quality=60)
    query = panda.transpose(Image.Transpose.FLIP_LEFT_RIGHT).crop((100, 0, 700, 450))
    query.save(folder / "query.jpg")

recognizer = Recognizer()  # the embedded network; or a model's name, or a run folder
update = update_index(pictures, folder / "index", recognizer)  # a second time, only new pictures are read
print(f"{len(update.index)} pictures indexed")

embedding = embed(recognizer, [folder / "query.jpg"])[0]
if isinstance(embedding, Exception):
    raise embedding
for match in update.index.nearest(embedding, 3):
    print(f"  {match.similarity:.3f}  {Path(match.path).name}")
for group in update.index.duplicates():
    print(f"  {group.kind}: {', '.join(Path(path).name for path in group.paths)}")

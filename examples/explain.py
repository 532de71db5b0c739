"""Where in a photograph does the network see what it says? Writes a picture with the heat and the boxes on it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from huanjing.datasets import photographs
from huanjing.images import encode_png, write_atomically
from huanjing.recognition.explain import Explainer, find_class
from huanjing.recognition.explain_overlay import overlay

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
folder.mkdir(parents=True, exist_ok=True)
explainer = Explainer()  # the embedded network; or a model's name, or a run folder

for file, asked in (("red-panda.jpg", None), ("espresso.jpg", "cup")):
    photograph = next(one for one in photographs() if one.file == file)
    classes = [find_class(asked, explainer.classes)] if asked else []  # none: the most probable one
    found = explainer.explain(photograph.path, classes)[0]
    print(f"{file}: {found.label.name}, {found.label.probability:.1%}, by {found.method}")
    for box in found.boxes:
        print(f"  {box.width}×{box.height} at ({box.x}, {box.y}): {box.share:.0%} of the heat")
    target = folder / f"{Path(file).stem}.{found.label.name}.png"
    write_atomically(target, encode_png(overlay(found)))
    print(f"  {target}")

"""Teach a recogniser with real and generated pictures together: python add_generated.py [FOLDER].

The generator learns for forty steps, which shows that everything runs. What more brings, or costs, is in
docs/en/generated-pictures-for-training.md.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from huanjing.cli import generator_run, recognizer_run
from huanjing.cli.train_recognizer import train_and_tell
from huanjing.datasets import clothing_folder
from huanjing.recognition.dataset import label_folder
from huanjing.training import Run
from huanjing.training.engine import require_tensorflow

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
require_tensorflow()
for part in ("train", "test"):
    for name in ("sneaker", "trouser"):
        (folder / "few" / part / name).mkdir(parents=True, exist_ok=True)
        for picture in sorted((clothing_folder() / part / name).iterdir())[:20]:
            shutil.copy(picture, folder / "few" / part / name)

asked = generator_run.Asked(size="small", steps=40, batch=16, resolution=(28, 28), conditional="yes")
config, pictures = generator_run.configure(folder / "generator", folder / "few" / "train", asked)
with Run.start(folder / "generator", config) as run:
    generator_run.train_and_export(config, pictures, run)

for added in (None, str(folder / "generator")):
    wanted = recognizer_run.Asked(epochs=0, add_generated=added)
    place = folder / ("with-generated" if added else "real-alone")
    settings, data = recognizer_run.configure(place, label_folder(folder / "few"), wanted, {})
    with Run.start(place, settings) as opened:
        trained = train_and_tell(settings, data, opened, time.monotonic())
    made = settings.generated.pictures if settings.generated else 0
    print(
        f"{place.name}: {made} generated pictures learned from, {trained.test:.1%} of the test pictures right"
    )

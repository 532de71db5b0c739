"""A recogniser that says "I don't know": trained on three kinds of clothing, asked about those and about others."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from huanjing.datasets import clothing_folder, photographs
from huanjing.runtime import Recognizer

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
for name in ("bag", "trouser", "sneaker"):
    target = folder / "clothing" / name
    target.mkdir(parents=True, exist_ok=True)
    for picture in sorted((clothing_folder() / "train" / name).iterdir())[:60]:
        shutil.copy(picture, target)

train = [sys.executable, "-m", "huanjing", "train", "recognizer", str(folder / "clothing"), "--epochs", "0"]
subprocess.run([*train, "--run", str(folder / "run")], check=True, capture_output=True)  # noqa: S603

recognizer = Recognizer(folder / "run")
asked = {
    name: sorted((clothing_folder() / "test" / name).iterdir())[:40] for name in ("bag", "trouser", "dress")
}
asked["photographs"] = [photograph.path for photograph in photographs()]
for name, pictures in asked.items():
    answers = list(recognizer.recognize_all(pictures, novelty=True))
    unknown = sum(bool(answer.unknown) for answer in answers)
    print(f"{name}: {unknown} of {len(answers)} are unknown")

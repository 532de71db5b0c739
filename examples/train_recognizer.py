"""Teach the embedded network ten kinds of clothing from 20 pictures of each, then ask it about others."""

import shutil
import sys
import tempfile
from pathlib import Path

import huanjing
from huanjing.cli.train_recognizer import recognizer
from huanjing.datasets import clothing_folder

EACH = 20


def main(place: Path) -> None:
    """Draw a small folder, train on it in ``place``, and count how many test pictures are named rightly."""
    for kind in sorted((clothing_folder() / "train").iterdir()):
        (place / "few" / kind.name).mkdir(parents=True, exist_ok=True)
        for picture in sorted(kind.iterdir())[:EACH]:
            shutil.copy(picture, place / "few" / kind.name)

    recognizer.main([str(place / "few"), "--run", str(place / "run")], standalone_mode=False)

    trained = huanjing.Recognizer(place / "run")
    pictures = [
        path for kind in (clothing_folder() / "test").iterdir() for path in sorted(kind.iterdir())[:20]
    ]
    right = sum(
        answer.labels[0].id == path.parent.name
        for path, answer in zip(pictures, trained.recognize_all(pictures), strict=True)
    )
    print(f"{right} of {len(pictures)} test pictures are named rightly after {EACH} pictures of each kind.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="huanjing-")))

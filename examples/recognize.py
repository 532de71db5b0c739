"""What is in these pictures? python examples/recognize.py [FOLDER] writes the answers to FOLDER/labels.csv."""

import csv
import sys
import tempfile
from pathlib import Path

import huanjing
from huanjing.datasets import photographs


def main(folder: Path) -> None:
    """Recognise the sample photographs, in order, in little memory."""
    paths = [photograph.path for photograph in photographs()]
    recognizer = huanjing.Recognizer()
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["picture", "label", "probability"])
        for prediction in recognizer.recognize_all(paths, top=1):
            best = prediction.labels[0]
            rows.writerow([Path(prediction.path).name, best.name, round(best.probability, 3)])
            print(f"{Path(prediction.path).name:22} {best.probability:6.1%}  {best.name}")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    main(target)

"""Train a generator on 200 pictures, with what its discriminator sees augmented as needed, and read what the log says.

Run: python examples/little_data.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from huanjing.cli.train import Asked, configure, train_and_export
from huanjing.datasets import clothing_folder
from huanjing.generation.mirror import compare_with_mirror
from huanjing.training import Run
from huanjing.training.engine import require_tensorflow


def main() -> None:
    """Run the example."""
    place = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    require_tensorflow()
    asked = Asked(steps=60, resolution=(28, 28), seed=0, augment="auto", flip="auto")
    folder = clothing_folder() / "test" / "sneaker"
    config, pictures = configure(place / "sneakers", folder, asked)
    found = compare_with_mirror(pictures.array)
    print(
        f"{len(pictures)} pictures; as they are, they look more like the others {found.share:.0%} of the time than"
    )
    print(
        f"mirrored: mirroring is {'harmless' if found.harmless else 'not harmless'}, and flip is {config.mirror}."
    )
    with Run.start(place / "sneakers", config) as run:
        train_and_export(config, pictures, run)
        for line in run.read_log()[-1:]:
            print(
                f"After {line['step']} steps: p = {line['augmentation']}, over-fitting h = {line.get('over_fitting')},"
            )
            print(
                f"diversity {line['diversity']} of the real pictures'; alarms: {line.get('alarms', 'none')}"
            )


if __name__ == "__main__":
    main()

"""Plant a fault in a training, see the doctor find it, go back and go on.

Run: python examples/training_doctor.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from huanjing.cli.train import Asked, configure
from huanjing.datasets import clothing_folder
from huanjing.training import Run
from huanjing.training.engine import require_tensorflow


def main() -> None:
    """Run the example."""
    place = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    require_tensorflow()
    from huanjing.generation.train import Tick, train_generator

    asked = Asked(steps=48, resolution=(28, 28), seed=0, batch=16, augment=0.0, flip="no")
    config, pictures = configure(place / "run", clothing_folder() / "test" / "sneaker", asked)
    planted = []

    def on_tick(tick: Tick) -> None:
        if tick.step >= 20 and not planted:
            planted.append(tick.step)
            tick.generator.trainable_variables[0].assign_add([[float("nan")]])
        if tick.went_back:
            print(tick.went_back.text.en)

    with Run.start(place / "run", config) as run:
        trained = train_generator(config, pictures.array, run, on_tick)
    print(f"A fault was planted at step {planted[0]}; trained to step {trained.step} all the same.")


if __name__ == "__main__":
    main()

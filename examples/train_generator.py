"""Train a generator that knows its classes, for twenty steps, and ask it for one: python train_generator.py [FOLDER].

Twenty steps show that everything runs, not what it can: ten minutes of the default recipe make clothing.
"""

import sys
import tempfile
from pathlib import Path

from huanjing.cli.generator_run import Asked, configure, train_and_export
from huanjing.datasets import clothing_folder
from huanjing.images import encode_png, picture_grid
from huanjing.runtime import Generator
from huanjing.training import Run
from huanjing.training.engine import require_tensorflow

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
require_tensorflow()
asked = Asked(size="small", steps=20, batch=16, resolution=(28, 28), conditional="yes")
config, pictures = configure(folder / "run", clothing_folder() / "test", asked)
with Run.start(folder / "run", config) as run:
    trained = train_and_export(config, pictures, run)

generator = Generator(run.model)
print(f"{trained.step} steps; it knows {', '.join(each.id for each in generator.classes)}")
(folder / "sneakers.png").write_bytes(encode_png(picture_grid(generator.generate(range(16), "sneaker"))))
print(folder / "sneakers.png")

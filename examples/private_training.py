"""Train a generator privately for three steps, and read what its model promises: python private_training.py [FOLDER].

Three steps show the budget, not a picture worth having: private training needs tens of thousands of pictures.
"""

import sys
import tempfile
from pathlib import Path

from huanjing.bundle import load_bundle
from huanjing.cli.generator_run import Asked, configure, train_and_export
from huanjing.datasets import clothing_folder
from huanjing.training import Run
from huanjing.training.engine import require_tensorflow

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
require_tensorflow()
asked = Asked(private=10.0, steps=3, batch=16, resolution=(28, 28), channels=1)
config, pictures = configure(folder / "run", clothing_folder() / "test", asked)
with Run.start(folder / "run", config) as run:
    train_and_export(config, pictures, run)

privacy = load_bundle(run.model).manifest.privacy
assert privacy is not None
print(f"{len(pictures):,} pictures, each in a batch with probability {privacy.sampling_rate:.4f}")
print(
    f"noise multiplier {privacy.noise_multiplier:g}: ε = {privacy.epsilon:.3f} at δ = {privacy.delta:g} spent"
)

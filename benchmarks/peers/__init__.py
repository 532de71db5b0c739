"""Generation beside what a user would install instead: the same pictures, the same cores, the same minutes.

The pictures are the faces of ``tools/faces`` (``$HUANJING_FACES`` names the folder they were drawn into, with ``train``
and ``test``); the peers run in an environment of their own, which ``$HUANJING_PEERS`` names:

    uv venv PEERS && uv pip install --python PEERS/bin/python lightweight-gan
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.report import Row
from huanjing.datasets import prepare_pictures
from huanjing.runtime import Generator, Recognizer

SCORED = 2000
RECIPES = ("dcgan", "residual", "slim")
PEERS = {"lightweight-gan": "lightweight_gan_on_cpu.py", "a plain PyTorch DCGAN": "torch_dcgan.py"}


def run() -> list[Row]:
    """One row for each peer. Without the two folders there is nothing to measure, and none is made up."""
    minutes = float(os.environ.get("HUANJING_PEER_MINUTES", "10"))
    if "HUANJING_FACES" not in os.environ or "HUANJING_PEERS" not in os.environ:
        return [Row("generation beside its peers", "", "not run: see benchmarks/peers/__init__.py", False)]
    from benchmarks.generation import train_for
    from huanjing.generation.metrics.frechet import frechet_distance

    faces = Path(os.environ["HUANJING_FACES"])
    python = Path(os.environ["HUANJING_PEERS"]) / "bin" / "python"
    recognizer = Recognizer()
    test = np.asarray(prepare_pictures(faces / "test", (64, 64), 3).array[:SCORED])
    train = np.asarray(prepare_pictures(faces / "train", (64, 64), 3).array[:SCORED])
    real = recognizer.features(test)
    baseline = frechet_distance(recognizer.features(train), real)

    measured: dict[str, dict[str, float]] = {}
    for recipe in RECIPES:
        with tempfile.TemporaryDirectory() as place:
            trained = train_for(recipe, minutes, faces / "train", Path(place) / recipe)
            made = Generator(Path(place) / recipe).generate(range(SCORED))
        measured[recipe] = {
            "distance": frechet_distance(recognizer.features(made), real),
            "pictures_per_second": trained.step * trained.config.recipe.batch / trained.seconds,
        }
    for name, script in PEERS.items():
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "made.npz"
            runner = Path(__file__).with_name(script)
            subprocess.run([python, runner, faces / "train", str(minutes), str(SCORED), out], check=True)
            with np.load(out) as answer:
                measured[name] = {
                    "distance": frechet_distance(recognizer.features(answer["pictures"]), real),
                    "pictures_per_second": float(answer["pictures_per_second"]),
                }
    best = min(RECIPES, key=lambda recipe: measured[recipe]["distance"])
    return [
        Row(
            f"Fréchet distance after {minutes:g} minutes, 7,000 faces of 64×64: {best}, against {name}",
            "smaller",
            f"{measured[best]['distance']:.0f} against {measured[name]['distance']:.0f} (training against test "
            f"pictures: {baseline:.1f}); pictures/s {measured[best]['pictures_per_second']:.0f} against "
            f"{measured[name]['pictures_per_second']:.0f}",
            measured[best]["distance"] < measured[name]["distance"],
            {"all": measured, "train_against_test": baseline, "pictures": SCORED, "seeds": 1},
        )
        for name in PEERS
    ]

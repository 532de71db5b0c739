"""What a recipe, or a change to one, reaches after how much computing: Fréchet distance against core-minutes.

    python -m benchmarks.curves PICTURES OUT.json RECIPE [--set FIELD=VALUE]... [--seed 0] [--core-minutes 20]

One thread computes, and the clock is that of the processor: it stands still while scores are taken, and while other
work has the core, so that curves compare even where they were made on a busy machine. PICTURES holds ``train`` and
``test``. The loop is that of ``huanjing train generator`` without its talk: the same feed, the same step.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shlex
import sys
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import machine
from huanjing.cli.generator_care import count_held_out
from huanjing.cli.generator_data import choose_classes, number_classes
from huanjing.datasets import PictureArray, prepare_pictures
from huanjing.generation.recipes import RECIPES
from huanjing.images import encode_png, picture_grid
from huanjing.runtime import Recognizer, latents

if TYPE_CHECKING:
    from huanjing.generation.config import GeneratorConfig, TrainedClass
    from huanjing.generation.state import TrainingState

SCORED = 2000
"""Pictures on either side of a score, unless told otherwise."""
RECALLED = 2000
"""Pictures on either side of a recall."""
STEPS = 20
"""Between two looks at the clock."""
FIRST_POINT = 1.0
GROWTH = 2.0
"""From one point of a curve to the next, in core-minutes."""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="A recipe's Fréchet distance against core-minutes.")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("recipe")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="another field of the recipe"
    )
    parser.add_argument("--size", choices=("small", "medium", "large"))
    parser.add_argument("--augment", default="0")
    parser.add_argument(
        "--conditional", action="store_true", help="tell both networks the subfolders as classes"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--core-minutes", type=float, default=20.0)
    parser.add_argument("--until", type=float, help="stop after so many of them; rates fall as if it went on")
    parser.add_argument("--scored", type=int, default=SCORED, help="pictures that a score is taken on")
    parser.add_argument("--own", type=Path, help="a recogniser trained on such pictures, to score by as well")
    parser.add_argument("--model", type=Path, help="where the generator that came of it goes, as a bundle")
    asked = parser.parse_args()
    changes = dict(part.split("=", 1) for part in asked.set)
    curve = Curve(
        asked.pictures, asked.recipe, asked.size, changes, asked.augment, asked.seed, asked.core_minutes,
        conditional=asked.conditional, own=asked.own,
    )  # fmt: skip
    curve.out, curve.scored, curve.model = asked.out, asked.scored, asked.model
    curve.until = asked.until or asked.core_minutes
    curve.run()


class Curve:
    """One training, and the points of its curve."""

    def __init__(
        self,
        folder: Path,
        recipe: str,
        size: str | None,
        changes: dict[str, str],
        augment: str,
        seed: int,
        core_minutes: float,
        *,
        conditional: bool = False,
        own: Path | None = None,
    ) -> None:
        read = {kind: _read(folder / kind) for kind in ("train", "test")}
        self.sets = {kind: np.asarray(pictures.array) for kind, pictures in read.items()}
        classes = choose_classes(read["train"], "yes", RECIPES[recipe]) if conditional else []
        self.labels = number_classes(read["train"], classes)
        self.config = _config(read["train"], recipe, size, changes, augment, seed, classes)
        self.core_minutes = self.until = core_minutes
        self.out, self.scored = Path("curve.json"), SCORED
        self.model: Path | None = None
        # In the folder's order they would lie class by class.
        self.test = np.random.default_rng(0).permutation(len(self.sets["test"]))
        self.recognizers = {"": Recognizer()} | ({"own": Recognizer(own)} if own else {})
        self.real: dict[tuple[str, int], NDArray[np.float32]] = {}
        self.about = {
            "pictures": folder.name, "count": len(self.sets["train"]), "seed": seed, "augment": augment,
            "core_minutes": core_minutes, "classes": len(classes), "recipe": asdict(self.config.recipe),
            "machine": machine(),
        }  # fmt: skip
        self.points: list[dict[str, Any]] = []

    def run(self) -> None:
        """Train, score, write after every point."""
        import tensorflow as tf

        from huanjing.generation.feed import Feed
        from huanjing.generation.state import TrainingState
        from huanjing.generation.step import make_step

        state = TrainingState(self.config)
        step = make_step(self.config, state)
        spent, number, due = 0.0, 0, FIRST_POINT
        with Feed(self.config, self.sets["train"], self.labels, 0) as feed:
            while spent < self.until:
                started = time.process_time()
                for _ in range(STEPS):
                    progress = tf.constant(min(1.0, spent / self.core_minutes), tf.float32)
                    losses = step(*feed.next(), tf.constant(number, tf.int64), progress)
                    number += 1
                loss = float(losses[0])
                # Tracing and optimising the graph is no training; a run of any length pays it once.
                spent += (time.process_time() - started) / 60.0 if number > STEPS else 0.0
                if spent >= due or spent >= self.until:
                    due *= GROWTH
                    self._point(state, number, spent, loss)
        if self.model is not None:
            from huanjing.generation.export import export_generator

            export_generator(self.model, self.config, state.averaged, name=self.out.stem)

    def _point(self, state: TrainingState, step: int, spent: float, loss: float) -> None:
        from huanjing.generation.metrics.frechet import frechet_distance
        from huanjing.generation.metrics.precision_recall import precision_recall
        from huanjing.generation.samples import make_pictures

        classes = self._classes()
        made = make_pictures(state.averaged, latents(range(self.scored), self.config.recipe.latent), classes)
        point: dict[str, Any] = {
            "core_minutes": round(spent, 2), "steps": step, "loss": round(loss, 4), "pictures": len(made),
            "augmentation": round(float(state.strength.probability.numpy()), 4),
            "certainty": round(float(state.strength.certainty.numpy()), 4),
            "penalty": round(self.config.recipe.penalty * float(state.penalty_scale.numpy()), 4),
        }  # fmt: skip
        if state.strength.over_fitting is not None:
            point["over_fitting"] = state.strength.over_fitting
        for name, recognizer in self.recognizers.items():
            features, real = recognizer.features(made), self._real(name, self.scored)
            recall = precision_recall(real[:RECALLED], features[:RECALLED]).recall.value
            scores = {
                "frechet": round(float(frechet_distance(features, real)), 2),
                "recall": round(recall, 4),
            }
            point |= {f"{name}_{score}".lstrip("_"): value for score, value in scores.items()}
        self.points.append(point)
        print(f"{self.out.stem}: {point}", flush=True)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.out.write_text(
            json.dumps(self.about | {"points": self.points}, indent=1) + "\n", encoding="utf-8"
        )
        sheet = encode_png(picture_grid(made[:64], 8))
        self.out.with_suffix(".png").write_bytes(sheet)

    def _classes(self) -> NDArray[np.float32] | None:
        """A class for each picture that is scored, as often as training has it, one-hot."""
        if self.labels is None:
            return None
        drawn = np.random.default_rng(0).choice(self.labels, self.scored)
        return np.eye(len(self.config.classes), dtype=np.float32)[drawn]

    def _real(self, name: str, count: int) -> NDArray[np.float32]:
        if (name, count) not in self.real:
            pictures = np.asarray(self.sets["test"][self.test[:count]])
            self.real[name, count] = self.recognizers[name].features(pictures)
        return self.real[name, count]


def _read(folder: Path) -> PictureArray:
    """The folder's pictures, of the shape of its first."""
    from PIL import Image

    first = next(folder.rglob("*.png"))
    with Image.open(first) as opened:
        width, height, channels = *opened.size, 1 if opened.mode == "L" else 3
    return prepare_pictures(folder, (height, width), channels)


def _config(
    pictures: PictureArray,
    name: str,
    size: str | None,
    changes: dict[str, str],
    augment: str,
    seed: int,
    classes: list[TrainedClass],
) -> GeneratorConfig:
    from huanjing.generation.config import DataSummary, GeneratorConfig
    from huanjing.generation.precision import best_precision
    from huanjing.generation.recipes import Recipe, recipe_for
    from huanjing.generation.shape import Shape

    shape = Shape(*pictures.array.shape[1:])
    unknown = set(changes) - {field.name for field in fields(Recipe)}
    if unknown:
        raise SystemExit(f"A recipe has no field {', '.join(sorted(unknown))}.")
    values = {key: ast.literal_eval(text) for key, text in changes.items()}
    recipe = replace(recipe_for(name, shape, size=size), **values)
    return GeneratorConfig(
        recipe=recipe, height=shape.height, width=shape.width, channels=shape.channels, seed=seed, steps=10**9,
        precision=best_precision(), data=DataSummary("", len(pictures), pictures.digest),
        command=shlex.join(["python", "-m", "benchmarks.curves", *sys.argv[1:]]),
        classes=classes, augment="adaptive" if augment == "adaptive" else float(augment),
        held_out=count_held_out(len(pictures)) if augment == "adaptive" else 0,
    )  # fmt: skip


if __name__ == "__main__":
    main()

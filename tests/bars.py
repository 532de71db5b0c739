"""Two classes of tiny pictures, a bar across and an upright one, as files and from generators: 8×8, grey."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES = ("across", "upright")


def draw_bars(labels: NDArray[np.int32], seed: int) -> NDArray[np.uint8]:
    """A bright bar of each class on a darker ground, somewhere, with noise: ``[N, 8, 8, 1]``, 0..255."""
    random = np.random.default_rng(seed)
    pictures = random.normal(50, 20, (len(labels), 8, 8, 1))
    for picture, label in zip(pictures, labels, strict=True):
        start = int(random.integers(1, 5))
        rows = picture if label == 0 else picture.swapaxes(0, 1)
        rows[start : start + 3] += random.normal(140, 15)
    return np.clip(pictures, 0, 255).astype(np.uint8)


def write_bars(folder: Path, count: int, seed: int = 0, names: tuple[str, ...] = CLASSES) -> Path:
    """``count`` PNG files of each class, in a folder of its own."""
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(draw_bars(np.full(count, label, np.int32), seed)):
            Image.fromarray(picture[..., 0]).save(folder / name / f"{number:03}.png")
    return folder


def make_generator(folder: Path, steps: int, *, told: bool = True) -> Path:
    """A run folder with a generator that learned bars for so many steps; after 0 it makes noise.

    :param told: whether it knows the classes.
    """
    from huanjing.generation.config import DataSummary, GeneratorConfig, TrainedClass
    from huanjing.generation.export import export_generator
    from huanjing.generation.networks import build_generator
    from huanjing.generation.recipes import recipe_for
    from huanjing.generation.shape import Shape
    from huanjing.generation.train import train_generator
    from huanjing.training import Run

    count = 64
    labels = np.repeat(np.arange(2, dtype=np.int32), count)
    recipe = recipe_for("slim", Shape(8, 8, 1), batch=16)
    config = GeneratorConfig(
        recipe=replace(
            recipe,
            latent=4,
            generator_widths=tuple(8 for _ in recipe.generator_widths),
            discriminator_widths=tuple(8 for _ in recipe.discriminator_widths),
            rate=3e-3,
            last_rate=1e-3,
        ),
        height=8,
        width=8,
        channels=1,
        seed=7,
        steps=max(1, steps),
        precision="float32",
        data=DataSummary("bars", 2 * count, "0" * 64),
        classes=[TrainedClass(name, count) for name in CLASSES if told],
    )
    with Run.start(folder, config) as run:
        network = build_generator(config.recipe, config.shape, "float32", 3, len(config.classes))
        if steps:
            network = train_generator(config, draw_bars(labels, 9), run, None, labels).state.averaged
        export_generator(run.model, config, network, name=folder.name)
    return folder

"""Both networks of a recipe, layer by layer, and what they learn: python gan_piece_by_piece.py [FOLDER] [RECIPE].

The pictures of docs/en/classic-gan.md are made by `--steps 1200`; without it training ends after twenty steps, which
show that everything runs, not what it can. RECIPE is dcgan unless told.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from huanjing.cli.generator_run import Asked, configure
from huanjing.datasets import clothing_folder
from huanjing.generation.recipes import RECIPES
from huanjing.images import encode_png, picture_grid
from huanjing.training import Run
from huanjing.training.engine import require_tensorflow

SHOWN, SIDE = 8, 84


def describe(network: Any) -> None:
    """Print what each layer gives out, and how many numbers it has learned."""
    print(f"{network.name}: {network.count_params():,} parameters")
    for layer in network.layers:
        shape, count = "×".join(map(str, layer.output.shape[1:])), layer.count_params()
        print(f"  {type(layer).__name__:18} {shape:10} {f'{count:,}' if count else '':>10}".rstrip())


def grids(generator: Any) -> list[Any]:
    """The outputs to look at: where numbers first become a grid, then the last layer of each size."""
    outputs = [layer.output for layer in generator.layers if len(layer.output.shape) == 4]
    return [outputs[0], *{each.shape: each for each in outputs}.values()]


def maps(values: np.ndarray) -> np.ndarray:
    """The eight channels of ``[H, W, C]`` that differ most, each from its least value, black, to its largest."""
    chosen = values[..., np.sort(np.argsort(-values.std(axis=(0, 1)), kind="stable")[:SHOWN])]
    low, high = chosen.min(axis=(0, 1)), chosen.max(axis=(0, 1))
    grey = (255 * (chosen - low) / np.maximum(high - low, 1e-9)).astype(np.uint8)
    return enlarged(np.moveaxis(grey, 2, 0)[..., None])


def enlarged(pictures: np.ndarray) -> np.ndarray:
    """Pictures NHWC, their pixels as squares."""
    rows, columns = (np.arange(SIDE) * side // SIDE for side in pictures.shape[1:3])
    return pictures[:, rows][:, :, columns]


def main(folder: Path, recipe: str, steps: int | None) -> None:
    """Train, and write the sheets into ``folder``."""
    import keras

    from huanjing.generation.samples import make_pictures, sample_latents
    from huanjing.generation.train import Tick, train_generator

    asked = Asked(recipe=recipe, conditional="no", steps=steps or 20, batch=64 if steps else 16)
    rows, shown = [], [-1]

    def keep(tick: Tick) -> None:
        """A row of pictures whenever there were three times as many steps."""
        if tick.pictures is not None and (tick.step >= 3 * shown[-1] or tick.progress >= 1):
            rows.append(tick.pictures[:SHOWN])
            shown.append(max(1, tick.step))
            loss_d, loss_g = tick.discriminator_loss, tick.generator_loss
            print(
                f"step {tick.step:5,}: "
                + (f"loss D {loss_d:.3f}, G {loss_g:.3f}" if tick.step else "untrained")
            )

    with tempfile.TemporaryDirectory() as aside:
        config, pictures = configure(Path(aside), clothing_folder() / "train", asked)
        with Run.start(Path(aside), config) as run:
            state = train_generator(config, pictures.array, run, keep).state
    for network in (state.generator, state.discriminator):
        describe(network)

    latents = sample_latents(config.seed, 64, config.recipe.latent)  # those of the rows
    looked_at = grids(state.averaged)
    *layers, _ = keras.Model(state.averaged.inputs[0], looked_at)(latents[:1], training=False)
    made = make_pictures(state.averaged, latents[:16])
    inside = np.concatenate([maps(np.asarray(each[0], np.float32)) for each in layers])
    sheet = np.concatenate([np.repeat(inside, config.channels, axis=3), enlarged(made[:1])])
    real = pictures.array[:: len(pictures) // 16][:16]
    pairs = [picture_grid(enlarged(each), 4) for each in (real, made)]
    gap = np.full((pairs[0].shape[0], 24, config.channels), 255, np.uint8)
    for name, picture in {
        "layers": picture_grid(sheet, SHOWN),
        "moments": picture_grid(enlarged(np.concatenate(rows)), SHOWN),
        "real-and-generated": np.concatenate([pairs[0], gap, pairs[1]], axis=1),
    }.items():
        (folder / f"{name}.png").write_bytes(encode_png(picture))
    print(f"Pictures in {folder}: layers ({len(looked_at)} rows), moments, real-and-generated")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("recipe", nargs="?", default="dcgan", choices=RECIPES)
    parser.add_argument("--steps", type=int, help="of 64 pictures; unless told, twenty of 16")
    options = parser.parse_args()
    target = options.folder or Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    require_tensorflow()
    main(target, options.recipe, options.steps)

"""Make ``src/huanjing/assets/models/clothing-28``, the embedded generator, from one that was trained.

    python tools/build_clothing.py --unpack-all fashion-mnist
    python -m benchmarks.curves fashion-mnist curve.json residual --conditional --core-minutes 32 --model generator
    python tools/build_generator.py generator --test fashion-mnist/test

The graph goes in as training left it. The score is measured here, against test pictures that the training did not see.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import msgspec
import numpy as np

from huanjing.bundle import ClassName, Figure, load_bundle, write_bundle
from huanjing.datasets import prepare_pictures
from huanjing.generation.metrics.frechet import frechet_distance
from huanjing.runtime import Generator, Recognizer

TARGET = Path(__file__).parent.parent / "src" / "huanjing" / "assets" / "models" / "clothing-28"
SCORED = 10_000
NAMES = {
    "ankle-boot": ("ankle boot", "短靴"),
    "bag": ("bag", "包"),
    "coat": ("coat", "外套"),
    "dress": ("dress", "连衣裙"),
    "pullover": ("pullover", "套头衫"),
    "sandal": ("sandal", "凉鞋"),
    "shirt": ("shirt", "衬衫"),
    "sneaker": ("sneaker", "运动鞋"),
    "t-shirt": ("T-shirt", "T恤"),
    "trouser": ("trousers", "长裤"),
}
"""What the classes are called, in English and Chinese, by the names of their folders."""
PROTOCOL = (
    "Fréchet distance of the pooled features of efficientnet-lite0 (whole picture scaled to 224×224), "
    "10,000 generated pictures (seeds 0 to 9,999) against the 10,000 test pictures of Fashion-MNIST"
)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="the trained generator, a bundle")
    parser.add_argument("--test", type=Path, required=True, help="the folder of test pictures")
    arguments = parser.parse_args()

    trained = load_bundle(arguments.model)
    size = trained.latent_input
    test = prepare_pictures(arguments.test, (size.height, size.width), size.channels).array
    recognizer = Recognizer()
    made = Generator(trained).generate(range(SCORED))
    distance = frechet_distance(recognizer.features(made), recognizer.features(np.asarray(test[:SCORED])))

    manifest = msgspec.structs.replace(
        trained.manifest,
        name=TARGET.name,
        classes=[ClassName(each.id, *NAMES[each.id]) for each in trained.manifest.classes],
        licence="Apache-2.0",
        origin="Trained by the Huanjing developers with the command under training",
        training=msgspec.structs.replace(
            trained.manifest.training,
            data="The 60,000 training pictures of Fashion-MNIST (Zalando SE, MIT licence)",
        ),
        figures=[Figure("frechet10k_test_efficientnet_lite0", round(distance, 2), PROTOCOL)],
        files={},
    )

    def write_files(folder: Path) -> None:
        for name in ("graph.xml", "graph.bin", "reference.npz"):
            shutil.copyfile(trained.folder / name, folder / name)

    bundle = write_bundle(TARGET, manifest, write_files)
    print(f"{bundle.folder}: distance {distance:.2f}")


if __name__ == "__main__":
    main()

"""How good is a generator? Scores beside their baselines, whether it copies, and the page that shows it all."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from huanjing.datasets import clothing_folder, prepare_pictures
from huanjing.generation.evaluate import evaluate_generator
from huanjing.generation.features import recognizer_space
from huanjing.generation.report import write_report
from huanjing.runtime import Generator

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
folder.mkdir(parents=True, exist_ok=True)
generator = Generator()  # the embedded one, which makes clothing; or the path of a run

train = prepare_pictures(clothing_folder() / "train", (28, 28), 1)
test = prepare_pictures(clothing_folder() / "test", (28, 28), 1)
evaluation, compared = evaluate_generator(
    generator.bundle.manifest.name,
    lambda count: generator.generate(range(count)),
    train.array[::20],  # a few, so that this is done in seconds; scores to rely on take them all
    test.array[::20],
    recognizer_space(),
    count=100,
)
for row in evaluation.rows:
    print(
        f"{row.name:26} {row.generated.value:9.3f}  real {row.real.value:9.3f}  noise {row.noise.value:9.3f}"
    )
print(f"very near to a training picture: {evaluation.copying_features.near.value:.1%}")
for remark in evaluation.remarks:
    print(f"! {remark.en}")
write_report(folder / "report.html", evaluation, compared, generator, folder="clothing")
print(folder / "report.html")

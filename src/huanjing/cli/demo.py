"""``huanjing demo``: everything at once, small and offline: see, learn to make, and show both on a page."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from huanjing.cli.generator_run import Asked
from huanjing.cli.options import Between
from huanjing.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from huanjing.datasets import PictureArray
    from huanjing.generation.train import Tick, TrainedGenerator
    from huanjing.runtime import Generator, Recognizer
    from huanjing.training import Run

DEFAULT_MINUTES = 2.0
SCORED = 1000
"""Pictures on each side of a distance."""
MOMENTS = 8
"""Moments of the training that the report shows and scores."""
SHOWN = 64


@click.command()
@click.option("--minutes", type=Between(min=0.05), help="How long to train.  [default: 2]")
@click.option("--steps", metavar="N", type=click.IntRange(min=1), help="How many steps, instead of minutes.")
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where the report and the run go.",
)
def demo(minutes: float | None, steps: int | None, output: Path) -> int:
    """Recognise photographs, train a generator, make new pictures, and show it all in a report.

    All data comes with Huanjing; nothing is downloaded.

    Example: huanjing demo --minutes 5 --output first-look
    """
    from huanjing.datasets import clothing_folder, prepare_pictures
    from huanjing.runtime import Generator, Recognizer
    from huanjing.training.engine import require_tensorflow

    if minutes is not None and steps is not None:
        raise UsageError("--minutes and --steps are two ways to say how long; give one of them.")
    length = f"{steps:,} steps" if steps else f"{minutes or DEFAULT_MINUTES:g} minutes"
    require_tensorflow()
    recognizer = Recognizer()
    seen, rate = _see(recognizer)
    clothing = clothing_folder()
    asked = Asked(
        recipe="residual", minutes=None if steps else minutes or DEFAULT_MINUTES, steps=steps, resolution=(28, 28),
        conditional="no", seed=0,
    )  # fmt: skip
    learned = _learn(clothing / "train", asked, length, output)
    print("Scoring the pictures against real ones.", file=sys.stderr)
    test = prepare_pictures(clothing / "test", (28, 28), 1)
    scores = _score(recognizer, learned, test)
    report = output / "report.html"
    _write_report(report, seen, rate, learned, scores, test, Generator())
    print(
        f"Distance to real pictures: {scores.moments[0]:.0f} before training, {scores.moments[-1]:.0f} after "
        f"{length}; {scores.baseline:.0f} between real pictures.",
        file=sys.stderr,
    )
    print(report)
    return 0


@dataclass(frozen=True)
class _Learned:
    """What training showed and left."""

    run: Run
    trained: TrainedGenerator
    pictures: PictureArray
    moments: list[tuple[Tick, list[NDArray[np.float32]]]]
    """Ticks at which sample pictures were drawn, and the averaged generator's weights then."""


@dataclass(frozen=True)
class _Scores:
    """Fréchet distances on the embedded network's features."""

    moments: list[float]
    baseline: float
    """Between training and test pictures: what a perfect generator would reach."""


def _see(recognizer: Recognizer) -> tuple[list[dict[str, Any]], float]:
    """Recognise the sample photographs, tell of it, and prepare what the report shows of each."""
    from huanjing.cli.answers import writer
    from huanjing.cli.language import resolve_language
    from huanjing.datasets import photographs
    from huanjing.images import decode_file
    from huanjing.reports import picture_uri

    samples = photographs()
    language = resolve_language(None, human=True)
    paths = [sample.path for sample in samples]
    list(recognizer.recognize_all(paths[:2]))  # the first use compiles the network; that is not what is timed
    started = time.perf_counter()
    predictions = list(recognizer.recognize_all(paths, language=language))
    rate = len(paths) / (time.perf_counter() - started)
    shown = []
    with writer("table", sys.stdout, language) as write:
        for sample, prediction in zip(samples, predictions, strict=True):
            write(prediction.named(sample.file))
            names = [
                {"en": name.en, "zh": name.zh or name.en, "probability": label.probability}
                for label in prediction.labels
                for name in [recognizer.classes[label.index]]
            ]
            shown.append(
                {
                    "picture": picture_uri(
                        decode_file(sample.path, minimum_size=(300, 400)), photograph=True
                    ),
                    "subject_en": sample.subject.en,
                    "subject_zh": sample.subject.zh,
                    "author": sample.author,
                    "licence": sample.licence,
                    "labels": names,
                }
            )
    return shown, rate


def _learn(folder: Path, asked: Asked, length: str, output: Path) -> _Learned:
    """Train as asked on the clothing pictures in a run folder of its own."""
    from huanjing.cli.generator_run import configure, train_and_export
    from huanjing.training import Run

    number = 1
    while (place := output / "runs" / f"clothing-{number}").exists():
        number += 1
    config, pictures = configure(place, folder, asked)
    moments: list[tuple[Tick, list[NDArray[np.float32]]]] = []

    def remember(tick: Tick) -> None:
        if tick.pictures is not None:
            moments.append((tick, tick.generator.get_weights()))

    print(f"Training on {len(pictures):,} clothing pictures for {length}.", file=sys.stderr)
    with Run.start(place, config) as run:
        trained = train_and_export(config, pictures, run, remember)
    return _Learned(run, trained, pictures, _spread(moments, MOMENTS))


def _spread(moments: Sequence[Any], count: int) -> list[Any]:
    """At most ``count`` of the moments, the first and the last among them."""
    if len(moments) <= count:
        return list(moments)
    return [moments[round(k * (len(moments) - 1) / (count - 1))] for k in range(count)]


def _score(recognizer: Recognizer, learned: _Learned, test: PictureArray) -> _Scores:
    import numpy as np

    from huanjing.generation.metrics.frechet import frechet_distance
    from huanjing.generation.samples import make_pictures
    from huanjing.runtime import latents

    def some(array: NDArray[np.uint8]) -> NDArray[np.float32]:
        chosen = np.random.default_rng(0).permutation(len(array))[:SCORED]
        return recognizer.features(array[np.sort(chosen)])

    real = some(test.array)
    baseline = frechet_distance(some(learned.pictures.array), real)
    network = learned.trained.state.averaged
    z = latents(range(SCORED), learned.trained.config.recipe.latent)
    distances = []
    for _, weights in learned.moments:
        network.set_weights(weights)
        distances.append(frechet_distance(recognizer.features(make_pictures(network, z)), real))
    return _Scores(distances, baseline)


def _write_report(
    path: Path,
    seen: list[dict[str, Any]],
    rate: float,
    learned: _Learned,
    scores: _Scores,
    test: PictureArray,
    embedded: Generator,
) -> None:
    from datetime import UTC, datetime
    from importlib.metadata import version

    import numpy as np

    from huanjing.images import picture_grid
    from huanjing.reports import Series, line_chart, picture_uri, render_page
    from huanjing.runtime import Generator
    from huanjing.runtime.engine import machine_name
    from huanjing.runtime.provenance import made_by, provenance

    log = learned.run.read_log()
    trained = Generator(learned.run.model)
    made = trained.generate(range(SHOWN))
    chosen = np.random.default_rng(1).permutation(len(test))[:SHOWN]
    columns = int(SHOWN**0.5)
    points = [(tick.seconds, value) for (tick, _), value in zip(learned.moments, scores.moments, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    render_page(
        path,
        "demo.html",
        version=version("huanjing"),
        date=datetime.now(UTC).astimezone().date().isoformat(),
        machine=machine_name(),
        photographs=seen,
        recognition_rate=rate,
        pictures=len(learned.pictures),
        minutes=f"{learned.trained.seconds / 60:.1f}".removesuffix(".0"),
        before=scores.moments[0],
        after=scores.moments[-1],
        baseline=scores.baseline,
        steps=learned.trained.step,
        training_rate=float(np.median([line["pictures_per_second"] for line in log])) if log else 0.0,
        score_chart=line_chart(
            [Series("distance (lower is better)", "距离（越低越好）", points)],
            x_en="seconds of training", x_zh="训练秒数", dots=True,
        ),
        loss_chart=line_chart(
            [
                Series("discriminator", "判别网络", [(line["seconds"], line["discriminator_loss"]) for line in log]),
                Series("generator", "生成网络", [(line["seconds"], line["generator_loss"]) for line in log]),
            ],
            x_en="seconds of training", x_zh="训练秒数",
        ),
        protocol_en=f"Fréchet distance between the pooled features that EfficientNet-Lite0 sees in {SCORED:,} "
        f"generated pictures and in {SCORED:,} real ones that training did not use. Only distances by this same "
        "protocol compare; published FID figures use another network.",
        protocol_zh=f"对 {SCORED:,} 张生成图片和 {SCORED:,} 张未参与训练的真实图片，取 EfficientNet-Lite0 的池化特征，"
        "计算 Fréchet 距离。只有按同一方法得到的距离才能相互比较；论文中的 FID 用的是另一个网络。",
        moments=[
            {
                "picture": picture_uri(
                    picture_grid(tick.pictures[:8], 4),
                    xmp=made_by(learned.run.folder.name, kind="samples", step=tick.step).xmp,
                ),
                "en": f"{tick.seconds:.0f} s, step {tick.step:,}",
                "zh": f"{tick.seconds:.0f} 秒，第 {tick.step:,} 步",
            }
            for tick, _ in learned.moments
            if tick.pictures is not None
        ],
        generated=picture_uri(
            picture_grid(made, columns), xmp=provenance(trained.bundle, range(SHOWN), kind="grid").xmp
        ),
        real=picture_uri(picture_grid(np.asarray(test.array[chosen]), columns)),
        embedded=picture_uri(
            picture_grid(embedded.generate(range(SHOWN)), columns),
            xmp=provenance(embedded.bundle, range(SHOWN), kind="grid").xmp,
        ),
        embedded_en=f"Made by {embedded.bundle.manifest.name}, which comes with Huanjing, seeds 0 to {SHOWN - 1}",
        embedded_zh=f"由随幻境安装的 {embedded.bundle.manifest.name} 生成，种子 0 至 {SHOWN - 1}",
    )  # fmt: skip

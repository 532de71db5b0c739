"""A generator's report: one page, in English and Chinese, with everything that one would look at."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from huanjing.errors import PictureError
from huanjing.generation.evaluate import Compared, GeneratorEvaluation, Row, evaluate_generator
from huanjing.generation.features import Pictures, recognizer_space
from huanjing.generation.metrics import CopyingScore
from huanjing.generation.outlook import forecast_points
from huanjing.generation.remarks import percent
from huanjing.images import decode_file, picture_grid
from huanjing.images.metadata import carried_xmp
from huanjing.reports import Series, line_chart, picture_uri, render_page
from huanjing.runtime import Generator, latents
from huanjing.runtime.provenance import COMPOSITE_SOURCE_TYPE, provenance
from huanjing.runtime.steering import class_path, latent_path
from huanjing.training import Run

GRID = 8
"""Rows and columns of the sheets of generated and of real pictures."""
MOMENTS = 8
SHEET_GAP = 2
"""Pixels between the pictures of a run's sample sheets."""
FRAMES = 8
STRIPS = 4
NEIGHBOURS_SHOWN = 5
NEIGHBOUR_ROWS = 8
CLOSEST = 12
RUN_PICTURES = 1000
"""Generated pictures of the report that a run writes at its end."""
MOST_EXACT = 100_000
"""Sheets in colour of more pixels are embedded as JPEG."""

TIME_AXES = (("seconds of training", "训练秒数"), ("minutes of training", "训练分钟数"))
LOSSES = ("Losses of the two networks", "两个网络的损失")
DISTANCES = ("Fréchet distance to real pictures", "与真实图片的 Fréchet 距离")

METRICS = {
    "frechet": (
        "Fréchet distance", "Fréchet 距离",
        "how far the two sets lie apart, as Gaussians; too high with few pictures",
        "把两组图片看作高斯分布时相距多远；图片少则偏高",
    ),
    "kernel": (
        "kernel distance × 1000", "核距离 × 1000",
        "the same without that assumption (KID); about 0 where they are alike", "不作此假设（KID）；两组相同时约为 0",
    ),
    "precision": (
        "precision", "精确率",
        "generated pictures that lie among real ones", "落在真实图片之中的生成图片所占比例",
    ),
    "recall": (
        "recall", "召回率",
        "real pictures that lie among generated ones", "落在生成图片之中的真实图片所占比例",
    ),
    "density": (
        "density", "密度",
        "how thick among real ones the generated lie; 1 is usual", "生成图片处在真实图片多密集之处；一般为 1",
    ),
    "coverage": (
        "coverage", "覆盖率",
        "real pictures with a generated one near", "附近有生成图片的真实图片所占比例",
    ),
}  # fmt: skip
"""Names and explanations in English and Chinese."""


def write_run_report(
    run: Path,
    pictures: Pictures,
    *,
    test: Pictures | None = None,
    names: list[str] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> GeneratorEvaluation:
    """Write ``report.html`` into the folder of a run that is done, and say how good its generator is.

    :param pictures: those that it was trained on; may be a memory map.
    :param test: pictures that it was not trained on, if any.
    :param names: of ``pictures``, for the page's pairs.
    :raises DatasetError: where there are too few pictures to compare with.
    """
    generator = Generator(run)
    evaluation, compared = evaluate_generator(
        generator.bundle.manifest.name,
        lambda count: generator.generate(range(count)),
        pictures,
        test,
        recognizer_space(),
        count=RUN_PICTURES,
        on_progress=on_progress,
    )
    write_report(run / "report.html", evaluation, compared, generator, run=run, folder="", names=names)
    return evaluation


def write_report(
    path: Path,
    evaluation: GeneratorEvaluation,
    compared: Compared,
    generator: Generator,
    *,
    folder: str,
    run: Path | None = None,
    names: list[str] | None = None,
) -> None:
    """Write the page of an evaluation.

    :param folder: what the real pictures are called.
    :param run: the run folder that the generator comes from, for its curves and sample sheets.
    :param names: of all training pictures.
    """
    rows = [_shown_row(row) for row in evaluation.rows]
    marks = provenance(generator.bundle).xmp
    mixed = provenance(generator.bundle, source_type=COMPOSITE_SOURCE_TYPE).xmp
    render_page(
        path,
        "generator.html",
        version=version("huanjing"),
        evaluation=evaluation,
        folder=folder,
        rows=rows,
        percent=percent,
        generated=_uri(_sheet(compared.generated), marks),
        real=_uri(_sheet(compared.real)),
        interpolation=_uri(interpolation_sheet(generator, evaluation.seed), marks),
        privacy=generator.bundle.manifest.privacy,
        neighbours={
            space: _uri(_neighbours(compared, score), mixed)
            for space, score in _by_space(evaluation).items()
        },
        closest={
            space: _closest(compared, score, names, mixed) for space, score in _by_space(evaluation).items()
        },
        run=None if run is None else _run_content(run, generator),
    )  # fmt: skip


def score_texts(row: Row) -> tuple[str, str, str, str]:
    """A score as texts: its value, its interval, that of other real pictures, that of noise."""
    factor = 1000.0 if row.metric == "kernel" else 1.0

    def text(value: float) -> str:
        value *= factor
        if row.metric in {"frechet", "kernel"}:
            return f"{value:,.{0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2}f}"
        return f"{value:.3f}"

    return (
        text(row.generated.value),
        f"{text(row.generated.low)} – {text(row.generated.high)}",
        text(row.real.value),
        text(row.noise.value),
    )


def interpolation_sheet(generator: Generator, seed: int) -> Pictures:
    """Rows of frames, each from the picture of one seed to that of the next, along the sphere that latents lie on."""
    seeds = range(seed, seed + 2 * STRIPS)
    ends = latents(seeds, generator.latent.size)
    classes = generator.class_rows(seeds)
    rows = []
    for k in range(0, len(seeds), 2):
        mixed = None if classes is None else class_path(classes[k : k + 2], FRAMES - 1)
        rows.append(generator.draw(latent_path(ends[k : k + 2], FRAMES - 1), mixed))
    return picture_grid(np.concatenate(rows), FRAMES)


def _shown_row(row: Row) -> dict[str, Any]:
    name_en, name_zh, meaning_en, meaning_zh = METRICS[row.metric]
    value, interval, real, noise = score_texts(row)
    return {
        "id": row.name, "en": name_en, "zh": name_zh, "meaning_en": meaning_en, "meaning_zh": meaning_zh,
        "arrow": "↑" if row.higher_is_better else "↓",
        "value": value, "interval": interval, "real": real, "noise": noise,
    }  # fmt: skip


def _by_space(evaluation: GeneratorEvaluation) -> dict[str, CopyingScore]:
    return {"features": evaluation.copying_features, "pixels": evaluation.copying_pixels}


def _sheet(pictures: Pictures) -> Pictures:
    return picture_grid(pictures[: GRID * GRID], GRID)


def _neighbours(compared: Compared, score: CopyingScore) -> Pictures:
    """Rows: a generated picture, a gap, and the training pictures nearest to it."""
    blank = np.full_like(compared.real[:1], 255)
    rows = []
    for position in range(min(NEIGHBOUR_ROWS, len(compared.generated))):
        near = compared.looked_at[score.neighbours[position, :NEIGHBOURS_SHOWN]]
        rows += [compared.generated[position : position + 1], blank, near]
    shown = min(NEIGHBOURS_SHOWN, score.neighbours.shape[1])
    return picture_grid(np.concatenate(rows), 2 + shown)


def _closest(
    compared: Compared, score: CopyingScore, names: list[str] | None, marks: str
) -> list[dict[str, Any]]:
    def pair(made: int, near: int) -> Pictures:
        return picture_grid(np.stack([compared.generated[made], compared.looked_at[near]]), 2)

    return [
        {
            "picture": _uri(pair(made, near), marks),
            "relative": float(score.relative[made]),
            "name": names[int(compared.positions[near])] if names else "",
        }
        for made, near in score.closest(CLOSEST)
    ]


def _run_content(run: Path, generator: Generator) -> dict[str, Any]:
    """What the folder of a run adds: curves from its log, and its sample sheets over time."""
    opened = Run(run)
    log = [line for line in opened.read_log() if "seconds" in line]
    long = bool(log) and log[-1]["seconds"] > 600

    def points(key: str) -> list[tuple[float, float]]:
        return [
            (line["seconds"] / (60 if long else 1), line[key])
            for line in log
            if isinstance(line.get(key), (int, float))
        ]

    x_en, x_zh = TIME_AXES[long]
    charts = []
    if log:
        lines = [
            Series("discriminator", "判别网络", points("discriminator_loss")),
            Series("generator", "生成网络", points("generator_loss")),
        ]
        charts.append((*LOSSES, line_chart(lines, x_en=x_en, x_zh=x_zh)))
    scores = sorted({key for line in log for key in line if key.startswith("frechet")})
    if scores:
        lines = [
            Series(key.replace("frechet", "Fréchet"), key.replace("frechet", "Fréchet"), points(key))
            for key in scores[:3]
        ]
        if forecasts := forecast_points(log, 1 / 60 if long else 1):
            lines.append(Series("forecast of the end, made then", "当时对结束得分的预测", forecasts))
        charts.append((*DISTANCES, line_chart(lines, x_en=x_en, x_zh=x_zh, dots=True)))
    return {"charts": charts, "moments": _moments(opened.samples, log, generator)}


def _moments(samples: Path, log: list[dict[str, Any]], generator: Generator) -> list[dict[str, Any]]:
    """At most eight of a run's sample sheets, the first and the last among them, each cut to some pictures."""
    sheets = sorted(samples.glob("step-*.png"), key=lambda path: int(path.stem.partition("-")[2]))
    if len(sheets) > MOMENTS:
        sheets = [sheets[round(k * (len(sheets) - 1) / (MOMENTS - 1))] for k in range(MOMENTS)]
    rows, columns = 2 * (generator.latent.height + SHEET_GAP), 4 * (generator.latent.width + SHEET_GAP)
    moments = []
    for path in sheets:
        step = int(path.stem.partition("-")[2])
        try:
            pixels = decode_file(path)[: rows - SHEET_GAP, : columns - SHEET_GAP]
        except PictureError:
            continue
        seconds = next((line["seconds"] for line in log if line.get("step", 0) >= step), None)
        after_en, after_zh = (
            ("", "") if seconds is None or not step else (f", {seconds:,.0f} s", f"，{seconds:,.0f} 秒")
        )
        moments.append(
            {
                "picture": _uri(pixels, carried_xmp(path)),
                "en": f"step {step:,}{after_en}",
                "zh": f"第 {step:,} 步{after_zh}",
            }
        )
    return moments


def _uri(picture: Pictures, xmp: str = "") -> str:
    large = picture.shape[2] == 3 and picture[..., 0].size > MOST_EXACT
    return picture_uri(picture, photograph=large, xmp=xmp)

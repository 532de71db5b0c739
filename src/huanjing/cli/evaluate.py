"""``huanjing evaluate``: how good a model is on pictures, as a summary, a JSON file and a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.errors import BundleError, UsageError


@click.command()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--labels", metavar="FILE", type=click.Path(path_type=Path), help="A CSV file with path and label."
)
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where report.html and report.json go; evaluation/MODEL unless told.",
)
@click.option(
    "--unlike",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Of a recogniser: pictures of other things, to see whether it tells that it was not taught these.",
)
@click.option(
    "--count",
    "-n",
    metavar="N",
    type=click.IntRange(min=10),
    help="Of a generator: how many pictures; 2000 unless told.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="Of a generator: the first picture's seed; 0 unless told."
)
@click.option(
    "--features",
    metavar="MODEL",
    help="Of a generator: the recogniser whose features compare; the embedded one unless told.",
)
@click.option(
    "--inception",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Of a generator: the standard Inception weights, whose scores compare with published ones.",
)
@lang_option
def evaluate(
    model: str,
    folder: Path,
    labels: Path | None,
    output: Path | None,
    unlike: Path | None,
    count: int | None,
    seed: int | None,
    features: str | None,
    inception: Path | None,
    lang: Lang | None,
) -> int:
    """Measure MODEL, a name or a run folder, on the pictures of FOLDER.

    A recogniser needs a folder for each class; where FOLDER has train/, val/ and test/, only test/ counts. A
    generator is compared with the pictures of test/ and looked at for copies of those of train/. Where it was taught
    what the subfolders are called, a classifier also learns from its pictures and is tested on real ones.

    Example: huanjing evaluate runs/holiday-recognizer holiday-photographs
    """
    from huanjing.bundle import find_model

    try:
        bundle = find_model(model, "recognizer")
    except BundleError:
        bundle = find_model(model, "generator")
    language = resolve_language(lang, human=True)
    given = {"--count": count, "--seed": seed, "--features": features, "--inception": inception}
    if bundle.manifest.kind == "generator":
        from huanjing.cli.evaluate_generator import evaluate_generator

        _refuse({"--labels": labels, "--unlike": unlike}, model, "recogniser")
        return evaluate_generator(
            bundle,
            folder,
            count=count,
            seed=seed or 0,
            features=features,
            inception=inception,
            output=output,
            language=language,
        )
    _refuse(given, model, "generator")
    from huanjing.cli.evaluate_recognizer import evaluate_recognizer

    return evaluate_recognizer(model, folder, labels, output, unlike, language)


def _refuse(options: Mapping[str, object], model: str, kind: str) -> None:
    """Refuse options that are for models of the other ``kind``."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(f"{', '.join(given)}: is for a {kind}, which {model} is not. Leave it out.")

"""``huanjing search``: similar pictures, and the same ones."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from huanjing.cli.language import Lang, lang_option, resolve_language
from huanjing.cli.options import Between, format_option, model_option
from huanjing.cli.progress import progress_bar
from huanjing.cli.startup import import_openvino_lightly
from huanjing.errors import PictureError, UsageError

if TYPE_CHECKING:
    from huanjing.recognition.search_update import Update
    from huanjing.runtime import Recognizer

index_option = click.option(
    "--index",
    "place",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Where the index is; in your cache unless told.",
)
rebuild_option = click.option("--rebuild", is_flag=True, help="Make the index anew, even a damaged one.")

WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "indexed": "{:,} pictures indexed, {:,} read in {:.1f} s",
        "removed": "; {:,} removed",
        "broken": "; {:,} cannot be read",
        "similarity": "similarity",
        "picture": "picture",
        "exact": "exact: {:,} equal files",
        "near": "near: {:,} pictures that look the same",
        "similar": "similar: {:,} pictures that show nearly the same",
        "groups": "groups of duplicates: {:,}",
    },
    "zh": {
        "indexed": "已索引 {:,} 张图片，本次读取 {:,} 张，用时 {:.1f} 秒",
        "removed": "；移除 {:,} 张",
        "broken": "；{:,} 张无法读取",
        "similarity": "相似度",
        "picture": "图片",
        "exact": "完全相同：{:,} 个文件",
        "near": "看起来相同：{:,} 张图片",
        "similar": "内容相近：{:,} 张图片",
        "groups": "重复图片共 {:,} 组",
    },
}


@click.group()
def search() -> None:
    """Find pictures by what they show: index a folder, then ask it.

    Example: huanjing search index holiday/
    """


@search.command("index")
@click.argument("folder", type=click.Path(path_type=Path))
@index_option
@model_option
@rebuild_option
@lang_option
def index_command(
    folder: Path, place: Path | None, model: str | None, rebuild: bool, lang: Lang | None
) -> int:
    """Index the pictures of a folder, or bring its index up to date: only new and changed pictures are read.

    Ctrl-C keeps what was read so far. Exit status 1 means that some pictures could not be read; each is named.

    Example: huanjing search index holiday/
    """
    words = WORDS[resolve_language(lang, human=True)]
    update, place = _up_to_date(folder, place, _recognizer(model), words, rebuild=rebuild)
    print(place)
    return 1 if update.broken else 0


@search.command("query")
@click.argument("picture", type=click.Path())
@click.option(
    "--in", "folder", metavar="FOLDER", type=click.Path(path_type=Path),
    help="The folder whose index is asked; needed where several folders are indexed.",
)  # fmt: skip
@click.option(
    "--count", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="How many pictures."
)
@click.option("--exact", is_flag=True, help="Compare with every picture, without the shortcut of the graph.")
@index_option
@model_option
@format_option
@lang_option
def query(
    picture: str,
    folder: Path | None,
    count: int,
    exact: bool,
    place: Path | None,
    model: str | None,
    format_: str,
    lang: Lang | None,
) -> int:
    """List the indexed pictures that are most like one picture, with their similarity (1 is the same).

    Example: huanjing search query cat.jpg --in holiday/ -n 5
    """
    recognizer = _recognizer(model)
    from huanjing.recognition.search import SearchIndex, embed

    index = SearchIndex(_find(folder, place, recognizer))
    if index.description.digest != recognizer.bundle.digest:
        raise UsageError(
            f"This index was made with the model {index.description.model}, not with "
            f"{recognizer.bundle.manifest.name}. Name that one with --model."
        )
    embedding = embed(recognizer, [picture])[0]
    if isinstance(embedding, PictureError):
        raise embedding
    matches = index.nearest(embedding, count, exact=exact)
    if format_ == "json":
        print(json.dumps([match.to_dict() for match in matches], ensure_ascii=False, indent=1))
    else:
        from rich.cells import cell_len

        words = WORDS[resolve_language(lang, human=True)]
        width = cell_len(words["similarity"])
        print(f"{words['similarity']}  {words['picture']}")
        for match in matches:
            print(f"{match.similarity:{width}.3f}  {match.path}")
    return 0


@search.command("duplicates")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(["exact", "near", "similar"]),
    multiple=True,
    help="exact: equal files; near: they look the same; similar: they show the same. All unless told.",
)
@click.option(
    "--bits", type=click.IntRange(0, 16), default=4, show_default=True,
    help="For near: how many of 64 bits of the perceptual hash may differ.",
)  # fmt: skip
@click.option(
    "--similarity", type=Between(0, 1), default=0.95, show_default=True,
    help="For similar: the least cosine of the embeddings.",
)  # fmt: skip
@index_option
@model_option
@rebuild_option
@format_option
@lang_option
def duplicates(
    folder: Path,
    kinds: tuple[Literal["exact", "near", "similar"], ...],
    bits: int,
    similarity: float,
    place: Path | None,
    model: str | None,
    rebuild: bool,
    format_: str,
    lang: Lang | None,
) -> int:
    """Group the pictures of a folder that are there more than once. Its index is brought up to date first.

    A group of a looser kind holds what a stricter one has joined, and is listed where it adds something. Exit status
    1 means that some pictures could not be read; each is named.

    Example: huanjing search duplicates holiday/ --kind exact --kind near
    """
    words = WORDS[resolve_language(lang, human=True)]
    update, _ = _up_to_date(folder, place, _recognizer(model), words, rebuild=rebuild)
    groups = update.index.duplicates(kinds or ("exact", "near", "similar"), bits=bits, similarity=similarity)
    if format_ == "json":
        print(json.dumps([group.to_dict() for group in groups], ensure_ascii=False, indent=1))
    else:
        for group in groups:
            print(words[group.kind].format(len(group.paths)))
            for path in group.paths:
                print(f"  {path}")
    print(words["groups"].format(len(groups)), file=sys.stderr)
    return 1 if update.broken else 0


def _recognizer(model: str | None) -> Recognizer:
    import_openvino_lightly()
    from huanjing.runtime import Recognizer

    return Recognizer(model)


def _up_to_date(
    folder: Path, place: Path | None, recognizer: Recognizer, words: dict[str, str], *, rebuild: bool
) -> tuple[Update, Path]:
    from huanjing.recognition.search import default_place
    from huanjing.recognition.search_update import update_index

    place = place or default_place(folder, recognizer)
    started = time.perf_counter()
    with progress_bar() as report:
        update = update_index(folder, place, recognizer, rebuild=rebuild, on_progress=report)
    for broken in update.broken:
        print(f"huanjing: {folder / broken.name}: {broken.reason}", file=sys.stderr)
    seconds = time.perf_counter() - started
    said = words["indexed"].format(len(update.index), update.read, seconds)
    said += words["removed"].format(update.removed) if update.removed else ""
    said += words["broken"].format(len(update.broken)) if update.broken else ""
    print(said, file=sys.stderr)
    return update, place


def _find(folder: Path | None, place: Path | None, recognizer: Recognizer) -> Path:
    """The index that a query means."""
    from huanjing.recognition.search import cached_indexes, default_place

    if place is not None:
        return place
    if folder is not None:
        return default_place(folder, recognizer)
    found = cached_indexes()
    if len(found) != 1:
        what = "Several folders are indexed" if found else "No folder is indexed yet"
        advice = "Name one with --in FOLDER" if found else "Index one with: huanjing search index FOLDER"
        raise UsageError(f"{what}. {advice}.")
    return found[0]

"""Search and the doctor: indexing beside recognising, queries over 100,000 pictures, and memory on large folders."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.photographs import make_photographs
from benchmarks.processes import HUANJING, peak_memory
from benchmarks.report import Row, median_ratio
from huanjing.datasets import index_folder
from huanjing.images.perceptual import THUMBNAIL
from huanjing.recognition import search_store as store
from huanjing.recognition.search import SearchIndex
from huanjing.recognition.search_update import update_index
from huanjing.runtime import Recognizer, processors

PHOTOGRAPHS = 1000
LARGE = 100_000
QUERIES = 200


def run(photographs: int = PHOTOGRAPHS, large: int = LARGE, rounds: int = 5) -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        pictures = make_photographs(place / "photographs", photographs)
        row, embeddings = indexing(place, rounds)
        return [row, *queries(place, embeddings, large), *memory(place, pictures, large)]


def indexing(place: Path, rounds: int) -> tuple[Row, NDArray[np.float32]]:
    """Indexing a folder and recognising it, in turn in one process; and the embeddings that came of it."""
    recognizer = Recognizer()
    found = index_folder(place / "photographs")
    paths = [str(found.path(file)) for file in found.files]

    def recognise() -> float:
        started = time.perf_counter()
        for _ in recognizer.recognize_all(paths):
            pass
        return len(paths) / (time.perf_counter() - started)

    def index() -> float:
        shutil.rmtree(place / "index", ignore_errors=True)
        started = time.perf_counter()
        update_index(found, place / "index", recognizer)
        return len(paths) / (time.perf_counter() - started)

    recognise()
    index()
    runs = [(index(), recognise()) for _ in range(rounds)]
    indexed, recognised = [a for a, _ in runs], [b for _, b in runs]
    ratio = median_ratio(indexed, recognised)
    row = Row(
        f"pictures/s of indexing {len(paths):,} photographs, against recognising them",
        "at least 90 %",
        f"{statistics.median(indexed):.0f} against {statistics.median(recognised):.0f}: {ratio:.0%}",
        ratio >= 0.9,
        {"index": indexed, "recognize": recognised},
    )
    return row, np.asarray(SearchIndex(place / "index").embeddings, np.float32)


def queries(place: Path, embeddings: NDArray[np.float32], count: int) -> list[Row]:
    """The ten nearest of ``count`` embeddings, through the graph and by comparing with all.

    They lie between real ones: two embeddings of photographs mixed, with a tenth of noise.
    """
    random = np.random.default_rng(0)
    vectors = _between(embeddings, count, random)
    asked = _between(embeddings, QUERIES, random)
    index = _index(place / "large", vectors)
    taken, shared = [], 0
    index.nearest(asked[0])
    for query in asked:
        started = time.perf_counter()
        found = index.nearest(query)
        taken.append(1000 * (time.perf_counter() - started))
        exact = {match.path for match in index.nearest(query, exact=True)}
        shared += len(exact & {match.path for match in found})
    recall = shared / (10 * len(asked))
    middle, slow = statistics.median(taken), float(np.quantile(taken, 0.95))
    return [
        Row(
            f"a query over {count:,} embeddings, in process",
            "under 10 ms",
            f"{middle:.2f} ms; of twenty, nineteen within {slow:.1f} ms",
            middle < 10,
            {"milliseconds": taken},
        ),
        Row(
            f"of the ten nearest among {count:,}, those that the graph finds",
            "at least 95 %",
            f"{recall:.1%}",
            recall >= 0.95,
            {"queries": len(asked)},
        ),
    ]


def memory(place: Path, pictures: list[Path], count: int) -> list[Row]:
    """Peak memory and time of the commands on ``count`` files, which are links to the photographs."""
    folder = place / "many"
    for number in range(count):
        path = folder / f"{number % 100:02d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(pictures[number % len(pictures)], path)
    rows = []
    for figure, command in (
        ("search index", ["search", "index", str(folder), "--index", str(place / "many-index")]),
        ("doctor", ["doctor", str(folder), "--output", str(place / "doctor.txt")]),
    ):
        started = time.perf_counter()
        # The doctor ends with 1, as there are equal files in different folders.
        peak = peak_memory([*HUANJING, *command], may_fail=figure == "doctor")
        seconds = time.perf_counter() - started
        rows.append(
            Row(
                f"peak memory of {figure} on {count:,} pictures",
                "at most 4 GB",
                f"{peak / 1e9:.2f} GB; {seconds / 60:.1f} minutes, {count / seconds:.0f} pictures/s",
                peak <= 4e9,
                {"bytes": peak, "seconds": seconds},
            )
        )
    return rows


def _between(embeddings: NDArray[np.float32], count: int, random: np.random.Generator) -> NDArray[np.float16]:
    """``[count, features]``, each of length 1."""
    vectors = np.empty((count, embeddings.shape[1]), np.float16)
    for start in range(0, count, 4096):
        rows = vectors[start : start + 4096]
        one, other = random.integers(0, len(embeddings), (2, len(rows)))
        share = random.uniform(0.5, 1, (len(rows), 1)).astype(np.float32)
        mixed = share * embeddings[one] + (1 - share) * embeddings[other]
        mixed += 0.1 * random.standard_normal(mixed.shape, np.float32) / np.sqrt(mixed.shape[1])
        rows[:] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return vectors


def _index(place: Path, vectors: NDArray[np.float16]) -> SearchIndex:
    graph = store.new_graph(vectors.shape[1])
    for start in range(0, len(vectors), 8192):
        rows = vectors[start : start + 8192]
        graph.add(np.arange(start, start + len(rows), dtype=np.uint64), rows, threads=processors())
    entries = [
        store.Entry(f"{number:06d}.jpg", 1, 1, f"{number:064x}", f"{number:016x}", number)
        for number in range(len(vectors))
    ]
    description = store.Description(
        store.FORMAT, "/photographs", "mixed", "mixed", vectors.shape[1], len(vectors), entries, [], {}, {}
    )
    thumbnails = np.zeros((len(vectors), THUMBNAIL, THUMBNAIL, 3), np.uint8)
    return SearchIndex(store.save(place, description, vectors, thumbnails, graph, None))

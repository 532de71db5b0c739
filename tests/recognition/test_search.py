"""Search: the index is right, reads only what it must, and finds what it should."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.datasets import photographs
from huanjing.errors import DatasetError, UsageError
from huanjing.recognition import search_read, search_store, search_update
from huanjing.recognition.search import SearchIndex, cached_indexes, default_place, embed
from huanjing.recognition.search_update import update_index
from huanjing.runtime import Recognizer


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture(scope="module")
def built(recognizer: Recognizer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder that no test changes, and its index, which none writes to."""
    root = tmp_path_factory.mktemp("built")
    folder = make_folder(root / "pictures")
    update_index(folder, root / "index", recognizer)
    return folder, root / "index"


def make_folder(place: Path) -> Path:
    """The sample photographs, smaller, and six parts of the castle."""
    (place / "parts").mkdir(parents=True)
    for photograph in photographs():
        with Image.open(photograph.path) as opened:
            opened.reduce(2).save(place / f"{photograph.path.stem}.jpg", quality=92)
    with Image.open(photographs()[2].path) as castle:
        for part in range(1, 12, 2):
            left, upper = part % 3 * castle.width // 4, part // 3 * castle.height // 6
            castle.crop((left, upper, left + 200, upper + 150)).save(place / "parts" / f"img{part}.jpg")
    return place


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files that are read."""
    names: list[str] = []
    read = search_read.read_regular_file

    def watched(path: str | os.PathLike[str], most: int) -> bytes:
        names.append(Path(path).name)
        return read(path, most)

    monkeypatch.setattr(search_read, "read_regular_file", watched)
    return names


def names(index: SearchIndex) -> list[str]:
    return [entry.name for entry in index.description.entries]


def test_a_picture_finds_itself_first(recognizer: Recognizer, built: tuple[Path, Path]) -> None:
    folder, place = built
    index = SearchIndex(place)
    assert len(index) == 20
    for name, embedding in zip(
        names(index), embed(recognizer, [folder / name for name in names(index)]), strict=True
    ):
        assert isinstance(embedding, np.ndarray)
        for exact in (False, True):
            matches = index.nearest(embedding, 5, exact=exact)
            assert matches[0].path == str(folder.resolve() / name)
            assert matches[0].similarity > 0.999
            assert [match.similarity for match in matches] == sorted(
                (match.similarity for match in matches), reverse=True
            )
    parts = [match.path for match in index.nearest(index.embeddings[names(index).index("castle.jpg")], 7)]
    assert sum("parts" in path for path in parts) >= 3, "parts of the castle are like the castle"


def test_embeddings_are_the_networks_features(recognizer: Recognizer, built: tuple[Path, Path]) -> None:
    folder, place = built
    index = SearchIndex(place)
    with Image.open(folder / names(index)[3]) as opened_picture:
        features = recognizer.features(np.asarray(opened_picture.convert("RGB"))[None])[0]
    cosine = float(index.embeddings[3].astype(np.float32) @ (features / np.linalg.norm(features)))
    assert cosine > 0.995
    assert np.linalg.norm(index.embeddings.astype(np.float32), axis=1) == pytest.approx(1, abs=2e-3)


def test_only_new_and_changed_pictures_are_read(
    recognizer: Recognizer, folder: Path, place: Path, opened: list[str]
) -> None:
    (folder / "broken.jpg").write_bytes((folder / "crab.jpg").read_bytes()[:900])
    first = update_index(folder, place, recognizer)
    assert sorted(opened) == sorted(path.name for path in folder.rglob("*.jpg"))
    assert [each.name for each in first.broken] == ["broken.jpg"]
    assert "cut short" in first.broken[0].reason

    opened.clear()
    listing = sorted(path.name for path in place.iterdir())
    again = update_index(folder, place, recognizer)
    assert opened == []
    assert (again.read, again.kept, again.removed, len(again.broken)) == (0, 21, 0, 1)
    assert sorted(path.name for path in place.iterdir()) == listing, (
        "nothing is written where nothing changed"
    )

    shutil.copy(folder / "rocket.jpg", folder / "parts" / "img4.jpg")
    shutil.copy(folder / "espresso.jpg", folder / "crab.jpg")
    (folder / "castle.jpg").unlink()
    third = update_index(folder, place, recognizer)
    assert sorted(opened) == ["crab.jpg", "img4.jpg"]
    assert (third.read, third.removed, len(third.index)) == (2, 1, 20)
    assert "castle.jpg" not in names(third.index)
    parts = [name for name in names(third.index) if name.startswith("parts")]
    assert parts[:4] == [f"parts/img{number}.jpg" for number in (1, 3, 4, 5)]
    matches = third.index.nearest(third.index.embeddings[names(third.index).index("rocket.jpg")], 2)
    assert {Path(match.path).name for match in matches} == {"rocket.jpg", "img4.jpg"}
    assert all("castle.jpg" not in match.path for match in third.index.nearest(third.index.embeddings[0], 20))
    assert len(list(place.iterdir())) == 4, "what the index no longer needs is gone"

    (folder / "broken.jpg").write_bytes((folder / "kingfisher.jpg").read_bytes())
    assert update_index(folder, place, recognizer).broken == ()


def test_what_is_gone_leaves_the_graph(recognizer: Recognizer, folder: Path, place: Path) -> None:
    """One of twenty is taken out of the graph; of more, it is made anew."""
    update_index(folder, place, recognizer)
    for name in ("castle.jpg", "honey-bee.jpg"):
        (folder / name).unlink()
        index = update_index(folder, place, recognizer).index
        assert name not in names(index)
        for exact in (False, True):
            for position in range(len(index)):
                found = index.nearest(index.embeddings[position], 30, exact=exact)
                assert Path(found[0].path) == folder.resolve() / names(index)[position]
                assert len({match.path for match in found}) == len(index)
    shutil.copy(folder / "crab.jpg", folder / "castle.jpg")
    index = update_index(folder, place, recognizer).index
    assert [len(group.paths) for group in index.duplicates(("exact",))] == [2]
    assert len(index.nearest(index.embeddings[0], 30)) == 19


def test_the_result_does_not_depend_on_how_it_came_about(
    recognizer: Recognizer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in sorted(folder.glob("*.jpg"))[::3]:
        path.rename(aside / path.name)
    update_index(folder, tmp_path / "grown", recognizer)
    for path in aside.iterdir():
        path.rename(folder / path.name)
    monkeypatch.setattr(search_update, "COMMIT", 3)
    grown = update_index(folder, tmp_path / "grown", recognizer).index
    fresh = update_index(folder, tmp_path / "fresh", recognizer).index
    assert names(grown) == names(fresh)
    assert np.array_equal(grown.thumbnails, fresh.thumbnails)
    assert np.allclose(grown.embeddings, fresh.embeddings, atol=1e-3)
    for index in (grown, fresh):
        found = index.nearest(index.embeddings[7], 4)
        assert [match.path for match in found] == [
            match.path for match in fresh.nearest(fresh.embeddings[7], 4, exact=True)
        ]


def test_an_interruption_keeps_what_was_read(
    recognizer: Recognizer, folder: Path, place: Path, opened: list[str]
) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update_index(folder, place, recognizer, on_progress=stop)
    assert len(SearchIndex(place)) == 9
    opened.clear()
    assert update_index(folder, place, recognizer).read == 11
    assert len(opened) == 11


def test_duplicates_of_each_kind(recognizer: Recognizer, folder: Path, place: Path) -> None:
    assert update_index(folder, place, recognizer).index.duplicates() == []
    shutil.copy(folder / "crab.jpg", folder / "crab copy.jpg")
    with Image.open(folder / "castle.jpg") as castle:
        castle.save(folder / "castle 10.jpg", quality=50)
        castle.reduce(2).save(folder / "castle 9.png")
        castle.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "mirrored.jpg")
    with Image.open(folder / "espresso.jpg") as espresso:
        exif = Image.Exif()
        exif[0x0112] = 6
        espresso.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", exif=exif, quality=90)
    index = update_index(folder, place, recognizer).index
    strict = [
        (group.kind, [Path(path).name for path in group.paths])
        for group in index.duplicates(("exact", "near"))
    ]
    assert strict == [
        ("exact", ["crab.jpg", "crab copy.jpg"]),
        ("near", ["castle.jpg", "castle 9.png", "castle 10.jpg"]),
        ("near", ["espresso.jpg", "turned.jpg"]),
    ]
    loose = [group for group in index.duplicates() if group.kind == "similar"]
    assert [[Path(path).name for path in group.paths] for group in loose] == [
        ["castle.jpg", "castle 9.png", "castle 10.jpg", "mirrored.jpg"]
    ]


def overwrite(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        file.write(b"\xff" * 16)


def rename_in_description(place: Path) -> None:
    description = json.loads((place / "index.json").read_bytes())
    description["names"]["graph"] = "../" + description["names"]["graph"]
    (place / "index.json").write_text(json.dumps(description))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda place: (place / "index.json").write_text("{"), "does not say what it should"),
        (lambda place: (place / "index.json").write_text('{"format": 1}'), "missing required field"),
        (lambda place: (place / "index.json").write_text('{"format": 2}'), "index format 2"),
        (lambda place: next(place.glob("embeddings-*")).unlink(), "is missing"),
        (lambda place: next(place.glob("thumbnails-*")).write_bytes(b""), "has 0 bytes"),
        (lambda place: overwrite(next(place.glob("embeddings-*")), 0), "is no array"),
        (lambda place: overwrite(next(place.glob("graph-*")), 100), "is not what was written"),
        (rename_in_description, "names no graph"),
    ],
)  # fmt: skip
def test_a_damaged_index_says_so(
    recognizer: Recognizer, built: tuple[Path, Path], place: Path, harm: Callable[[Path], None], says: str
) -> None:
    folder, sound = built
    shutil.copytree(sound, place)
    harm(place)
    for use in (lambda: SearchIndex(place), lambda: update_index(folder, place, recognizer)):
        with pytest.raises(DatasetError, match=says) as caught:
            use()
        assert "huanjing search index FOLDER --rebuild" in str(caught.value)


def test_a_damaged_index_can_be_rebuilt(
    recognizer: Recognizer, built: tuple[Path, Path], place: Path
) -> None:
    folder, sound = built
    shutil.copytree(sound, place)
    (place / "index.json").write_text("{")
    assert len(update_index(folder, place, recognizer, rebuild=True).index) == 20
    assert len(list(place.iterdir())) == 4


def test_a_place_of_somebody_elses_is_left_alone(
    recognizer: Recognizer, built: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, sound = built
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "embeddings-notes.npy").write_text("keep me")
    with pytest.raises(UsageError, match="not an index"):
        update_index(folder, tmp_path / "mine", recognizer, rebuild=True)
    assert (tmp_path / "mine" / "embeddings-notes.npy").read_text() == "keep me"
    with pytest.raises(UsageError, match="is the index of"):
        update_index(folder / "parts", sound, recognizer)
    with pytest.raises(UsageError, match="holds no index"):
        SearchIndex(tmp_path / "nowhere")


def test_a_folder_of_broken_pictures_gives_an_empty_index(
    recognizer: Recognizer, tmp_path: Path, place: Path
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.jpg").write_bytes(b"no picture")
    update = update_index(tmp_path / "x", place, recognizer)
    assert len(update.index) == 0
    assert len(update.broken) == 1
    assert update.index.nearest(np.zeros(update.index.description.features, np.float32)) == []
    assert update.index.duplicates() == []
    assert update_index(tmp_path / "x", place, recognizer).read == 0


def test_the_cache_has_a_place_for_each_folder(recognizer: Recognizer, built: tuple[Path, Path]) -> None:
    folder, _ = built
    place = default_place(folder, recognizer)
    assert place != default_place(folder / "parts", recognizer)
    assert place.is_relative_to(os.environ["HUANJING_CACHE"])
    update_index(folder / "parts", default_place(folder / "parts", recognizer), recognizer)
    assert default_place(folder / "parts", recognizer) in cached_indexes()


def test_the_graph_finds_what_comparing_all_finds(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    centres = random.standard_normal((50, 64))
    vectors = centres[random.integers(0, 50, 3000)] + random.standard_normal((3000, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    graph = search_store.new_graph(64)
    graph.add(np.arange(3000, dtype=np.uint64) + 7, vectors)
    description = search_store.Description(
        1, "/pictures", "model", "digest", 64, 3007,
        [search_store.Entry(f"{k}.jpg", 1, 1, f"{k:064x}", f"{k:016x}", k + 7) for k in range(3000)],
        [], {}, {},
    )  # fmt: skip
    thumbnails = np.zeros((3000, 12, 12, 3), np.uint8)
    index = SearchIndex(search_store.save(tmp_path / "index", description, vectors, thumbnails, graph, None))
    queries = random.choice(3000, 100, replace=False)
    shared = 0
    for query in queries:
        found = {match.path for match in index.nearest(vectors[query], 10)}
        shared += len(found & {match.path for match in index.nearest(vectors[query], 10, exact=True)})
    assert shared / 1000 > 0.97

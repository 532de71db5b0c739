"""A bundle says all that is needed to use a model, and is checked before it is trusted."""

import json
from pathlib import Path

import pytest

from huanjing.bundle import (
    ClassName,
    LatentInput,
    Manifest,
    PictureInput,
    TrainingSummary,
    load_bundle,
    write_bundle,
)
from huanjing.errors import BundleError

MANIFEST = Manifest(
    format=1,
    kind="recognizer",
    name="two-pets",
    architecture="test-network",
    input=PictureInput(height=8, width=8, crop_fraction=0.875),
    classes=[ClassName("cat", "cat", "猫"), ClassName("dog", "dog", "狗")],
    training=TrainingSummary("pictures of pets"),
    licence="Apache-2.0",
    origin="written by this test",
)


def write_graph(folder: Path) -> None:
    (folder / "graph.xml").write_text("<net/>")
    (folder / "graph.bin").write_bytes(b"0123456789")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "two-pets", MANIFEST, write_graph).folder


def edit(folder: Path, **changes: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_was_written_is_read(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.manifest.classes[1].zh == "狗"
    assert bundle.picture_input.crop_fraction == 0.875
    assert set(bundle.manifest.files) == {"graph.xml", "graph.bin"}
    assert len(bundle.digest) == 64


def test_the_digest_follows_the_content(folder: Path, tmp_path: Path) -> None:
    def write_other(other: Path) -> None:
        write_graph(other)
        (other / "graph.bin").write_bytes(b"9876543210")

    assert write_bundle(tmp_path / "again", MANIFEST, write_graph).digest == load_bundle(folder).digest
    assert write_bundle(tmp_path / "other", MANIFEST, write_other).digest != load_bundle(folder).digest


def test_a_bundle_is_replaced_as_a_whole(folder: Path) -> None:
    (folder / "left-over").write_text("")
    write_bundle(folder, MANIFEST, write_graph)
    assert sorted(path.name for path in folder.iterdir()) == ["graph.bin", "graph.xml", "model.json"]
    assert [path.name for path in folder.parent.iterdir()] == ["two-pets"]


def test_what_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.jpg").write_bytes(b"precious")
    with pytest.raises(BundleError, match="not a model"):
        write_bundle(tmp_path / "holiday", MANIFEST, write_graph)
    assert (tmp_path / "holiday" / "beach.jpg").read_bytes() == b"precious"


def test_a_failed_write_leaves_the_old_bundle(folder: Path) -> None:
    def fail(aside: Path) -> None:
        write_graph(aside)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bundle(folder, MANIFEST, fail)
    load_bundle(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["two-pets"]


def test_a_changed_file_is_refused(folder: Path) -> None:
    (folder / "graph.bin").write_bytes(b"012345678X")
    with pytest.raises(BundleError, match=r"graph\.bin does not match its SHA-256"):
        load_bundle(folder)


def test_a_file_cut_short_is_refused(folder: Path) -> None:
    (folder / "graph.bin").write_bytes(b"01234")
    with pytest.raises(BundleError, match=r"graph\.bin has 5 bytes, model\.json says 10"):
        load_bundle(folder, verify=False)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "graph.bin").unlink()
    with pytest.raises(BundleError, match=r"graph\.bin is missing"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "a/../../secret",
        "..",
        "",
        ".",
        "a//b",
        "C:\\x",
        "..\\secret",
        "a\0b",
        "./a",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(folder: Path, name: str) -> None:
    entry = {"sha256": "0" * 64, "bytes": 1}
    edit(folder, files={name: entry})
    with pytest.raises(BundleError, match="not a plain path inside"):
        load_bundle(folder)


def test_a_link_that_leaves_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"0123456789")
    (folder / "graph.bin").unlink()
    (folder / "graph.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="link that leaves the folder"):
        load_bundle(folder)


def test_a_future_format_says_to_upgrade(folder: Path) -> None:
    edit(folder, format=2, kind="something-new")
    with pytest.raises(BundleError, match=r"format 2; this version of Huanjing reads up to 1\. Upgrade"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"kind": "toaster"}, r"\$\.kind"),
        ({"input": {"type": "picture", "height": "8", "width": 8}}, r"\$\.input\.height"),
        ({"input": {"type": "picture", "height": 0, "width": 8}}, r"\$\.input\.height"),
        ({"input": {"type": "sound"}}, r"\$\.input"),
        ({"classes": [{"id": "cat"}]}, r"\$\.classes"),
        ({"name": "../../x"}, r"\$\.name"),
        ({"files": {"graph.xml": {"sha256": "zz", "bytes": 1}}}, r"\$\.files"),
    ],
)
def test_a_manifest_against_the_schema_names_the_place(
    folder: Path, changes: dict[str, object], place: str
) -> None:
    edit(folder, **changes)
    with pytest.raises(BundleError, match=place):
        load_bundle(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.json").write_bytes(content)
    with pytest.raises(BundleError, match="not a valid manifest"):
        load_bundle(folder)


def test_fields_of_a_newer_minor_revision_are_ignored(folder: Path) -> None:
    edit(folder, favourite_colour="jade")
    assert load_bundle(folder).manifest.name == "two-pets"


def test_a_recogniser_has_no_latent(folder: Path) -> None:
    with pytest.raises(BundleError, match="is a recognizer; a generator is needed"):
        _ = load_bundle(folder).latent_input


def test_a_bundle_needs_its_graph(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"lists no graph\.xml"):
        write_bundle(tmp_path / "empty", MANIFEST, lambda aside: (aside / "notes.txt").touch())
    assert list(tmp_path.iterdir()) == []


def test_a_generator_says_its_latent(tmp_path: Path) -> None:
    import msgspec

    manifest = msgspec.structs.replace(
        MANIFEST, kind="generator", classes=[], input=LatentInput(size=64, height=28, width=28, channels=1)
    )
    assert write_bundle(tmp_path / "g", manifest, write_graph).latent_input.size == 64

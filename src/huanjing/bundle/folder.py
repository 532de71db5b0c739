"""Reading and writing a bundle: a folder with ``model.json``, a graph, and the hash of each file.

Loading checks before it trusts: the format version, the schema, that every file stays inside the folder, sizes
and SHA-256. Nothing in a bundle is executed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import msgspec

from huanjing.bundle.manifest import FORMAT, FileEntry, LatentInput, Manifest, PictureInput
from huanjing.errors import BundleError

MANIFEST = "model.json"
GRAPH = "graph.xml"
REFERENCE = "reference.npz"
MANIFEST_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose manifest has been checked."""

    folder: Path
    manifest: Manifest

    @property
    def graph(self) -> Path:
        """The network as an OpenVINO graph; its numbers are in ``graph.bin`` beside it."""
        return self.folder / GRAPH

    @property
    def reference(self) -> Path:
        """An input and the outputs that belong to it, by which an engine can check itself; may be absent."""
        return self.folder / REFERENCE

    @property
    def picture_input(self) -> PictureInput:
        """The input of a recogniser. :raises BundleError: for a bundle of another kind."""
        if not isinstance(self.manifest.input, PictureInput):
            raise BundleError(f"{self.folder}: is a {self.manifest.kind}; a recognizer is needed here")
        return self.manifest.input

    @property
    def latent_input(self) -> LatentInput:
        """The input of a generator. :raises BundleError: for a bundle of another kind."""
        if not isinstance(self.manifest.input, LatentInput):
            raise BundleError(f"{self.folder}: is a {self.manifest.kind}; a generator is needed here")
        return self.manifest.input

    @property
    def digest(self) -> str:
        """SHA-256 over the hashes of all files: the model's identity, as a generated picture carries it."""
        lines = (f"{name} {entry.sha256}\n" for name, entry in sorted(self.manifest.files.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def load_bundle(folder: str | os.PathLike[str], *, verify: bool = True) -> Bundle:
    """Read and check the bundle in ``folder``.

    :param verify: also read every file and compare its SHA-256 (sizes are compared in any case).
    :raises BundleError: for anything wrong; the message names the file and what to do.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder / MANIFEST)
    try:
        _check_files(folder, manifest, verify=verify)
    except OSError as error:
        raise BundleError(f"{error.filename or folder}: cannot be read: {error.strerror}") from None
    for needed in (GRAPH, str(Path(GRAPH).with_suffix(".bin"))):
        if needed not in manifest.files:
            raise BundleError(f"{folder}: {MANIFEST} lists no {needed}; a model cannot be used without it")
    return Bundle(folder, manifest)


def _check_files(folder: Path, manifest: Manifest, *, verify: bool) -> None:
    for name, entry in manifest.files.items():
        path = _inside(folder, name)
        if not path.is_file():
            raise BundleError(f"{folder}: {name} is missing. Copy the whole folder again.")
        if path.stat().st_size != entry.bytes:
            raise BundleError(
                f"{folder}: {name} has {path.stat().st_size} bytes, {MANIFEST} says {entry.bytes}. "
                "The copy is incomplete or was changed; get the model again."
            )
        if verify and file_sha256(path) != entry.sha256:
            raise BundleError(
                f"{folder}: the content of {name} does not match its SHA-256 in {MANIFEST}. "
                "It was damaged or changed; get the model again."
            )


def write_bundle(
    folder: str | os.PathLike[str], manifest: Manifest, write_files: Callable[[Path], None]
) -> Bundle:
    """Write a bundle into ``folder``, all of it or nothing.

    ``write_files`` puts ``graph.xml``, ``graph.bin`` and any further files into the folder that it is given (one
    beside the final one, moved into place at the end). What stood in ``folder`` before must be a bundle, which is
    replaced; anything else is left alone and refused.

    :param manifest: its ``files`` are filled in here.
    :raises BundleError: where ``folder`` holds something that is not a bundle.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise BundleError(f"{folder}: is not empty and not a model; name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write_files(aside)
        files = {
            path.relative_to(aside).as_posix(): FileEntry(file_sha256(path), path.stat().st_size)
            for path in sorted(aside.rglob("*"))
            if path.is_file()
        }
        manifest = msgspec.structs.replace(manifest, files=files)
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        (aside / MANIFEST).write_bytes(encoded + b"\n")
        aside.chmod(0o755)
        load_bundle(aside)
        put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Bundle(folder, manifest)


def put_in_place(aside: Path, folder: Path) -> None:
    """Give the finished folder ``aside``, which lies beside it, the name ``folder``; what had the name goes."""
    if not folder.exists():
        aside.rename(folder)
        return
    outgoing = aside.with_name(aside.name + ".old")
    folder.rename(outgoing)
    aside.rename(folder)
    shutil.rmtree(outgoing)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path) -> Manifest:
    folder = path.parent
    try:
        with path.open("rb") as file:
            data = file.read(MANIFEST_MAX_BYTES + 1)
    except FileNotFoundError:
        raise BundleError(f"{folder}: is not a model: it has no {MANIFEST}") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MANIFEST_MAX_BYTES:
        raise BundleError(f"{path}: is larger than {MANIFEST_MAX_BYTES} bytes, so it is no manifest")
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version > FORMAT:
            raise BundleError(
                f"{folder}: has bundle format {version}; this version of Huanjing reads up to {FORMAT}. "
                "Upgrade with: pip install --upgrade huanjing"
            )
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path}: is not a valid manifest: {error}") from None


class _Version(msgspec.Struct):
    format: int


def _inside(folder: Path, name: str) -> Path:
    """The path of a listed file, refused unless it is a plain relative one that stays in the folder."""
    parts = PurePosixPath(name).parts
    windows = PureWindowsPath(name)
    if (
        not parts
        or name != "/".join(parts)
        or ".." in windows.parts
        or windows.anchor
        or "\\" in name
        or "\0" in name
        or name.startswith("/")
    ):
        raise BundleError(f"{folder}: {MANIFEST} lists {name!r}, which is not a plain path inside the folder")
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"{folder}: {name!r} is a link that leaves the folder")
    return path

"""What training begins with: the model that ``--from`` names, brought to the side that the pictures need.

Its ``features`` are what a head is fitted on. An EfficientNet-Lite is rebuilt at any side from the weights in its
graph. A classic network is taken from its Keras weight file, where that is at hand: without its top, with global
average pooling, at any side. Any other model serves as it is, for a head alone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from huanjing.bundle import Bundle, find_model, load_bundle, write_bundle
from huanjing.bundle.download import fetch_file, weights_folder
from huanjing.bundle.folder import GRAPH, MANIFEST, file_sha256
from huanjing.errors import BundleError, ModelNotFoundError, UsageError
from huanjing.recognition.efficientnet_lite import VARIANTS, Variant
from huanjing.recognition.presets import NORMALISATION, PRESETS, Preset, how_to_fetch
from huanjing.runtime.engine import cache_folder

VERSION = 1
"""Raised when a change makes other graphs, so that old caches are left alone."""


@dataclass(frozen=True)
class Start:
    """A model to begin with."""

    name: str
    digest: str
    """Its identity: that of its bundle, or the SHA-256 of its weight file."""
    side: int
    """Of the pictures that it was trained on."""
    channels: int
    bundle: Bundle | None = None
    variant: Variant | None = None
    """Which EfficientNet-Lite it is, if one."""
    preset: Preset | None = None
    """Which classic network ``weights`` are of."""
    weights: Path | None = None
    """The Keras file of a classic network."""

    @property
    def tunable(self) -> bool:
        """Whether the network itself can learn further, and see pictures of another side."""
        return self.variant is not None or self.weights is not None

    @property
    def architecture(self) -> str:
        """The network's name."""
        if self.preset is not None:
            return self.preset.name
        assert self.bundle is not None
        return self.bundle.manifest.architecture

    @property
    def normalisation(self) -> str:
        """What the graph does with 0..255, in words."""
        if self.preset is not None:
            return NORMALISATION[self.preset.preprocessing]
        assert self.bundle is not None
        return self.bundle.picture_input.normalisation

    @property
    def credit(self) -> str:
        """Name and licence, for the origin of what is made of it."""
        if self.preset is not None:
            return f"{self.preset.name} ({self.preset.licence})"
        assert self.bundle is not None
        return f"{self.bundle.manifest.name} ({self.bundle.manifest.licence})"


def find_start(name: str, weights: Path | None = None) -> Start:
    """The model that ``name`` means: a model that is here, or a classic network whose weight file is.

    :param weights: the Keras file of a classic network, from any place.
    :raises ModelNotFoundError: where it is not here; the message says how to get it.
    :raises UsageError: for ``weights`` without the name of a classic network, or that are not there.
    """
    if weights is not None:
        if name not in PRESETS:
            raise UsageError(
                f"--weights goes with the name of a classic network, such as --from vgg16, not with {name!r}. "
                "huanjing models list names them."
            )
        if not weights.is_file():
            raise UsageError(f"--weights {weights}: there is no such file")
        return _classic(PRESETS[name], weights)
    placed = _placed_weights(name)
    try:
        bundle = find_model(name, "recognizer")
    except ModelNotFoundError as error:
        if placed is None:
            raise ModelNotFoundError(how_to_fetch(name) or str(error)) from None
        return _classic(PRESETS[name], placed)
    if placed is not None and file_digest_in(bundle.manifest.origin, placed):
        return _classic(PRESETS[name], placed)
    into = bundle.picture_input
    variant = VARIANTS.get(bundle.manifest.architecture)
    return Start(name, bundle.digest, into.height, into.channels, bundle, variant)


def start_bundle(start: Start, side: int) -> Bundle:
    """A bundle whose ``features`` are those of ``start`` on pictures of ``side``; made once and kept in the cache.

    :raises UsageError: for another side than its own where it has but one.
    """
    if start.weights is None and side == start.side:
        assert start.bundle is not None
        return start.bundle
    if not start.tunable:
        raise UsageError(f"{start.name} sees pictures of {start.side} pixels only, not of {side}.")
    key = hashlib.sha256(repr((VERSION, start.digest, start.architecture, side)).encode()).hexdigest()
    folder = cache_folder() / "starts" / key[:32]
    if (folder / MANIFEST).is_file():
        with suppress(BundleError):
            return load_bundle(folder)
    if start.weights is not None:
        from huanjing.training.engine import require_tensorflow

        require_tensorflow()
        from huanjing.recognition.classic_training import write_start

        assert start.preset is not None
        return write_start(start.preset, start.weights, side, folder)
    return _lite_at_side(start, side, folder)


def _lite_at_side(start: Start, side: int, folder: Path) -> Bundle:
    from huanjing.recognition.efficientnet_lite_graph import build_graph, read_weights
    from huanjing.runtime.silent import ov

    assert start.bundle is not None
    assert start.variant is not None
    graph = build_graph(read_weights(start.bundle.graph), start.variant, resolution=side)
    manifest = start.bundle.manifest
    into = msgspec.structs.replace(start.bundle.picture_input, height=side, width=side)
    manifest = msgspec.structs.replace(manifest, input=into, figures=[])
    return write_bundle(
        folder, manifest, lambda aside: ov.save_model(graph, aside / GRAPH, compress_to_fp16=False)
    )


def _classic(preset: Preset, weights: Path) -> Start:
    return Start(preset.name, file_sha256(weights), preset.side, 3, None, None, preset, weights)


def _placed_weights(name: str) -> Path | None:
    """The official file of a classic network, where it was fetched or put by hand.

    :raises DownloadError: where it is not the official one.
    """
    preset = PRESETS.get(name)
    if preset is None or not (weights_folder() / preset.file).is_file():
        return None
    return fetch_file(preset.url, weights_folder() / preset.file, expected=preset.hash)


def file_digest_in(origin: str, path: Path) -> bool:
    """Whether a converted model's ``origin`` names the content of the file at ``path``."""
    with path.open("rb") as file:
        found = {hashlib.file_digest(file, "sha256").hexdigest()}
        file.seek(0)
        found.add(hashlib.file_digest(file, "md5").hexdigest())
    return any(digest in origin for digest in found)

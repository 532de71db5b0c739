"""Where a network looks: how much each part of a picture speaks for a class, and the boxes of the parts that do.

Two ways, and the network decides which is open:

``cam``
    Class-activation maps (Zhou et al., "Learning deep features for discriminative localization", CVPR 2016). Where a
    network ends in global average pooling and one dense layer, the logit of class c is exactly the mean over the
    picture of M_c(x, y) = Σ_k w_ck f_k(x, y), plus a bias. M_c is the map, in logits; one inference.
``occlusion``
    (Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.) Parts of the picture are
    hidden in turn. The map says how far the class's log-odds fall where something is hidden. Serves any network, for
    a few hundred inferences.

TensorFlow takes no part in either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cached_property
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huanjing.bundle import Bundle, ClassName, find_model
from huanjing.errors import UsageError
from huanjing.images import load_picture
from huanjing.recognition.explain_head import read_head
from huanjing.recognition.explain_occlusion import OcclusionMap
from huanjing.recognition.explain_regions import (
    Box,
    Frame,
    Place,
    hot_boxes,
    input_frame,
    resize_map,
)
from huanjing.runtime import Label, softmax
from huanjing.runtime.engine import compile_graph
from huanjing.runtime.prepare import picture_name, prepare
from huanjing.runtime.silent import ov

Method = Literal["auto", "cam", "occlusion"]
Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class MapFigures:
    """A map in numbers, in the units of its method: logits (``cam``) or log-odds (``occlusion``)."""

    rows: int
    columns: int
    """Cells of the map as the network gives it, before it is drawn smoothly."""
    lowest: float
    highest: float
    mean: float


@dataclass(frozen=True)
class Explanation:
    """Where the network looked for one class in one picture."""

    path: str
    width: int
    height: int
    """Of the picture, upright, in pixels."""
    label: Label
    method: Literal["cam", "occlusion"]
    seen: Place
    """The part of the picture that the network was shown."""
    figures: MapFigures
    boxes: tuple[Box, ...]
    """The hot regions, in pixels of the picture, that which holds the most heat first."""
    heat: NDArray[np.float32]
    """The map over ``frame``: ``[H, W]`` of the network's input, 0 (nothing, or against the class) to 1."""
    frame: Frame
    """What the map covers, in pixels of the picture; where the network pads, more than the picture."""
    picture: Image.Image
    """The picture that was explained, upright, at its own size."""

    def to_dict(self) -> dict[str, Any]:
        """The explanation without its map and picture, as plain types, ready for JSON."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "label": asdict(self.label),
            "method": self.method,
            "seen": asdict(self.seen),
            "map": asdict(self.figures),
            "boxes": [asdict(box) for box in self.boxes],
        }


class Explainer:
    """A recogniser that says where it looks.

    >>> found = Explainer().explain("espresso.jpg")[0]
    >>> found.label.name, found.boxes[0].x, found.boxes[0].y
    ('espresso', 179, 25)

    :param model: a name, or the path of a bundle or run folder; None is the embedded model.
    :param method: ``auto`` takes class-activation maps where the network has them, else occlusion.
    :raises ModelNotFoundError, BundleError: where the model cannot be had or used.
    :raises UsageError: where ``cam`` is asked of a network that has no such map.
    """

    def __init__(self, model: str | PathLike[str] | Bundle | None = None, *, method: Method = "auto") -> None:
        self.bundle = model if isinstance(model, Bundle) else find_model(model, "recognizer")
        self.input = self.bundle.picture_input
        self.classes = self.bundle.manifest.classes
        self.method: Method = method
        self._head = read_head(self.bundle) if method != "occlusion" else None
        if method == "cam" and self._head is None:
            raise self._no_map()

    def explain(
        self,
        picture: str | PathLike[str] | Image.Image,
        classes: Sequence[int] = (),
        *,
        top: int = 1,
        language: Language = "en",
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Explanation]:
        """Say where the network looks for each of ``classes``, or for the ``top`` most probable ones.

        :param picture: a path, or a PIL picture of mode L, RGB or RGBA.
        :param classes: positions in the model's list, as :func:`find_class` gives them.
        :param on_progress: called with the inferences done and those there are in all.
        :raises PictureError: where the picture cannot be decoded.
        :raises UsageError: where ``cam`` was asked for and the network's logit is not the mean of such a map.
        """
        tell = on_progress or (lambda _done, _total: None)
        path = picture_name(picture)
        if not isinstance(picture, Image.Image):
            picture = load_picture(picture, channels=self.input.channels)
        pixels = np.empty((self.input.height, self.input.width, self.input.channels), np.uint8)
        prepare(picture, self.input, 1.0, pixels)
        answers = self._compiled(pixels[None])
        logits = np.array(answers["logits"][0], np.float64)
        probabilities = softmax(np.asarray(logits / self.bundle.manifest.temperature, np.float32))
        wanted = list(classes) or np.argsort(-probabilities, kind="stable")[:top].tolist()
        maps: Sequence[NDArray[np.float64]] | None = None
        method: Literal["cam", "occlusion"] = "cam"
        if self._head is not None:
            maps = self._head.maps(np.array(answers["feature_map"][0], np.float64), logits, wanted)
            if maps is None and self.method == "cam":
                raise self._no_map()
        if maps is None:
            method = "occlusion"
            maps = OcclusionMap(self._hidden).maps(pixels, wanted, tell)
        else:
            tell(1, 1)
        return [
            self._explanation(str(path), picture, self._label(index, probabilities, language), method, map_)
            for index, map_ in zip(wanted, maps, strict=True)
        ]

    def _explanation(
        self,
        path: str,
        picture: Image.Image,
        label: Label,
        method: Literal["cam", "occlusion"],
        map_: NDArray[np.float64],
    ) -> Explanation:
        heat = np.maximum(resize_map(map_, self.input.height, self.input.width), 0.0)
        frame = input_frame(picture.width, picture.height, self.input)
        figures = MapFigures(
            map_.shape[0], map_.shape[1], float(map_.min()), float(map_.max()), float(map_.mean())
        )
        highest = float(heat.max())
        return Explanation(
            path=path,
            width=picture.width,
            height=picture.height,
            label=label,
            method=method,
            seen=frame.place((0.0, 0.0, 1.0, 1.0), picture.width, picture.height),
            figures=figures,
            boxes=tuple(hot_boxes(heat, frame, picture.width, picture.height)),
            heat=np.asarray(heat / (highest or 1.0), np.float32),
            frame=frame,
            picture=picture,
        )

    def _label(self, index: int, probabilities: NDArray[np.float64], language: Language) -> Label:
        one = self.classes[index]
        name = (language == "zh" and one.zh) or one.en
        return Label(index=index, name=name, id=one.id, probability=float(probabilities[index]))

    @cached_property
    def _compiled(self) -> ov.CompiledModel:
        outputs = ("logits",) if self._head is None else ("logits", "feature_map")
        return compile_graph(self.bundle, outputs=outputs, batch=1, precision="f32")

    @cached_property
    def _hidden(self) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
        compiled = compile_graph(self.bundle, outputs=("logits",), batch=OcclusionMap.BATCH)
        return lambda pictures: np.array(compiled(pictures)["logits"], np.float32)

    def _no_map(self) -> UsageError:
        return UsageError(
            f"--method cam: {self.bundle.manifest.name} has no class-activation maps: they need a network that ends in "
            "global average pooling and one dense layer. Use --method occlusion, or leave the choice to auto."
        )


def find_class(wanted: str, classes: Sequence[ClassName]) -> int:
    """The position of the class that ``wanted`` means: its id, its name in either language, or its position.

    :raises UsageError: where it means none, naming those that are near, or several, naming each.
    """
    simple = simple_name(wanted)
    found = [
        position
        for position, one in enumerate(classes)
        if simple in {simple_name(name) for name in (one.id, one.en, one.zh) if name}
    ]
    if len(found) > 1:
        each = ", ".join(f"{position} ({classes[position].id})" for position in found)
        raise UsageError(
            f"--class {wanted}: several classes bear this name: {each}. Give one of these numbers."
        )
    if found:
        return found[0]
    if wanted.isascii() and wanted.isdigit():
        if int(wanted) < len(classes):
            return int(wanted)
        raise UsageError(f"--class {wanted}: the model has {len(classes)} classes, 0 to {len(classes) - 1}.")
    names = [name for one in classes for name in (one.en, one.zh, one.id) if name]
    written = {simple_name(name): name for name in names}
    near = get_close_matches(simple, written, n=5, cutoff=0.5)
    some = (
        f"Near it: {', '.join(written[name] for name in near)}."
        if near
        else f"It has {', '.join(names[:5])}, …"
    )
    raise UsageError(f"--class {wanted}: the model has no such class. {some}")


def simple_name(name: str) -> str:
    """A name without what people write differently: case, underscores, hyphens."""
    return name.casefold().replace("_", " ").replace("-", " ").strip()

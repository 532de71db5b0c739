"""What a picture's file declares about where it came from: our marks and other programs' read back."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from os import PathLike, fspath
from typing import Any, Literal
from xml.etree import ElementTree as ET

from huanjing.images.metadata import Metadata, read_metadata
from huanjing.runtime.provenance import HUANJING, IPTC, TC260

Answer = Literal["yes", "partly", "possibly", "edited", "no", "unsaid"]
"""Whether a file says that a model made it. ``no``: it names another origin; ``unsaid``: it says nothing."""

_SOURCES: dict[str, Answer] = {
    "trainedAlgorithmicMedia": "yes",
    "compositeWithTrainedAlgorithmicMedia": "partly",
    "algorithmicallyEnhanced": "edited",
    "compositeSynthetic": "partly",
    "digitalCapture": "no",
    "computationalCapture": "no",
    "negativeFilm": "no",
    "positiveFilm": "no",
    "print": "no",
    "humanEdits": "no",
    "digitalCreation": "no",
}
"""IPTC's terms for where a picture comes from (NewsCodes, digitalsourcetype), as far as they answer the question."""

_PARAMETERS = {
    "parameters": "Stable Diffusion WebUI",
    "prompt": "ComfyUI",
    "workflow": "ComfyUI",
    "invokeai_metadata": "InvokeAI",
    "sd-metadata": "InvokeAI",
    "Dream": "InvokeAI",
    "fooocus_scheme": "Fooocus",
}
"""PNG text by which programs that draw from words keep what they were told, and which program it is."""
_SETTINGS = re.compile(r"\bSteps: \d+, Sampler: ")
"""How the WebUI's settings begin, wherever they are kept."""
_LABEL_ANSWERS: dict[str, Answer] = {"1": "yes", "2": "possibly", "3": "possibly"}
_UNSAFE_XML = ("<!DOCTYPE", "<!ENTITY")


@dataclass(frozen=True, slots=True)
class Declared:
    """What one file says. Metadata can be removed and forged: silence proves nothing, and neither does a claim."""

    path: str
    generated: Answer = "unsaid"
    format: str = ""
    width: int = 0
    height: int = 0
    record: dict[str, Any] | None = None
    """Huanjing's own: model, its SHA-256, seeds, version."""
    digital_source_type: str = ""
    label: dict[str, Any] | None = None
    """The implicit label of GB 45438-2025, field ``AIGC``."""
    c2pa: bool = False
    """Whether there are Content Credentials; they are signed, and a C2PA program can check them."""
    tool: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    """What other generators wrote about how they made it."""
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain types, ready for JSON."""
        return asdict(self)


def read_declared(path: str | PathLike[str]) -> Declared:
    """Read what the picture or MP4 film at ``path`` declares.

    :raises PictureError: where the file cannot be read or is neither.
    """
    found = read_metadata(path)
    properties = _xmp_properties(found.xmp)
    source = properties.get(f"{{{IPTC}}}DigitalSourceType", "")
    record = _record(properties.get(f"{{{HUANJING}}}Record") or found.text.get("Huanjing", ""))
    label = _label(properties.get(f"{{{TC260}}}AIGC", ""), found)
    parameters, program = _parameters(found)
    answers: list[Answer] = []
    if source:
        answers.append(_SOURCES.get(source.rstrip("/").rpartition("/")[2], "unsaid"))
    elif record is not None and record.get("generated"):
        answers.append("yes")
    if label is not None:
        answers.append(_LABEL_ANSWERS.get(str(label.get("Label")), "unsaid"))
    if parameters:
        answers.append("yes")
    order: tuple[Answer, ...] = ("partly", "yes", "possibly", "edited", "no")
    return Declared(
        path=fspath(path),
        generated=next((answer for answer in order if answer in answers), "unsaid"),
        format=found.format,
        width=found.width,
        height=found.height,
        record=record,
        digital_source_type=source,
        label=label,
        c2pa=found.c2pa,
        tool=properties.get("{http://ns.adobe.com/xap/1.0/}CreatorTool")
        or found.text.get("Software")
        or found.text.get("EXIF Software")
        or program,
        parameters=parameters,
    )


def _xmp_properties(packet: str) -> dict[str, str]:
    """The simple properties of an XMP packet by their full names, ``{namespace}name``; none where it is no XML."""
    if not packet or any(unsafe in packet for unsafe in _UNSAFE_XML):
        return {}
    try:
        root = ET.fromstring(packet.strip("\ufeff\0 \n"))  # noqa: S314  nothing is defined in it, see above
    except ET.ParseError:
        return {}
    found: dict[str, str] = {}
    for element in root.iter():
        found.update(element.attrib)
        if text := (element.text or "").strip():
            found[element.tag] = text
    return found


def _label(in_xmp: str, found: Metadata) -> dict[str, Any] | None:
    """The label of GB 45438-2025 from the XMP packet or from the other places that TC260's guides allow.

    Both forms are read: the seven elements, and those within ``{"AIGC": …}``.
    """
    for text in (in_xmp, found.text.get("AIGC", ""), found.text.get("EXIF UserComment", "")):
        label = _record(text)
        if label is not None and isinstance(label.get("AIGC"), dict):
            label = label["AIGC"]
        if label is not None and "Label" in label:
            return label
    return None


def _record(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parameters(found: Metadata) -> tuple[dict[str, str], str]:
    """What another generator wrote down, and its name."""
    kept = {key: found.text[key] for key in _PARAMETERS if key in found.text}
    program = next((_PARAMETERS[key] for key in kept), "")
    comment = found.text.get("EXIF UserComment", "")
    if _SETTINGS.search(comment):
        kept["EXIF UserComment"] = comment
        program = program or _PARAMETERS["parameters"]
    if found.text.get("Software") == "NovelAI" and "Comment" in found.text:
        kept["Comment"] = found.text["Comment"]
    return kept, program

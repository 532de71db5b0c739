"""The marks by which a generated picture says that it was generated, by what, and from which seed.

Three marks, for three kinds of reader: IPTC's ``DigitalSourceType``, which photo programs and platforms look for;
the implicit label of GB 45438-2025, which China's rules on labelling generated content ask for; and a record of our
own with all it takes to make the picture again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from huanjing.bundle import Bundle
from huanjing.errors import UsageError
from huanjing.images.metadata import XMP_KEY

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
DIGITAL_SOURCE_TYPE = _SOURCE_TYPES + "trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model."""
COMPOSITE_SOURCE_TYPE = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a picture only a part of which such a model made: a photograph beside its projection."""

IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""The XMP namespace that TC260-PG-20259A gives the label of GB 45438-2025, under the name ``AIGC``."""
HUANJING = "urn:huanjing:provenance:1/"

PRODUCER = "HUANJING_PRODUCER"
"""The variable of the environment that holds the label's ``ContentProducer``, for who offers a service."""

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{iptc}"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:TC260="{tc260}" xmlns:huanjing="{huanjing}"
 Iptc4xmpExt:DigitalSourceType={source} xmp:CreatorTool={tool}>
{label}<huanjing:Record>{record}</huanjing:Record>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True)
class Provenance:
    """What a generated file says of itself; the properties put it into the form that each kind of file takes."""

    record: Mapping[str, Any]
    source_type: str = DIGITAL_SOURCE_TYPE

    @cached_property
    def label(self) -> dict[str, str]:
        """The seven elements of GB 45438-2025, annex E.

        ``Label`` 1 means generated. ``ProduceID`` is the SHA-256 of the record, so that the same picture has the same
        number. Where a label is first written, the elements of whoever passes the file on repeat the producer's.
        """
        number = hashlib.sha256(self._record.encode()).hexdigest()[:32]
        producer = content_producer()
        return {
            "Label": "1",
            "ContentProducer": producer,
            "ProduceID": number,
            "ReservedCode1": "",
            "ContentPropagator": producer,
            "PropagateID": number,
            "ReservedCode2": "",
        }

    @property
    def xmp(self) -> str:
        """The XMP packet of a picture, with all three marks: PNG, JPEG, WebP and GIF carry it."""
        label = escape(_json(self.label))
        return self._packet(f"<TC260:AIGC>{label}</TC260:AIGC>\n")

    @property
    def png_text(self) -> dict[str, str]:
        """PNG text: the XMP packet, and the record in plain sight. The label stands in the packet alone, for a file
        is to have one.
        """
        return {"Software": self._tool, "Huanjing": self._record, XMP_KEY: self.xmp}

    @property
    def film_xmp(self) -> str:
        """The XMP packet of a film, whose label stands among its tags."""
        return self._packet("")

    @property
    def film_tags(self) -> dict[str, str]:
        """The tags of an MP4, the label among them, where TC260-PG-20257A puts it."""
        return {"AIGC": _json(self.label), "Huanjing": self._record, "comment": self.source_type}

    def _packet(self, label: str) -> str:
        return _XMP.format(
            iptc=IPTC,
            tc260=TC260,
            huanjing=HUANJING,
            source=quoteattr(self.source_type),
            tool=quoteattr(self._tool),
            label=label,
            record=escape(self._record),
        )

    @property
    def _tool(self) -> str:
        return f"Huanjing {self.record['version']}"

    @cached_property
    def _record(self) -> str:
        return json.dumps(self.record, ensure_ascii=True)


def provenance(
    bundle: Bundle, seeds: Sequence[int] = (), *, source_type: str = DIGITAL_SOURCE_TYPE, **details: Any
) -> Provenance:
    """The marks of a file that ``bundle`` made from ``seeds``: one picture, a grid, an animation.

    :param details: what else it takes to make it again (class, truncation, directions, …); None is left out.
    :raises UsageError: where the environment names a producer that the label cannot hold.
    """
    return made_by(
        bundle.manifest.name,
        source_type=source_type,
        model_sha256=bundle.digest,
        seeds=write_seeds(seeds) or None,
        **details,
    )


def made_by(model: str, *, source_type: str = DIGITAL_SOURCE_TYPE, **details: Any) -> Provenance:
    """The marks of a file that a model made which is not a bundle yet: the samples of a run."""
    given = {key: value for key, value in details.items() if value is not None}
    return Provenance({"generated": True, "model": model, **given, "version": _version()}, source_type)


def content_producer() -> str:
    """Who the label says produced the content: ``$HUANJING_PRODUCER``, else the program that did.

    :raises UsageError: where it is empty or has characters other than those that annex E allows.
    """
    producer = os.environ.get(PRODUCER, "Huanjing")
    if not producer or not all("!" <= character <= "~" and character not in '"\\' for character in producer):
        raise UsageError(
            f"{PRODUCER} is {producer!r}. GB 45438-2025 allows letters, digits and punctuation of ASCII there, without "
            'spaces, " and \\: for example the code that a provider has under TC260-PG-20252A.'
        )
    return producer


def write_seeds(seeds: Sequence[int]) -> str:
    """Seeds as ``--seeds`` takes them: ``3,7,10-20``."""
    if not seeds:
        return ""
    starts = [0, *(k for k, (a, b) in enumerate(pairwise(seeds), start=1) if b != a + 1), len(seeds)]
    parts = [(seeds[start], seeds[end - 1]) for start, end in pairwise(starts)]
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


@cache
def _version() -> str:
    return version("huanjing")


def _json(label: Mapping[str, str]) -> str:
    """The label as annex E writes it: in order, without spaces."""
    return json.dumps(label, separators=(",", ":"))

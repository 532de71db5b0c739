"""The marks by which a generated picture says that it was generated, by what, and from which seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from xml.sax.saxutils import escape

from huanjing.bundle import Bundle

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model."""

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType="{source}" xmp:CreatorTool="{tool}"/>
</rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


def provenance(bundle: Bundle, seeds: Sequence[int]) -> dict[str, str]:
    """PNG text fields for a picture, or a grid of pictures, that ``bundle`` made from ``seeds``.

    ``Huanjing`` holds model, its digest, version and seeds as JSON; the XMP packet holds IPTC's
    ``DigitalSourceType``, which other programs look for.
    """
    tool = f"Huanjing {version('huanjing')}"
    record = {
        "generated": True,
        "model": bundle.manifest.name,
        "model_sha256": bundle.digest,
        "seeds": [seeds[0]] if len(seeds) == 1 else [seeds[0], seeds[-1]],
        "version": version("huanjing"),
    }
    return {
        "Software": tool,
        "Huanjing": json.dumps(record),
        "XML:com.adobe.xmp": _XMP.format(source=escape(DIGITAL_SOURCE_TYPE), tool=escape(tool)),
    }

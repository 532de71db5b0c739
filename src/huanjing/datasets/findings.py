"""What the doctor can find: the kinds of fault, a finding, and the report of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from natsort import natsorted, ns

Severity = Literal["error", "warning", "note"]

FEW = 20
"""Fewer training pictures than this make no class that can be learned and checked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: how bad, what it is, what to do."""

    severity: Severity
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "broken": Kind("error", "cannot be read", "Get the file again, or leave it out; training passes it over."),
    "two-classes": Kind(
        "error", "the same picture in more than one class", "Decide which class is right and remove the others."
    ),
    "two-splits": Kind(
        "error",
        "the same picture in training and in validation or test data",
        "Remove it from the training data: figures measured on pictures that were learned say nothing.",
    ),
    "unlearned-class": Kind(
        "error", "a class without training pictures", "Add pictures of it to the training data, or remove it."
    ),
    "duplicate": Kind("warning", "files that are equal byte by byte", "Keep one of each."),
    "near-duplicate": Kind(
        "warning",
        "files that look the same",
        "Keep the best of each: a picture that is there many times counts many times.",
    ),
    "blank": Kind("warning", "one even colour", "Leave it out: there is nothing to learn from it."),
    "tiny": Kind("warning", "tiny pictures", "Get them larger, or leave them out: enlarging makes no detail."),
    "strange-aspect": Kind(
        "warning", "very long or very high pictures", "Crop them to what matters; training takes the centre."
    ),
    "imbalance": Kind(
        "warning", "classes of very different size", "Add pictures to the small classes, or use class weights."
    ),
    "few-pictures": Kind(
        "warning", "classes with few pictures", f"Add pictures: {FEW} are a start, a hundred are better."
    ),
    "huge": Kind("note", "huge pictures", "They work, but slowly; smaller copies would train as well."),
    "animated": Kind("note", "animated", "The first frame is used."),
    "cmyk": Kind("note", "in printing colours (CMYK)", "They are converted to screen colours (sRGB)."),
    "sixteen-bit": Kind("note", "with 16 bits or more a channel", "They are brought to 8 bits."),
    "transparent": Kind("note", "with an alpha channel", "What is transparent is shown on white."),
    "turned": Kind("note", "turned by their EXIF data", "They are turned upright on reading."),
    "wrong-suffix": Kind("note", "of another format than the name says", "They are read by their content."),
}  # fmt: skip
"""All that the doctor looks for, the worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, with the files that have it together."""

    code: str
    files: tuple[str, ...]
    """Relative to the folder, in natural order; a class fault has none."""
    detail: str = ""
    exclude: tuple[str, ...] = ()
    """Which of the files training is better off without."""

    @property
    def kind(self) -> Kind:
        """What the code means."""
        return KINDS[self.code]

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain types, ready for JSON."""
        return {
            "code": self.code,
            "severity": self.kind.severity,
            "title": self.kind.title,
            "detail": self.detail,
            "files": list(self.files),
            "exclude": list(self.exclude),
            "advice": self.kind.advice,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found in a folder."""

    folder: str
    pictures: int
    """Files with a picture's suffix, the broken ones among them."""
    others: int
    """Files that were passed over."""
    classes: dict[str, int]
    """Readable pictures of each class, over all splits; empty where there are no class folders."""
    splits: dict[str, int]
    """Readable pictures of each split; empty where there are none."""
    findings: tuple[Finding, ...]
    """The worst first, then in natural order of their files."""

    @property
    def exclude(self) -> list[str]:
        """The files that training is better off without, in natural order."""
        unwanted = {name for finding in self.findings for name in finding.exclude}
        return natsorted(unwanted, alg=ns.PATH | ns.IGNORECASE)

    def count(self, severity: Severity) -> int:
        """How many findings are that bad."""
        return sum(finding.kind.severity == severity for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain types, ready for JSON."""
        return {
            "folder": self.folder,
            "pictures": self.pictures,
            "others": self.others,
            "classes": self.classes,
            "splits": self.splits,
            "findings": [finding.to_dict() for finding in self.findings],
            "exclude": self.exclude,
        }

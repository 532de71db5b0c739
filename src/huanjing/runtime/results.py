"""What recognition answers: frozen, typed, and the same fields in Python, JSON and CSV."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Label:
    """One class that a picture may belong to."""

    index: int
    """Position in the model's list of classes."""
    name: str
    """What people call it, in the language asked for."""
    id: str
    """Stable identifier: the WordNet id for ImageNet classes, the folder's name for one's own."""
    probability: float
    """0..1; the softmax of the logits."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about one picture: labels, most probable first, or the error that prevented it."""

    path: str
    labels: tuple[Label, ...]
    error: str | None = None
    novelty: float | None = None
    """How unlike all that the model was taught: 0 is usual, above 1 is unknown. None where it was not asked for."""

    @property
    def unknown(self) -> bool | None:
        """Whether the picture is unlike all that the model was taught; None where that was not asked."""
        return None if self.novelty is None else self.novelty > 1

    def or_unknown(self) -> Prediction:
        """The same prediction, without labels where the picture is unknown."""
        return replace(self, labels=()) if self.unknown else self

    def above(self, threshold: float) -> Prediction:
        """The same prediction without the labels less probable than ``threshold``."""
        kept = tuple(label for label in self.labels if label.probability >= threshold)
        return replace(self, labels=kept)

    def named(self, path: str) -> Prediction:
        """The same prediction under another name."""
        return replace(self, path=path)

    def to_dict(self) -> dict[str, Any]:
        """The prediction as plain types, ready for JSON; ``novelty`` and ``unknown`` only where that was asked."""
        found = {"path": self.path, "labels": [asdict(label) for label in self.labels], "error": self.error}
        return found if self.novelty is None else found | {"novelty": self.novelty, "unknown": self.unknown}

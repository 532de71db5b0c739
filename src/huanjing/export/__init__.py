"""Export: a bundle's network in the formats that other programs run, each checked by its own runtime."""

from huanjing.export.export import TARGETS, Exported, export_model
from huanjing.export.job import Format, Precision

__all__ = ["TARGETS", "Exported", "Format", "Precision", "export_model"]

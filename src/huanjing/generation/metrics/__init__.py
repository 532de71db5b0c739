"""How good generated pictures are, in numbers: one metric in each file, named with its protocol."""

from huanjing.generation.metrics.frechet import FRECHET_PROTOCOL, frechet_distance, frechet_name

__all__ = ["FRECHET_PROTOCOL", "frechet_distance", "frechet_name"]

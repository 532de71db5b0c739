"""How good generated pictures are, in numbers: one metric in each file, named with its protocol."""

from huanjing.generation.metrics.copying import CopyingScore, copying_score
from huanjing.generation.metrics.density_coverage import DensityCoverage, density_coverage
from huanjing.generation.metrics.frechet import frechet_distance, frechet_score
from huanjing.generation.metrics.intervals import Score
from huanjing.generation.metrics.kernel import kernel_distance, kernel_score
from huanjing.generation.metrics.names import metric_name
from huanjing.generation.metrics.precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "CopyingScore",
    "DensityCoverage",
    "PrecisionRecall",
    "Score",
    "copying_score",
    "density_coverage",
    "frechet_distance",
    "frechet_score",
    "kernel_distance",
    "kernel_score",
    "metric_name",
    "precision_recall",
]

"""Improved precision and recall of generated pictures.

Kynkäänniemi, Karras, Laine, Lehtinen and Aila, "Improved precision and recall metric for assessing generative
models" (NeurIPS 2019). Around each picture of a set lies a ball that reaches to its third nearest neighbour in
the set. Precision is the part of the generated pictures that lie in some ball of a real one; recall the part of
the real pictures that lie in some ball of a generated one.

One real picture far from all others has a ball so large that noise can lie in it: precision means little where
noise has it too, which is why a report shows noise beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from huanjing.generation.metrics.distances import Features, checked, distance_blocks, neighbour_radii
from huanjing.generation.metrics.intervals import Score, mean_score

NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Both, 0..1, higher is better."""

    precision: Score
    recall: Score


def precision_recall(
    real: Features, generated: Features, k: int = NEIGHBOURS, seed: int = 0
) -> PrecisionRecall:
    """Precision and recall of ``generated[M, F]`` against ``real[N, F]``.

    The intervals resample the pictures that a score averages over (the generated ones for precision, the real
    ones for recall); the balls stay as they are.

    :raises ValueError: for sets of at most ``k`` pictures, of different widths, or that are not finite.
    """
    real, generated = checked(real, generated, least=k + 1)
    real_radii, generated_radii = neighbour_radii(real, k), neighbour_radii(generated, k)
    inside_real = np.zeros(len(generated), bool)
    inside_generated = np.zeros(len(real), bool)
    for rows, distances in distance_blocks(real, generated):
        inside_real |= (distances < real_radii[rows, None]).any(axis=0)
        inside_generated[rows] = (distances < generated_radii).any(axis=1)
    return PrecisionRecall(mean_score(inside_real, seed), mean_score(inside_generated, seed))

"""Density and coverage of generated pictures.

Naeem, Oh, Uh, Choi and Yoo, "Reliable fidelity and diversity metrics for generative models" (ICML 2020). Around
each real picture lies a ball that reaches to its fifth nearest real neighbour. Density is in how many balls a
generated picture lies, on average and over five: unlike precision, one outlier's large ball counts once. It may
exceed 1 where generated pictures crowd among the most usual real ones. Coverage is the part of the real pictures
that have a generated one in their ball.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from huanjing.generation.metrics.distances import Features, checked, distance_blocks, neighbour_radii
from huanjing.generation.metrics.intervals import Score, mean_score

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class DensityCoverage:
    """Density, from 0 up, and coverage, 0..1; higher is better."""

    density: Score
    coverage: Score


def density_coverage(
    real: Features, generated: Features, k: int = NEIGHBOURS, seed: int = 0
) -> DensityCoverage:
    """Density and coverage of ``generated[M, F]`` against ``real[N, F]``.

    The intervals resample the pictures that a score averages over (the generated ones for density, the real ones
    for coverage); the balls stay as they are.

    :raises ValueError: for sets of at most ``k`` real pictures or no generated one, of different widths, or that
        are not finite.
    """
    real, generated = checked(real, generated, least=1)
    radii = neighbour_radii(real, k)
    balls = np.zeros(len(generated))
    covered = np.zeros(len(real), bool)
    for rows, distances in distance_blocks(real, generated):
        balls += (distances < radii[rows, None]).sum(axis=0)
        covered[rows] = distances.min(axis=1) < radii[rows]
    return DensityCoverage(mean_score(balls / k, seed), mean_score(covered, seed))

"""Whether probabilities mean what they say: temperature, and the calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

TEMPERATURES = (0.05, 20.0)
"""The range in which a temperature is looked for."""
PRIOR = 0.5
"""Standard deviation of log T before any picture was seen: few pictures say little, and T then stays near 1."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pictures whose top probability lies in one range."""

    low: float
    high: float
    count: int
    confidence: float
    """The mean top probability; 0 where there is no picture."""
    accuracy: float
    """The part that is right; 0 where there is no picture."""


def log_softmax(logits: NDArray[np.floating]) -> Reals:
    """Logarithms of probabilities, along the last axis of ``[..., classes]``."""
    wide = np.asarray(logits, np.float64)
    shifted = wide - wide.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float64)


def negative_log_likelihood(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The mean of -log p(label), in nats, of logits ``[N, classes]``."""
    return float(-log_softmax(logits)[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The most probable T of softmax(logits / T), given validation labels: the minimum of

        Σ -log softmax(logits / T)[label] + (log T)² / (2 PRIOR²)

    The likelihood alone is that of Guo et al., "On calibration of modern neural networks", ICML 2017; the prior counts
    as much as about ten pictures do. Golden-section search over log T. T above 1 makes the network less sure.

    :param logits: ``[N, classes]`` of pictures that were not learned from.
    """
    low, high = np.log(TEMPERATURES)
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-4:
        one, other = high - ratio * (high - low), low + ratio * (high - low)
        if _loss_at(logits, labels, one) < _loss_at(logits, labels, other):
            high = other
        else:
            low = one
    return float(np.exp((low + high) / 2.0))


def reliability(probabilities: Reals, labels: NDArray[np.int64], bins: int = 15) -> list[ReliabilityBin]:
    """Pictures by their top probability, in ``bins`` ranges of equal width over 0..1."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, top, side="left") - 1, 0, bins - 1)
    found = []
    for number in range(bins):
        here = place == number
        count = int(here.sum())
        confidence = float(top[here].mean()) if count else 0.0
        accuracy = float(right[here].mean()) if count else 0.0
        found.append(
            ReliabilityBin(float(edges[number]), float(edges[number + 1]), count, confidence, accuracy)
        )
    return found


def expected_calibration_error(bins: list[ReliabilityBin]) -> float:
    """ECE: Σ count / N · |accuracy - confidence|, 0..1 (Naeini, Cooper and Hauskrecht, 2015)."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / max(1, total)


def _loss_at(logits: NDArray[np.floating], labels: NDArray[np.int64], log_temperature: float) -> float:
    likelihood = negative_log_likelihood(np.asarray(logits, np.float64) / np.exp(log_temperature), labels)
    return likelihood + log_temperature**2 / (2.0 * PRIOR**2 * len(labels))

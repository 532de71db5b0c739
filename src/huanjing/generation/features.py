"""Which network's features generated and real pictures are compared by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from huanjing.generation.metrics.inception import STANDARD_FILE, Inception
from huanjing.runtime import Recognizer

Pictures = NDArray[np.uint8]
Advance = Callable[[int], None]
"""Called with how many more pictures are done."""

EMBEDDED = "efficientnet-lite0"
STEP = 32
"""Pictures between two calls of :data:`Advance`."""


@dataclass(frozen=True)
class FeatureSpace:
    """A network's features, and what scores by them compare with."""

    name: str
    """Short, for the names of metrics."""
    en: str
    zh: str
    compute: Callable[[Pictures, Advance], NDArray[np.float32]]
    """NHWC uint8, 0..255, 1 or 3 channels → ``[N, features]``."""


def recognizer_space(model: str | PathLike[str] | None = None) -> FeatureSpace:
    """The pooled features of a recogniser; None is the embedded one.

    :raises ModelNotFoundError, BundleError: where the model cannot be had or used.
    """
    recognizer = Recognizer(model)
    manifest = recognizer.bundle.manifest
    embedded = manifest.name == EMBEDDED

    def compute(pictures: Pictures, advance: Advance) -> NDArray[np.float32]:
        rows = []
        for row in recognizer.features_all(iter(opaque(pictures))):
            if isinstance(row, Exception):
                raise row
            rows.append(row)
            if len(rows) % STEP == 0 or len(rows) == len(pictures):
                advance(len(rows) - (len(rows) - 1) // STEP * STEP)
        return np.stack(rows)

    return FeatureSpace(
        "lite0" if embedded else manifest.name,
        f"Features: the pooled features of {manifest.name}{', the embedded recogniser' if embedded else ''}, of "
        "whole pictures. Scores compare with others by the same features and counts alone, never with published FID.",
        f"特征：{manifest.name}{'（随幻境安装的识别网络）' if embedded else ''}对整张图片的池化特征。"
        "分数只能与用同一特征、同样图片数得到的分数相比，不能与论文中的 FID 相比。",
        compute,
    )


def inception_space(path: str | PathLike[str]) -> FeatureSpace:
    """The features by which published scores are measured, from a file of that network's weights.

    :raises UsageError: where the file cannot be read or is of another network.
    """
    network = Inception(path)
    known_en = (
        "the standard network. Scores compare with published ones (original protocol) of as many pictures"
        if network.standard
        else f"not from {STANDARD_FILE}. Scores compare with published ones only if the weights are the same"
    )
    known_zh = (
        "标准网络。图片数相同时，分数可与论文（原始方法）中的相比"
        if network.standard
        else f"权重文件不是 {STANDARD_FILE}。只有权重相同，分数才可与论文中的相比"
    )
    return FeatureSpace(
        "inception" if network.standard else "inception-other",
        f"Features: the 2,048 of the Inception network of 2015-12-05, {known_en}.",
        f"特征：2015-12-05 版 Inception 网络的 2,048 维特征，{known_zh}。",
        lambda pictures, advance: network.features(opaque(pictures), advance),
    )


def opaque(pictures: Pictures) -> Pictures:
    """Pictures with transparency as they look on white; others as they are."""
    if pictures.shape[3] != 4:
        return pictures
    alpha = pictures[..., 3:].astype(np.uint16)
    on_white = (pictures[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return on_white.astype(np.uint8)

"""EfficientNet-Lite: the description that both builders of the networks follow.

Sources: Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019;
the Lite variants from the TensorFlow TPU repository, 2020. They leave out squeeze-and-excite, use ReLU6 for
swish, and keep the stem, the head and the depth of the first and last stage at every scale.

Inference uses the OpenVINO graph of :mod:`huanjing.recognition.efficientnet_lite_graph`, training the Keras
network of :mod:`huanjing.recognition.efficientnet_lite_network`. Both know a parameter by the same name,
``<layer>/<variable>``, for example ``stage2_block1_depthwise_convolution/kernel``, and exchange float32
arrays in the graph's layout:

===================================  =====================================================
``*_convolution/kernel``             [out, in, height, width]
``*_depthwise_convolution/kernel``   [channels, 1, height, width]
``*_normalisation/...``              [channels]: gamma, beta, moving_mean, moving_variance
``classifier/kernel``                [classes, features]
``classifier/bias``                  [classes]
===================================  =====================================================

Importing this module imports neither TensorFlow nor OpenVINO.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import BundleError

Weights = Mapping[str, NDArray[np.float32]]

FEATURES = 1280
"""Width of the head, and so of the pooled features."""
EPSILON = 1e-3
"""Of every batch normalisation."""
MEAN, SCALE = 127.0, 128.0
"""The network sees (x - 127) / 128 of RGB values 0..255."""


@dataclass(frozen=True)
class Variant:
    """One published network. ``top1`` is its ImageNet accuracy in per cent, float32, as published."""

    name: str
    width: float
    depth: float
    resolution: int
    dropout: float
    top1: float


@dataclass(frozen=True)
class Stage:
    """A run of inverted-residual blocks; ``stride`` and the change of width are the first block's."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels_in: int
    channels_out: int


@dataclass(frozen=True)
class Unit:
    """A convolution without bias, batch normalisation and, where ``activated``, ReLU6."""

    name: str
    kernel: int
    stride: int
    channels_in: int
    channels_out: int
    depthwise: bool = False
    activated: bool = True


@dataclass(frozen=True)
class Block:
    """Units in sequence; with ``residual`` the block's input is added to their output."""

    name: str
    units: tuple[Unit, ...]
    residual: bool = False


VARIANTS = {
    row.name: row
    for row in (
        #        name                 width depth  side dropout top-1
        Variant("efficientnet-lite0", 1.0,  1.0,   224,   0.2,  75.1),
        Variant("efficientnet-lite1", 1.0,  1.1,   240,   0.2,  76.7),
        Variant("efficientnet-lite2", 1.1,  1.2,   260,   0.3,  77.6),
        Variant("efficientnet-lite3", 1.2,  1.4,   280,   0.3,  79.8),
        Variant("efficientnet-lite4", 1.4,  1.8,   300,   0.3,  81.5),
    )
}  # fmt: skip

LITE0 = VARIANTS["efficientnet-lite0"]

_STEM = 32
_STAGES = (
    #   repeats kernel stride expand in  out
    Stage(1, 3, 1, 1,  32,  16),
    Stage(2, 3, 2, 6,  16,  24),
    Stage(2, 5, 2, 6,  24,  40),
    Stage(3, 3, 2, 6,  40,  80),
    Stage(3, 5, 1, 6,  80, 112),
    Stage(4, 5, 2, 6, 112, 192),
    Stage(1, 3, 1, 6, 192, 320),
)  # fmt: skip


def stages(variant: Variant = LITE0) -> tuple[Stage, ...]:
    """The seven stages of ``variant``: widths scaled to multiples of 8, repeats rounded up."""
    scaled = []
    channels_in = _STEM
    for index, stage in enumerate(_STAGES):
        fixed = index in (0, len(_STAGES) - 1)
        scaled.append(
            Stage(
                repeats=stage.repeats if fixed else math.ceil(stage.repeats * variant.depth),
                kernel=stage.kernel,
                stride=stage.stride,
                expand=stage.expand,
                channels_in=channels_in,
                channels_out=_scaled_width(stage.channels_out, variant.width),
            )
        )
        channels_in = scaled[-1].channels_out
    return tuple(scaled)


def blocks(variant: Variant = LITE0) -> Iterator[Block]:
    """The whole network before pooling, in order: the stem, the stages' blocks, the head."""
    yield Block("stem", (Unit("stem", 3, 2, 3, _STEM),))
    channels = _STEM
    for number, stage in enumerate(stages(variant), start=1):
        for index in range(stage.repeats):
            yield _inverted_residual(
                f"stage{number}_block{index + 1}", stage, channels, stage.stride if index == 0 else 1
            )
            channels = stage.channels_out
    yield Block("head", (Unit("head", 1, 1, channels, FEATURES),))


def _inverted_residual(name: str, stage: Stage, channels_in: int, stride: int) -> Block:
    """1×1 expansion (none where ``expand`` is 1), depthwise convolution, linear 1×1 projection."""
    inner = channels_in * stage.expand
    units = [
        Unit(f"{name}_depthwise", stage.kernel, stride, inner, inner, depthwise=True),
        Unit(f"{name}_project", 1, 1, inner, stage.channels_out, activated=False),
    ]
    if stage.expand != 1:
        units.insert(0, Unit(f"{name}_expand", 1, 1, channels_in, inner))
    return Block(name, tuple(units), residual=stride == 1 and channels_in == stage.channels_out)


def parameter_shapes(variant: Variant = LITE0, classes: int | None = 1000) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, in the graph's layout; with ``classes`` None no classifier's."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block in blocks(variant):
        for unit in block.units:
            inputs = 1 if unit.depthwise else unit.channels_in
            shapes[f"{unit.name}_convolution/kernel"] = (unit.channels_out, inputs, unit.kernel, unit.kernel)
            for variable in ("gamma", "beta", "moving_mean", "moving_variance"):
                shapes[f"{unit.name}_normalisation/{variable}"] = (unit.channels_out,)
    if classes is not None:
        shapes["classifier/kernel"] = (classes, FEATURES)
        shapes["classifier/bias"] = (classes,)
    return shapes


def check_weights(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare ``weights`` with the parameters that a network has; more weights than needed are no fault.

    :raises BundleError: naming the first parameter that is missing or of another shape.
    """
    for name, shape in shapes.items():
        if name not in weights:
            raise BundleError(f"The weights lack {name}; they belong to another architecture")
        if weights[name].shape != shape:
            raise BundleError(
                f"The weights of {name} have shape {weights[name].shape}, the network needs {shape}; "
                "they belong to another variant or another number of classes"
            )


def _scaled_width(channels: int, multiplier: float) -> int:
    """``channels`` × ``multiplier`` to the nearest multiple of 8, but never more than a tenth below."""
    exact = channels * multiplier
    width = max(8, int(exact + 4) // 8 * 8)
    return width if width >= 0.9 * exact else width + 8

"""The layers of the Inception network of 2015-12-05, named as in its weights file.

Szegedy et al., "Rethinking the Inception architecture for computer vision" (CVPR 2016), with the widths and the
poolings of the graph that Google released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Convolution:
    """A convolution with batch normalisation and ReLU; ``kernel`` and ``padding`` are rows, columns."""

    name: str
    inputs: int
    outputs: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True
    """Whether zeros around the picture keep its size; never with stride 2."""

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros on each side."""
        return (self.kernel[0] // 2, self.kernel[1] // 2) if self.padded else (0, 0)


@dataclass(frozen=True)
class Branch:
    """One way through a block: pooling if any, convolutions one after another, then others side by side if any."""

    pooling: Literal["", "average", "maximum", "halving"]
    steps: tuple[Convolution, ...]
    split: tuple[Convolution, ...] = ()


Block = tuple[Branch, ...]


def _square(name: str, inputs: int, outputs: int, side: int = 1, *, padded: bool = True) -> Convolution:
    return Convolution(name, inputs, outputs, (side, side), padded=padded)


def _halve(name: str, inputs: int, outputs: int) -> Convolution:
    return Convolution(name, inputs, outputs, (3, 3), stride=2, padded=False)


def _35_by_35(block: str, width: int, pooled: int) -> Block:
    def name(part: str) -> str:
        return f"{block}.{part}"

    return (
        Branch("", (_square(name("branch1x1"), width, 64),)),
        Branch("", (_square(name("branch5x5_1"), width, 48), _square(name("branch5x5_2"), 48, 64, 5))),
        Branch(
            "",
            (
                _square(name("branch3x3dbl_1"), width, 64),
                _square(name("branch3x3dbl_2"), 64, 96, 3),
                _square(name("branch3x3dbl_3"), 96, 96, 3),
            ),
        ),
        Branch("average", (_square(name("branch_pool"), width, pooled),)),
    )


def _to_17_by_17(block: str) -> Block:
    return (
        Branch("", (_halve(f"{block}.branch3x3", 288, 384),)),
        Branch(
            "",
            (
                _square(f"{block}.branch3x3dbl_1", 288, 64),
                _square(f"{block}.branch3x3dbl_2", 64, 96, 3),
                _halve(f"{block}.branch3x3dbl_3", 96, 96),
            ),
        ),
        Branch("halving", ()),
    )


def _17_by_17(block: str, inner: int) -> Block:
    def name(part: str) -> str:
        return f"{block}.{part}"

    return (
        Branch("", (_square(name("branch1x1"), 768, 192),)),
        Branch(
            "",
            (
                _square(name("branch7x7_1"), 768, inner),
                Convolution(name("branch7x7_2"), inner, inner, (1, 7)),
                Convolution(name("branch7x7_3"), inner, 192, (7, 1)),
            ),
        ),
        Branch(
            "",
            (
                _square(name("branch7x7dbl_1"), 768, inner),
                Convolution(name("branch7x7dbl_2"), inner, inner, (7, 1)),
                Convolution(name("branch7x7dbl_3"), inner, inner, (1, 7)),
                Convolution(name("branch7x7dbl_4"), inner, inner, (7, 1)),
                Convolution(name("branch7x7dbl_5"), inner, 192, (1, 7)),
            ),
        ),
        Branch("average", (_square(name("branch_pool"), 768, 192),)),
    )


def _to_8_by_8(block: str) -> Block:
    return (
        Branch("", (_square(f"{block}.branch3x3_1", 768, 192), _halve(f"{block}.branch3x3_2", 192, 320))),
        Branch(
            "",
            (
                _square(f"{block}.branch7x7x3_1", 768, 192),
                Convolution(f"{block}.branch7x7x3_2", 192, 192, (1, 7)),
                Convolution(f"{block}.branch7x7x3_3", 192, 192, (7, 1)),
                _halve(f"{block}.branch7x7x3_4", 192, 192),
            ),
        ),
        Branch("halving", ()),
    )


def _8_by_8(block: str, width: int, pooling: Literal["average", "maximum"]) -> Block:
    def across(part: str) -> tuple[Convolution, Convolution]:
        return (
            Convolution(f"{block}.{part}a", 384, 384, (1, 3)),
            Convolution(f"{block}.{part}b", 384, 384, (3, 1)),
        )

    return (
        Branch("", (_square(f"{block}.branch1x1", width, 320),)),
        Branch("", (_square(f"{block}.branch3x3_1", width, 384),), across("branch3x3_2")),
        Branch(
            "",
            (_square(f"{block}.branch3x3dbl_1", width, 448), _square(f"{block}.branch3x3dbl_2", 448, 384, 3)),
            across("branch3x3dbl_3"),
        ),
        Branch(pooling, (_square(f"{block}.branch_pool", width, 192),)),
    )


STEM = (
    (
        _halve("Conv2d_1a_3x3", 3, 32),
        _square("Conv2d_2a_3x3", 32, 32, 3, padded=False),
        _square("Conv2d_2b_3x3", 32, 64, 3),
    ),
    (_square("Conv2d_3b_1x1", 64, 80), _square("Conv2d_4a_3x3", 80, 192, 3, padded=False)),
)
"""Two runs of convolutions; after each the picture is halved."""

BLOCKS: tuple[Block, ...] = (
    _35_by_35("Mixed_5b", 192, 32),
    _35_by_35("Mixed_5c", 256, 64),
    _35_by_35("Mixed_5d", 288, 64),
    _to_17_by_17("Mixed_6a"),
    _17_by_17("Mixed_6b", 128),
    _17_by_17("Mixed_6c", 160),
    _17_by_17("Mixed_6d", 160),
    _17_by_17("Mixed_6e", 192),
    _to_8_by_8("Mixed_7a"),
    _8_by_8("Mixed_7b", 1280, "average"),
    _8_by_8("Mixed_7c", 2048, "maximum"),
)


def convolutions() -> list[Convolution]:
    """All 94, in the order of the network."""
    stem = [each for run in STEM for each in run]
    return stem + [each for block in BLOCKS for branch in block for each in (*branch.steps, *branch.split)]

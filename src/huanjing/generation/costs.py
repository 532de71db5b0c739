"""What a recipe costs, measured: parameters of both networks, and the processor's time for a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BATCH = 64
"""Pictures in a step as it was measured; recipes may take others."""
BASIS = "mixed bfloat16 on two cores (AVX-512), other work beside it, so that only ratios count"
BASIS_ZH = "双核（AVX-512）上以 mixed bfloat16 计算，同时有其他任务，只有比例有意义"


@dataclass(frozen=True)
class Cost:
    """One recipe and size at one kind of picture, without classes, with batches of :data:`BATCH`."""

    recipe: str
    size: Literal["small", "medium", "large", ""]
    height: int
    width: int
    channels: Literal[1, 3]
    generator: int
    """Parameters, the fixed ones of ``modulated``'s grain among them. Training keeps about four times as many numbers
    of four bytes: weights, Adam's two, the gradient; and one more where weights are averaged."""
    discriminator: int
    seconds: float
    """Of all cores together, a step."""


# fmt: off
COSTS = (
    Cost("dcgan",       "",       28, 28, 1,  1_043_265,   212_865, 0.12),
    Cost("dcgan",       "",       64, 64, 3,  2_848_195,   242_561, 0.53),
    Cost("dcgan-dense", "",       32, 32, 3, 45_376_771,   217_985, 0.34),
    Cost("residual",    "small",  28, 28, 1,    235_609,    42_353, 0.04),
    Cost("residual",    "small",  64, 64, 3,    637_771,   108_465, 0.17),
    Cost("residual",    "medium", 28, 28, 1,    512_561,   166_625, 0.07),
    Cost("residual",    "medium", 64, 64, 3,  1_468_435,   429_921, 0.36),
    Cost("residual",    "large",  28, 28, 1,  1_215_457,   660_929, 0.19),
    Cost("residual",    "large",  64, 64, 3,  3_733_411, 1_711_809, 1.04),
    Cost("slim",        "small",  28, 28, 1,    185_153,    69_129, 0.04),
    Cost("slim",        "small",  64, 64, 3,    346_179,   168_809, 0.18),
    Cost("slim",        "medium", 28, 28, 1,    419_457,   273_425, 0.08),
    Cost("slim",        "medium", 64, 64, 3,  1_101_955,   669_393, 0.40),
    Cost("slim",        "large",  28, 28, 1,    702_913,   612_889, 0.16),
    Cost("slim",        "large",  64, 64, 3,  2_267_331, 1_501_753, 0.83),
    Cost("modulated",   "small",  28, 28, 1,    271_141,    71_897, 0.04),
    Cost("modulated",   "small",  64, 64, 3,    749_971,   170_953, 0.20),
    Cost("modulated",   "medium", 28, 28, 1,    527_605,   285_105, 0.08),
    Cost("modulated",   "medium", 64, 64, 3,  1_555_811,   679_825, 0.42),
    Cost("modulated",   "large",  28, 28, 1,    841_413,   639_625, 0.15),
    Cost("modulated",   "large",  64, 64, 3,  2_779_443, 1_526_617, 0.82),
)
# fmt: on

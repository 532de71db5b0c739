"""``--private``: what else a private training must not do, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from huanjing.errors import UsageError

if TYPE_CHECKING:
    from huanjing.bundle import Privacy
    from huanjing.cli.generator_run import Asked
    from huanjing.cli.language import Lang

DEFAULT_STEPS = 1000
"""Of a private run. Its noise depends on their number, so that a clock cannot end it."""
DEFAULT_BATCH = 128
"""Pictures in a batch on the average: the larger, the less the noise of one matters."""


def without_looking(asked: Asked) -> Asked:
    """The options of a private training, all that would look at pictures without noise turned off.

    :raises UsageError: where such a thing is asked for.
    """
    refused = (
        (asked.minutes is not None, "--minutes", "the noise follows from the number of steps: give --steps"),
        (asked.until not in {None, "end"}, f"--until {asked.until}", "the score compares with real pictures"),
        (asked.conditional == "yes", "--conditional yes", "how many pictures a class has is not covered by noise"),
        (asked.augment not in {None, "auto", 0.0}, "--augment", "its draws follow from the run's seed"),
    )  # fmt: skip
    for wrong, option, reason in refused:
        if wrong:
            raise UsageError(f"--private cannot go with {option}: {reason}. Leave {option} out.")
    return replace(
        asked,
        steps=asked.steps or DEFAULT_STEPS,
        batch=asked.batch or DEFAULT_BATCH,
        size="small" if asked.size in {None, "auto"} else asked.size,
        conditional="no",
        augment=0.0,
        flip="yes" if asked.flip == "yes" else "no",
        until="end",
    )


def promise(privacy: Privacy, language: Lang) -> list[str]:
    """What a training promises, and what is left out, in lines for a terminal of 80 columns."""
    epsilon, delta = f"{privacy.epsilon:.4g}", f"{privacy.delta:.0e}"
    noise = f"{privacy.noise_multiplier:g}"
    share = f"{100 * privacy.sampling_rate:.3g} %"
    if language == "zh":
        return [
            f"差分隐私：(ε = {epsilon}, δ = {delta})，相邻数据集相差一张图片（增加或去掉）。",
            f"判别网络更新 {privacy.updates:,} 次，每次泊松抽样 {share} 的图片；",
            f"逐样本梯度裁剪范数 {privacy.clip_norm:g}，噪声乘数 {noise}。",
            f"核算：{privacy.accountant}。",
        ]
    return [
        f"Differential privacy: (ε = {epsilon}, δ = {delta}), to add or remove one picture.",
        f"{privacy.updates:,} updates of the discriminator, each on a Poisson sample of {share};",
        f"gradients of single pictures clipped to {privacy.clip_norm:g}, noise multiplier {noise}.",
        f"Reckoned by {privacy.accountant}.",
    ]


def limits(language: Lang) -> list[str]:
    """What of a run folder the promise covers."""
    if language == "zh":
        return [
            "该承诺只涵盖 model/ 及其生成的图片；运行文件夹的其余部分请勿公开：",
            "report.html 含有真实图片和由其算出的分数，config.json 含有其校验值。",
        ]
    return [
        "This covers model/ and what it makes. Publish nothing else of the run folder:",
        "report.html shows real pictures and scores from them, config.json their hash.",
    ]

"""What the training doctor says, in English and Chinese: what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Alarm:
    """What is told of a fault."""

    en: str
    zh: str


@dataclass(frozen=True)
class Return:
    """Training went back to an earlier state."""

    reason: str
    """``collapse`` or ``not-finite``."""
    left: int
    """The step that it was at."""
    to: int
    """The step that it goes on from."""
    rate_scale: float
    """What the recipe's rates are multiplied by from there."""

    @property
    def text(self) -> Alarm:
        """For a person."""
        reason = REASONS[self.reason]
        return Alarm(
            f"By step {self.left:,} {reason.en}. Back to step {self.to:,}, with {self.rate_scale:g} times the rate.",
            f"到第 {self.left:,} 步时{reason.zh}，已退回第 {self.to:,} 步，学习率降为原来的 {self.rate_scale:g} 倍。",
        )


REASONS = {
    "not-finite": Alarm("numbers were no longer finite", "数值已不再有限"),
    "collapse": Alarm("the generator had collapsed", "生成网络已经坍缩"),
}

ALARMS: dict[str, Alarm] = {
    "collapse": Alarm(
        "The generator has collapsed: its pictures, or those of each class, are nearly all the same. If going back "
        "does not help, start a new run with another --seed, a larger --batch or, of classes, --conditional no.",
        "生成网络已经坍缩：生成的图片（或同一类别的图片）几乎完全相同。如果回退无效，请换一个 --seed、增大 --batch，"
        "有类别时也可用 --conditional no，重新开始训练。",
    ),
    "narrow": Alarm(
        "The generator makes nearly the same picture, or one of each class, whatever the latent, and has never made "
        "others. Start a new run with another --recipe, --seed or, of classes, --conditional no.",
        "无论潜变量如何，生成网络画出的图片（或同一类别的图片）几乎相同，而且从未画过别的。请换一个 --recipe 或 "
        "--seed，有类别时也可用 --conditional no，重新开始训练。",
    ),
    "discriminator-won": Alarm(
        "The discriminator tells every picture apart, which leaves the generator nothing to learn from; collapse "
        "often follows. More pictures, or --augment 0.2, make its task harder.",
        "判别网络已能分辨所有图片，生成网络学不到东西，往往随后坍缩。增加图片或使用 --augment 0.2 可加大判别难度。",
    ),
    "over-fitting": Alarm(
        "The discriminator knows the training pictures by heart: pictures that it was never shown score like "
        "generated ones. Use --augment 0.2, add pictures, or train for less long.",
        "判别网络背下了训练图片：没见过的真实图片得分与生成图片相近。请用 --augment 0.2、增加图片或缩短训练。",
    ),
    "copies": Alarm(
        "The generator copies training pictures. Do not take what it makes for new; use --augment 0.2, add pictures, "
        "or train for less long.",
        "生成网络在照抄训练图片，它的输出不能当作新图片。请使用 --augment 0.2、增加图片，或缩短训练。",
    ),
    "leak": Alarm(
        "Generated pictures have grey patches, which the augmentation cuts out. Start a new run with a fixed "
        "lower strength, such as --augment 0.3.",
        "生成的图片带有数据增强留下的灰块。请用较低的固定强度重新训练，例如 --augment 0.3。",
    ),
}
"""By name, as ``log.jsonl`` has them; the gravest first."""

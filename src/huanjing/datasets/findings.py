"""What the doctor can find: the kinds of fault, a finding, and the report of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from natsort import natsorted, ns

Severity = Literal["error", "warning", "note"]

FEW = 20
"""Fewer training pictures than this make no class that can be learned and checked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: how bad, what it is, what to do."""

    severity: Severity
    title: str
    title_zh: str
    advice: str
    advice_zh: str


KINDS: dict[str, Kind] = {
    "broken": Kind(
        "error",
        "cannot be read", "无法读取",
        "Get the file again, or leave it out; training passes it over.", "重新获取文件或将其移除；训练时会跳过。",
    ),
    "two-classes": Kind(
        "error",
        "the same picture in more than one class", "同一张图片出现在多个类别中",
        "Decide which class is right and remove the others.", "确定正确的类别，删除其余副本。",
    ),
    "two-splits": Kind(
        "error",
        "the same picture in training and in validation or test data", "同一张图片既在训练集，又在验证集或测试集中",
        "Remove it from the training data: figures measured on pictures that were learned say nothing.",
        "从训练集中删除：用学过的图片测出的指标没有意义。",
    ),
    "unlearned-class": Kind(
        "error",
        "a class without training pictures", "有类别没有训练图片",
        "Add pictures of it to the training data, or remove it.", "为其补充训练图片，或移除该类别。",
    ),
    "duplicate": Kind(
        "warning",
        "files that are equal byte by byte", "逐字节相同的文件",
        "Keep one of each.", "每组只保留一个。",
    ),
    "near-duplicate": Kind(
        "warning",
        "files that look the same", "看起来相同的图片",
        "Keep the best of each: a picture that is there many times counts many times.",
        "每组只保留最好的一张：重复的图片会被重复计入。",
    ),
    "blank": Kind(
        "warning",
        "one even colour", "只有一种颜色",
        "Leave it out: there is nothing to learn from it.", "建议移除：从中学不到任何东西。",
    ),
    "tiny": Kind(
        "warning",
        "tiny pictures", "尺寸过小",
        "Get them larger, or leave them out: enlarging makes no detail.", "换成更大的原图或移除：放大并不会增加细节。",
    ),
    "strange-aspect": Kind(
        "warning",
        "very long or very high pictures", "过长或过高的图片",
        "Crop them to what matters; training takes the centre.", "裁剪到主体部分；训练只取中间区域。",
    ),
    "imbalance": Kind(
        "warning",
        "classes of very different size", "各类别图片数量悬殊",
        "Add pictures to the small classes, or use class weights.", "为小类别补充图片，或使用类别权重。",
    ),
    "few-pictures": Kind(
        "warning",
        "classes with few pictures", "类别的图片太少",
        f"Add pictures: {FEW} are a start, a hundred are better.", f"补充图片：至少 {FEW} 张，最好上百张。",
    ),
    "huge": Kind(
        "note",
        "huge pictures", "尺寸过大",
        "They work, but slowly; smaller copies would train as well.", "可以使用但很慢；换成较小的副本，训练效果一样。",
    ),
    "animated": Kind("note", "animated", "动图", "The first frame is used.", "只使用第一帧。"),
    "cmyk": Kind(
        "note",
        "in printing colours (CMYK)", "印刷色彩（CMYK）",
        "They are converted to screen colours (sRGB).", "会转换为屏幕色彩（sRGB）。",
    ),
    "sixteen-bit": Kind(
        "note",
        "with 16 bits or more a channel", "每通道 16 位或更高",
        "They are brought to 8 bits.", "会转换为 8 位。",
    ),
    "transparent": Kind(
        "note",
        "with an alpha channel", "带透明通道",
        "What is transparent is shown on white.", "透明部分按白色背景显示。",
    ),
    "turned": Kind(
        "note",
        "turned by their EXIF data", "EXIF 中带有旋转信息",
        "They are turned upright on reading.", "读取时会自动转正。",
    ),
    "wrong-suffix": Kind(
        "note",
        "of another format than the name says", "实际格式与扩展名不符",
        "They are read by their content.", "按内容读取。",
    ),
}  # fmt: skip
"""All that the doctor looks for, the worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, with the files that have it together."""

    code: str
    files: tuple[str, ...]
    """Relative to the folder, in natural order; a class fault has none."""
    detail: str = ""
    """What is particular to this one: why it cannot be read (in English), classes, numbers, a size in pixels (px)."""
    exclude: tuple[str, ...] = ()
    """Which of the files training is better off without."""

    @property
    def kind(self) -> Kind:
        """What the code means."""
        return KINDS[self.code]

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain types, ready for JSON."""
        return {
            "code": self.code,
            "severity": self.kind.severity,
            "title": self.kind.title,
            "detail": self.detail,
            "files": list(self.files),
            "exclude": list(self.exclude),
            "advice": self.kind.advice,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found in a folder."""

    folder: str
    pictures: int
    """Files with a picture's suffix, the broken ones among them."""
    others: int
    """Files that were passed over."""
    classes: dict[str, int]
    """Readable pictures of each class, over all splits; empty where there are no class folders."""
    splits: dict[str, int]
    """Readable pictures of each split; empty where there are none."""
    findings: tuple[Finding, ...]
    """The worst first, then in natural order of their files."""

    @property
    def exclude(self) -> list[str]:
        """The files that training is better off without, in natural order."""
        unwanted = {name for finding in self.findings for name in finding.exclude}
        return natsorted(unwanted, alg=ns.PATH | ns.IGNORECASE)

    def count(self, severity: Severity) -> int:
        """How many findings are that bad."""
        return sum(finding.kind.severity == severity for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain types, ready for JSON."""
        return {
            "folder": self.folder,
            "pictures": self.pictures,
            "others": self.others,
            "classes": self.classes,
            "splits": self.splits,
            "findings": [finding.to_dict() for finding in self.findings],
            "exclude": self.exclude,
        }

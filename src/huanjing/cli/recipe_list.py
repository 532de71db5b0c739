"""What ``huanjing train generator --list-recipes`` shows: every recipe with its size, cost and score."""

from __future__ import annotations

import math
import sys

from huanjing.cli.language import Lang, resolve_language

WORDS = {
    "recipe": "方案", "size": "规模", "pictures": "图片", "generator": "生成器", "discriminator": "判别器",
    "s/step": "秒/步", "grey": "灰度", "colour": "彩色", "distance": "距离",
    "distance not measured": "距离未测",
}  # fmt: skip

SUMMARIES = {
    "dcgan": "2016 年的经典网络，即教程里常见的那一种",
    "dcgan-dense": "教程文章里的网络：全连接层一直加宽到 8,192 个单元，只能生成 32×32 彩色图片",
    "residual": "残差块、相对成对损失、真假两侧都加梯度惩罚、权重取滑动平均",
    "slim": "步进卷积，生成器带批归一化；损失和滑动平均与 residual 相同",
    "modulated": "在 slim 上，生成器每层都直接得到潜变量，两个网络都在原尺寸上看图；每步只算一遍",
}
"""In Chinese; the English ones are the recipes' own."""

NOTES = {
    "en": (
        "Parameters in millions; s/step: CPU seconds for a step of {batch} pictures, {basis}.",
        "--size auto takes medium; small in short runs above 64 pixels, large in long ones up to 32.",
        "Distance, lower is better: {protocol}.",
    ),
    "zh": (
        "参数量以百万计；秒/步：一步（{batch} 张图片）所用的 CPU 秒数，{basis}。",
        "--size auto 取 medium；时间短且大于 64 像素取 small，时间长且在 32 像素以内取 large。",
        "距离（越低越好）：{protocol}。",
    ),
}

DISTANCE_PROTOCOL_ZH = (
    "在双核上训练 2 分钟后的 Fréchet 距离，10,000 张 28×28 服装图片，不分类别，bfloat16，单个种子；在 "
    "efficientnet-lite0 的池化特征上比较 2,000 张生成图片与 2,000 张测试图片；训练集对测试集为 9.0"
)


def print_recipes(chosen: Lang | None) -> None:
    """Print the table, a line on each recipe, and what the numbers mean."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from huanjing.generation.costs import BASIS, BASIS_ZH, BATCH, COSTS
    from huanjing.generation.recipes import DEFAULT_RECIPES, DISTANCE_PROTOCOL, RECIPES

    language = resolve_language(chosen, human=True)
    defaults: dict[str, str] = {}
    least: float = 0
    for most, name in DEFAULT_RECIPES:
        bound = (
            {"en": f"above {least}", "zh": f"{least} 像素以上"}
            if most == math.inf
            else {"en": f"up to {most}", "zh": f"{most} 像素及以下"}
        )
        defaults[name] = f"默认用于 {bound['zh']}" if language == "zh" else f"default {bound['en']} pixels"
        least = most

    def word(english: str) -> str:
        return WORDS.get(english, english) if language == "zh" else english

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("recipe", "size", "pictures", "generator", "discriminator", "s/step"):
        numeric = title in {"generator", "discriminator", "s/step"}
        table.add_column(word(title), justify="right" if numeric else "left", no_wrap=True)
    before = ""
    for cost in COSTS:
        shape = f"{cost.width}×{cost.height} {word('grey' if cost.channels == 1 else 'colour')}"
        name = cost.recipe if cost.recipe != before else ""
        before = cost.recipe
        millions = (f"{count / 1e6:.2f}" for count in (cost.generator, cost.discriminator))
        table.add_row(name, cost.size, shape, *millions, f"{cost.seconds:.2f}")
    console = Console(width=None if sys.stdout.isatty() else 80, highlight=False)
    console.print(table)
    for name, recipe in RECIPES.items():
        known = recipe.distance is not None
        notes = [f"{word('distance')} {recipe.distance:g}" if known else word("distance not measured")]
        if name in defaults:
            notes.append(defaults[name])
        summary = SUMMARIES[name] if language == "zh" else recipe.summary
        aside = f"（{'，'.join(notes)}）" if language == "zh" else f" ({', '.join(notes)})"
        console.print(f"{name}: {summary}{aside}")
    console.print()
    for note in NOTES[language]:
        console.print(
            note.format(
                batch=BATCH,
                basis=BASIS_ZH if language == "zh" else BASIS,
                protocol=DISTANCE_PROTOCOL_ZH if language == "zh" else DISTANCE_PROTOCOL,
            )
        )

"""What a reader of an evaluation must know besides the figures, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huanjing.generation.metrics import CopyingScore

FEW = 1000
MISLEADING_PRECISION = 0.2


@dataclass(frozen=True)
class Remark:
    """One remark; ``code`` is for programs."""

    code: str
    en: str
    zh: str


def remarks_on(
    *, pictures: int, held_out: bool, noise_precision: float, copying: Sequence[CopyingScore], untaught: bool
) -> tuple[Remark, ...]:
    """The remarks that these figures call for, the gravest first.

    :param copying: by features, then by pixels.
    :param untaught: there was a lesson, and too few pictures for it.
    """
    remarks = []
    for score, (en, zh) in zip(copying, (("features", "特征"), ("pixels", "像素")), strict=True):
        if score.suspicious:
            remarks.append(_copying(score, en, zh))
    if noise_precision >= MISLEADING_PRECISION:
        remarks.append(
            Remark(
                "precision_misleads",
                f"Noise gets a precision of {noise_precision:.2f} here, so precision says little about these "
                "pictures; look at the distances, density and coverage.",
                f"这里连噪声的精确率也有 {noise_precision:.2f}，因此精确率说明不了什么；请看两种距离、密度和覆盖率。",
            )
        )
    if not held_out:
        remarks.append(
            Remark(
                "nothing_held_out",
                "No pictures were held out for these scores: they are against training pictures, which flatters a "
                "generator that repeats them. A folder with train/ and test/ parts tells more.",
                "没有为评分留出图片：分数是与训练图片比较得到的，会偏向照抄训练图片的生成网络。"
                "分成 train/ 和 test/ 的文件夹更能说明问题。",
            )
        )
    if pictures < FEW:
        remarks.append(
            Remark(
                "few_pictures",
                f"Only {pictures:,} pictures on each side: Fréchet distances come out too high; compare them with "
                "the baseline beside them alone.",
                f"每边只有 {pictures:,} 张图片：Fréchet 距离会偏高，只宜与旁边的基准相比。",
            )
        )
    if untaught:
        remarks.append(
            Remark(
                "too_few_to_teach",
                "What its pictures can teach was not measured: too few of the real pictures drawn show its classes.",
                "没有测它的图片能教会什么：抽到的真实图片中，属于其类别的太少。",
            )
        )
    return tuple(remarks)


def _copying(score: CopyingScore, en: str, zh: str) -> Remark:
    if score.copies_some:
        found_en = (
            f"{percent(score.near.value)} of its pictures lie as near to one as the nearest "
            f"{percent(score.expected)} of other real pictures do"
        )
        found_zh = (
            f"{percent(score.near.value)} 的生成图片与某张训练图片的接近程度，在其他真实图片中只有最接近的 "
            f"{percent(score.expected)} 才达到"
        )
    else:
        found_en = (
            f"they lie nearer to one than other real pictures do in {percent(score.closer.value)} of cases"
        )
        found_zh = f"在 {percent(score.closer.value)} 的情形下，生成图片比其他真实图片离训练图片更近"
    return Remark(
        f"copying_{en}",
        f"It seems to copy training pictures: by {en}, {found_en}. Look at the closest pairs.",
        f"疑似照抄训练图片：按{zh}比较，{found_zh}。请看最接近的图片对。",
    )


def not_its_pictures() -> Remark:
    """The training pictures given are not those that the model says it was trained on."""
    return Remark(
        "other_training_pictures",
        "The training pictures here are not, or not all, those that the model says it was trained on: copies of "
        "others would go unseen.",
        "这里的训练图片不是（或不全是）该模型所记录的训练图片：若照抄了其他图片，这里看不出来。",
    )


def pictures_unsaid() -> Remark:
    """The model does not say what it was trained on, as after private training."""
    return Remark(
        "training_pictures_unsaid",
        "The model does not record which pictures it was trained on. That those are the training pictures here, and "
        "that it never saw the others, is taken on trust.",
        "该模型没有记录它的训练图片。这里的训练图片就是它学过的、其余的它没有见过，都无从核对。",
    )


def not_taught(known: int, there: int) -> Remark:
    """Classes of the folder that the generator does not know were left out of what its pictures teach, or all were.

    :param known: classes of the folder that it knows; under two nothing can be taught.
    :param there: classes of the folder.
    """
    if known < 2:
        return Remark(
            "nothing_to_teach",
            "What its pictures can teach was not measured: fewer than two of the folder's subfolders have names of its "
            "classes.",
            "没有测它的图片能教会什么：文件夹中与其类别同名的子文件夹不足两个。",
        )
    return Remark(
        "classes_left_out",
        f"It knows {known:,} of the folder's {there:,} classes; what its pictures teach was measured on these alone.",
        f"文件夹有 {there:,} 个类别，它只认识其中 {known:,} 个；它的图片能教会什么，只在这些类别上测得。",
    )


def percent(share: float) -> str:
    """``0.012`` as ``1.2 %``."""
    return f"{100 * share:.1f} %"

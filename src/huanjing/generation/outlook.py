"""What is told of a score that was just taken: where it will be at the end, and when at the one to reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from huanjing.generation.alarms import Alarm
from huanjing.generation.forecast import Range
from huanjing.generation.scoring import Scores, Until
from huanjing.training.clock import Clock
from huanjing.training.progress import duration


@dataclass(frozen=True)
class Outlook:
    """A score and what it says about the scores to come."""

    step: int
    score: float
    target: float | None
    """The score to reach, if there is one."""
    at_end: Range | None
    """The score at the end of the steps or minutes; None where scores are too few, or at the end."""
    seconds_to_target: Range | None
    """Training time from here to :attr:`target`; infinite is never, as it looks."""
    seconds_left: float
    """To the end of the steps or minutes."""

    @property
    def text(self) -> Alarm:
        """For a person."""
        en, zh = (
            f"Score {number(self.score)} at step {self.step:,}",
            f"第 {self.step:,} 步得分 {number(self.score)}",
        )
        if self.target is not None and self.score <= self.target:
            asked = number(self.target)
            return Alarm(f"{en}: {asked} is reached.", f"{zh}，已达到 {asked}。")
        if self.at_end is None:
            if self.seconds_left <= 0:
                return Alarm(f"{en}.", f"{zh}。")
            return Alarm(
                f"{en}; not enough scores yet for a forecast.", f"{zh}；得分次数还不够，暂时无法预测。"
            )
        range_ = self.at_end
        low, middle, high = number(range_.low), number(range_.middle), number(range_.high)
        end = Alarm(
            f"At the end probably {middle} ({low} to {high}).", f"结束时大约 {middle}（{low}～{high}）。"
        )
        if self.target is None or self.seconds_to_target is None:
            return Alarm(f"{en}. {end.en}", f"{zh}。{end.zh}")
        reach = self._reach(number(self.target), self.seconds_to_target)
        if self.seconds_to_target.middle <= self.seconds_left:
            return Alarm(f"{en}. {reach.en}.", f"{zh}。{reach.zh}。")
        return Alarm(f"{en}. {reach.en}. {end.en}", f"{zh}。{reach.zh}。{end.zh}")

    def to_dict(self) -> dict[str, Any]:
        """For the log; infinite is null."""
        ranges = {"score_at_end": self.at_end, "seconds_to_target": self.seconds_to_target}
        return {
            name: {part: _finite(value) for part, value in vars(found).items()}
            for name, found in ranges.items()
            if found is not None
        }

    def _reach(self, target: str, seconds: Range) -> Alarm:
        if math.isinf(seconds.middle):
            return Alarm(f"{target} is not to be reached, as it looks", f"照目前看达不到 {target}")
        low, middle = duration(seconds.low), duration(seconds.middle)
        if math.isinf(seconds.high):
            range_en, range_zh = f"{low} or more, perhaps never", f"至少 {low}，也可能达不到"
        else:
            range_en, range_zh = (f"{low} {word} {duration(seconds.high)}" for word in ("to", "～"))
            range_zh = range_zh.replace(" ", "")
        if seconds.middle > self.seconds_left:
            left = duration(self.seconds_left)
            return Alarm(
                f"{target} would take about {middle} ({range_en}), but {left} is left",
                f"达到 {target} 约需 {middle}（{range_zh}），而只剩 {left}",
            )
        return Alarm(f"{target} in about {middle} ({range_en})", f"约 {middle} 后达到 {target}（{range_zh}）")


def look_ahead(scores: Scores, clock: Clock, score: float) -> Outlook:
    """What the scores so far, the newest ``score`` among them, say about the rest of the training."""
    pace = clock.seconds / max(1, clock.step)
    by_steps = math.inf if clock.steps is None else (clock.steps - clock.step) * pace
    left = max(0.0, min(by_steps, clock.budget - clock.seconds))
    forecast = scores.forecast if left > 0 else None
    at_end = to_target = None
    if forecast is not None:
        at_end = forecast.score_at(clock.step + left / max(pace, 1e-9))
        if scores.target is not None and not scores.satisfied:
            to_target = forecast.steps_to(scores.target).scaled(pace, -clock.seconds)
    return Outlook(clock.step, score, scores.target, at_end, to_target, left)


def result_text(until: Until, best: float) -> Alarm | None:
    """Whether the score to reach was reached; None where there was none."""
    if isinstance(until, str):
        return None
    asked, found = number(until), number(best)
    if best <= until:
        return Alarm(f"The score {asked} was reached: {found}.", f"已达到得分 {asked}：{found}。")
    if math.isinf(best):
        return Alarm(f"No score was taken, so {asked} was not reached.", f"没有打过分，未达到 {asked}。")
    return Alarm(
        f"The score {asked} was not reached; the best was {found}, and that state is kept.",
        f"未达到得分 {asked}；最好为 {found}，已保留该状态。",
    )


def forecast_points(log: Sequence[dict[str, Any]], per_second: float = 1.0) -> list[tuple[float, float]]:
    """The forecasts of the last score in a run's log, each at the time when it was made, for a chart."""
    return [
        (line["seconds"] * per_second, line["forecast"]["score_at_end"]["middle"])
        for line in log
        if "score_at_end" in (line.get("forecast") or {})
    ]


def number(score: float) -> str:
    """Three digits: ``7.25``, ``45.2``, ``161``."""
    return f"{score:.{0 if score >= 99.95 else 1 if score >= 9.995 else 2}f}"


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None

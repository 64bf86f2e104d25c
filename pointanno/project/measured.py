"""Times of annotations as they were measured, for records that are handed out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.dataset import Instance, Target


@dataclass(frozen=True, slots=True)
class MeasuredTimes:
    """Whole milliseconds by uid; what is not named keeps the time that its record has.

    Attributes
    ----------
    answers : by uid of the box and index of the point; None where the journal knows of no time
    boxes : (time, drag) by uid
    clicks : by uid
    """

    answers: Mapping[tuple[str, int], int | None] = field(default_factory=dict)
    boxes: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    clicks: Mapping[str, int | None] = field(default_factory=dict)

    def instance(self, instance: Instance, uid: str) -> Instance:
        """A boxed object with its times."""
        points = instance.points
        known = [index for index in range(len(points)) if (uid, index) in self.answers]
        if known:
            times = list(points.times_ms)
            for index in known:
                if points.status[index] != "pad":  # nobody has answered it again
                    times[index] = self.answers[uid, index]
            instance = replace(instance, points=replace(points, times_ms=tuple(times)))
        if uid in self.boxes:
            time_ms, drag_ms = self.boxes[uid]
            instance = replace(instance, box_time_ms=time_ms, box_drag_ms=drag_ms)
        return instance

    def target(self, target: Target, uids: Sequence[str]) -> Target:
        """A clicked target with its times; `uids` of its points."""
        if not any(uid in self.clicks for uid in uids):
            return target
        times = [self.clicks.get(uid, time) for uid, time in zip(uids, target.points.times_ms, strict=True)]
        return replace(target, points=replace(target.points, times_ms=tuple(times)))

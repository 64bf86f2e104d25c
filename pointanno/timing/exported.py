"""Times that travel with the annotations: `point_times_ms`, `bbox_time_ms`, `bbox_drag_ms` of COCO-point JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.project.measured import MeasuredTimes
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

if TYPE_CHECKING:
    from pointanno.project import Project
    from pointanno.timing.items import Item

CHANGING = frozenset({"object", "background", "unsure", "skip", "change", "delete"})
"""Values and verdicts of reviews after which another answer holds."""


def measured_times(project: Project) -> MeasuredTimes:
    """The times of what stands in the end, from the raw events: those of the report, idle time included.

    What was annotated in sessions without a clock, or came from a file, is not named and keeps its time.
    """
    study = study_of(read_log(project))
    answers: dict[tuple[str, int], int | None] = {}
    boxes: dict[str, tuple[int | None, int | None]] = {}
    clicks: dict[str, int | None] = {}
    for item in sorted((one for one in study.items if one.is_final), key=lambda one: one.seq):
        is_review = item.kind == "review" and item.value in CHANGING
        if item.point is not None and (item.kind == "point" or is_review):
            answers[item.uid, item.point] = whole_ms(item)
        elif item.kind == "click":
            clicks[item.uid] = whole_ms(item)
        elif item.kind == "box":
            drag = None if item.drag_ns is None else round(item.drag_ns / 1e6)
            boxes[item.uid] = (whole_ms(item), drag)
    return MeasuredTimes(answers, boxes, clicks)


def whole_ms(item: Item) -> int | None:
    """Raw time of an item, None where nothing can be said."""
    return None if item.time is None else round(item.time.raw / 1e6)

"""What was timed: answers, boxes, clicks, strokes, objects and images, each as one row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointanno.timing.activity import Split

ACTIONS = ("point", "box", "click", "stroke", "review")
"""Kinds of items that one action ends; they are counted together where the warm-up is."""

KINDS = (*ACTIONS, "extreme", "object", "image")

WARM_UP = 10
"""Actions at the beginning of a session, and of each condition in it, that are not counted."""

FAST_MS = 150
"""Nobody sees a point, decides and presses a key in less."""

LEFT_OUT = frozenset({"warm_up", "practice", "unseen", "suspended", "open", "only_seen"})
"""Flags of items that no statistic of single items takes in unless it is asked to."""


@dataclass(frozen=True, slots=True)
class Item:
    """One timed thing; README.md of this room defines start and stop of each kind.

    Attributes
    ----------
    kind : of `KINDS`
    seq, event : number and uuid of the event that ended it (of an object or image: that began it)
    session, annotator, condition : under which it was done
    number : int
        1-based place among the items of this kind in the session.
    image_id, uid, point, category_id, value, layer : what it is about; `uid` of the object
    start_ns, stop_ns : int or None
        On the clock of the session; None where there is no start, or several stretches.
    time : Split or None
        None where nothing can be said: the question was not on the screen yet, the picture neither.
    drag_ns : press to release, None without a drag
    size : (width, height) of the object's box in pixels, None where it has none
    parts : of an object: raw nanoseconds in its box, its points, clicks and strokes
    actions : how many actions an object or an image took
    events : uuids of the events that ended the actions of an object
    flags : warm_up, practice, unseen, fast, fallback, late, preview, suggested, suspended, open, only_seen
    superseded_by : uuid of the event that took it back, None if it stands
    is_first : whether nothing of the kind was given to the same question before
    """

    kind: str
    seq: int
    event: str
    session: int
    annotator: str
    condition: str
    number: int
    image_id: int | None
    uid: str
    point: int | None = None
    category_id: int | None = None
    value: str = ""
    layer: str = "main"
    start_ns: int | None = None
    stop_ns: int | None = None
    time: Split | None = None
    drag_ns: int | None = None
    size: tuple[float, float] | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    actions: int = 1
    events: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    superseded_by: str | None = None
    is_first: bool = True

    @property
    def is_final(self) -> bool:
        """Whether it stands in the end."""
        return self.superseded_by is None

    @property
    def raw_ms(self) -> float:
        """Milliseconds without what is excluded."""
        return float("nan") if self.time is None else self.time.raw / 1e6

    @property
    def trimmed_ms(self) -> float:
        """Milliseconds without idle time either."""
        return float("nan") if self.time is None else self.time.trimmed / 1e6

    @property
    def extent(self) -> float | None:
        """Square root of the area of its box, pixels."""
        return None if self.size is None else float((self.size[0] * self.size[1]) ** 0.5)

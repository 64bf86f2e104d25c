"""A whole journal, timed: the entrance to this room."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pointanno.timing.activity import IDLE_NS, SessionTime, session_time
from pointanno.timing.history import superseded
from pointanno.timing.items import LEFT_OUT, WARM_UP, Item
from pointanno.timing.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pointanno.timing.log import Log, Thing


@dataclass(frozen=True, slots=True)
class Study:
    """A whole journal, timed.

    Attributes
    ----------
    log : what it was computed from
    times : of the sessions in which a clock ran, by number
    items : in the order of sessions and time
    conditions : (session, start_ns, stop_ns, condition) without a hole, of each timed session
    things : what is known of each object, by image and uid
    """

    log: Log
    times: Mapping[int, SessionTime]
    items: tuple[Item, ...]
    conditions: tuple[tuple[int, int, int, str], ...]
    things: Mapping[tuple[int | None, str], Thing]

    def chosen(self, kind: str, *, answers: str = "first", left_out: Iterable[str] = LEFT_OUT) -> list[Item]:
        """Items of a kind that statistics take in.

        Parameters
        ----------
        kind : of `KINDS`
        answers : "first" (what was given first, whether it stands or not) or "final" (what stands in the end)
        left_out : flags of items that are not wanted
        """
        unwanted = frozenset(left_out)
        return [
            item
            for item in self.items
            if item.kind == kind
            and item.time is not None
            and not item.flags & unwanted
            and (item.is_first if answers == "first" else item.is_final)
        ]


def study_of(log: Log, *, idle_ns: int = IDLE_NS, warm_up: int = WARM_UP) -> Study:
    """Everything that is timed in a log.

    Parameters
    ----------
    log : Log
    idle_ns : int
        Time without input from which on it is idle.
    warm_up : int
        Actions at the beginning of each session and condition that are flagged.
    """
    times = {one.number: session_time(one, idle_ns=idle_ns) for one in log.sessions if one.is_timed}
    walk = Walk(log.things, log.stuff, warm_up)
    for session in log.sessions:
        if session.number in times:
            walk.session(session, times[session.number])
    items = superseded(walk.finished(), log.events)
    return Study(log, times, tuple(_with_open_flags(items, walk)), tuple(walk.conditions), walk.things)


def _with_open_flags(items: Sequence[Item], walk: Walk) -> list[Item]:
    """Objects with points that nobody has answered are flagged: their time is not all of it."""
    answered: dict[tuple[str, int | None, str], set[int | None]] = {}
    for item in items:
        if item.kind == "point" and item.is_final:
            answered.setdefault((item.annotator, item.image_id, item.uid), set()).add(item.point)
    found = []
    for item in items:
        if item.kind == "object":
            thing = walk.things.get((item.image_id, item.uid))
            wanted = 0 if thing is None else thing.points
            given = len(answered.get((item.annotator, item.image_id, item.uid), ()))
            if given < wanted and item.is_final:
                item = replace(item, flags=item.flags | {"open"})
        found.append(item)
    return found

"""Whether a study is going on: then nobody who works in it is told how fast anybody is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from sqlalchemy import bindparam, func, or_, select

from pointanno.project.schema import events, sessions

if TYPE_CHECKING:
    from pointanno.project import Project

_NEWEST = select(func.max(events.c.seq).label("seq"))
_TURNS = (
    select(events.c.kind, events.c.payload, sessions.c.uuid)
    .join(sessions, events.c.session == sessions.c.id)
    .where(events.c.seq > bindparam("k_after"), or_(events.c.kind == "study_start", events.c.kind == "study_end"))
    .order_by(events.c.seq)
)


class JournalWatch:
    """Follows a journal: whether it grew, and which study its session of now has begun and not ended.

    Feedback about one's speed changes what one does, so a study would measure something else from then on. A study ends
    with its session, in whatever way that ended; whoever goes on with it begins again.

    Attributes
    ----------
    newest : number of the last event that was seen, 0 before the first look
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._studies: dict[str, str | None] = {}
        self.newest = 0

    def look(self) -> bool:
        """Read what is new; whether there is anything."""
        row = self._project.store.first(_NEWEST)
        newest = 0 if row is None or row["seq"] is None else int(row["seq"])
        if newest == self.newest:
            return False
        for turn in self._project.store.rows(_TURNS, k_after=self.newest):
            payload = orjson.loads(turn["payload"])
            self._studies[turn["uuid"]] = str(payload.get("name") or "study") if turn["kind"] == "study_start" else None
        self.newest = newest
        return True

    @property
    def study(self) -> str | None:
        """Name of the study that the person of now is in, None outside of any."""
        return self._studies.get(self._project.session_id)

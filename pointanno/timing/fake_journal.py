"""A journal in memory on a clock that is moved by hand: for simulated studies and for checking the rules of timing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.project.records import Event
from pointanno.timing.log import MS

if TYPE_CHECKING:
    from collections.abc import Mapping


class FakeJournal:
    """Events as a project would write them, of one or several sessions.

    Attributes
    ----------
    events : list of Event
    annotators : dict of int to str
        Pseudonyms by number of the session.
    now : int, ns
        The monotonic clock of the session.
    wall : int, ns
        The wall clock, which may be moved apart from the other one.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.annotators: dict[int, str] = {}
        self.now = 0
        self.wall = 1_790_000_000_000 * MS
        self._session = -1

    def begin(self, annotator: str, *, at_ms: float = 0, **facts: Any) -> None:
        """Start another session, on a clock that begins anew."""
        self._session += 1
        self.annotators[self._session] = annotator
        self.now = round(at_ms * MS)
        self.write("session_start", facts)

    def wait(self, ms: float) -> None:
        """Let time pass on both clocks."""
        self.now += round(ms * MS)
        self.wall += round(ms * MS)

    def write(
        self,
        kind: str,
        payload: Mapping[str, Any] | None = None,
        *,
        image_id: int | None = None,
        at_ns: int | None = None,
        timing: Mapping[str, Any] | None = None,
    ) -> Event:
        """One event, now or at another time."""
        number = len(self.events) + 1
        event = Event(
            seq=number,
            uuid=f"{number:032x}",
            session=self._session,
            t_mono_ns=self.now if at_ns is None else at_ns,
            t_wall=self.wall,
            kind=kind,
            image_id=image_id,
            payload=dict(payload or {}),
            source="manual",
            timing=timing,
        )
        self.events.append(event)
        return event

    def turn(self, kind: str, target: Event, *, at_ns: int | None = None) -> Event:
        """Undo or redo an event."""
        payload = {"uuid": target.uuid, "seq": target.seq, "kind": target.kind}
        return self.write(kind, payload, image_id=target.image_id, at_ns=at_ns)

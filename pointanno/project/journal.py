"""The append-only list of events, with undo and redo as further events."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, delete, func, insert, select, update

from pointanno.errors import InputError
from pointanno.project.payloads import ANNOTATING, WITHOUT_IMAGE, checked, plain
from pointanno.project.projection import Entry, Projection
from pointanno.project.records import Event
from pointanno.project.schema import (
    IMAGE_STATE,
    PROJECTION,
    annotators,
    events,
    history,
    images,
    import_parts,
    sessions,
)
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pointanno.project.store import AnyRow, Store

AT_CREATION = "create"
"""Source of the events that make a project; they are its beginning and cannot be undone."""

_ADD = insert(events)
_ADD_PART = insert(import_parts)
_BY_SEQ = select(events).where(events.c.seq == bindparam("k_seq"))
_AFTER = select(events).where(events.c.seq > bindparam("k_seq")).order_by(events.c.seq).limit(bindparam("k_count"))
_LAST_SEQ = select(func.max(events.c.seq))
_FORGET_UNDONE = delete(history).where(history.c.undone == 1)
_REMEMBER = insert(history)
_MARK = (update(history).where(history.c.undone == bindparam("k_from"), history.c.seq == bindparam("k_seq"))).values(
    undone=bindparam("k_to")
)
_TO_UNDO = select(func.max(history.c.seq)).where(history.c.undone == 0)
_TO_REDO = select(func.min(history.c.seq)).where(history.c.undone == 1)
_ADD_SESSION = insert(sessions)
_END_SESSION = update(sessions).where(sessions.c.id == bindparam("k_id")).values(ended=bindparam("v_ended"), clean=1)
_NEXT_SESSION = select(func.coalesce(func.max(sessions.c.id), -1) + 1)
_SESSION_ANNOTATORS = select(sessions.c.id, sessions.c.annotator)
_FIND_ANNOTATOR = select(annotators.c.id).where(annotators.c.name == bindparam("k_name"), annotators.c.origin.is_(None))
_NEXT_ANNOTATOR = select(func.coalesce(func.max(annotators.c.id), -1) + 1)
_ADD_ANNOTATOR = insert(annotators)
_RESET_IMAGES = update(images).values(IMAGE_STATE)
_SET_BEFORE = update(events).where(events.c.seq == bindparam("k_seq")).values(before=bindparam("v_before"))
_LAST_STAMP = select(func.max(events.c.stamp))
_LAST_MERGE = select(func.max(events.c.seq)).where(events.c.kind == "merge")
_TURNS = (
    select(events.c.kind, events.c.payload)
    .where(((events.c.kind == "undo") | (events.c.kind == "redo")), events.c.seq < bindparam("k_seq"))
    .order_by(events.c.seq)
)
_EMPTY = [delete(table) for table in PROJECTION]


@dataclass(slots=True)
class _Session:
    """Who writes now; the row is made together with the first event."""

    uuid: str
    annotator_name: str
    tool_version: str
    number: int | None = None
    annotator: int | None = None


class Journal:
    """Writes events and their effect in one transaction, and reads them back.

    Parameters
    ----------
    store : open project file
    projection : what the events act upon
    annotator : pseudonym of the person, as it will stand in exported files
    """

    def __init__(self, store: Store, projection: Projection, *, annotator: str, tool_version: str) -> None:
        self._store = store
        self._projection = projection
        self._session = _Session(uuid.uuid4().hex, annotator, tool_version)
        self._last_seq = int((store.first(_LAST_SEQ) or [0])[0] or 0)
        self._last_stamp = 0  # read when it is first needed: a file of an older version has no stamps yet

    @property
    def session_uuid(self) -> str:
        return self._session.uuid

    @property
    def annotator_name(self) -> str:
        return self._session.annotator_name

    def change_annotator(self, name: str) -> None:
        """Somebody else goes on: the session ends, and another one begins with its first event."""
        with self._store.lock:
            self.end_session()
            self._session = _Session(uuid.uuid4().hex, name, self._session.tool_version)

    @property
    def has_written(self) -> bool:
        return self._session.number is not None

    @property
    def last_seq(self) -> int:
        return self._last_seq

    def append(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        image_id: int | None,
        t_mono_ns: int | None,
        source: str,
        timing: Mapping[str, Any] | None,
    ) -> Event:
        """Write one event of a kind that callers may record."""
        values = checked(kind, payload)
        if kind in ANNOTATING and kind not in WITHOUT_IMAGE and image_id is None:
            raise InputError(f"{kind}, image_id: expected the id of the image that is annotated, received None")
        return self._append(kind, values, image_id=image_id, t_mono_ns=t_mono_ns, source=source, timing=timing)

    def append_import(self, make: Callable[[str], tuple[dict[str, Any], list[bytes]]], *, source: str) -> Event:
        """Write one import event; `make` gets the uuid of the event and returns its payload and parts."""
        with self._durable():
            event_uuid = uuid.uuid4().hex
            payload, parts = make(event_uuid)
            seq = self._last_seq + 1
            rows = [{"seq": seq, "part": number, "data": data} for number, data in enumerate(parts)]
            self._store.execute_many(_ADD_PART, rows)
            return self._write("import", payload, None, now_ns(), source, None, event_uuid)

    def undo(self, t_mono_ns: int | None, timing: Mapping[str, Any] | None = None) -> Event | None:
        """Take back the newest event that still stands; returns that event."""
        return self._turn("undo", _TO_UNDO, t_mono_ns, timing)

    def redo(self, t_mono_ns: int | None, timing: Mapping[str, Any] | None = None) -> Event | None:
        """Do the oldest undone event again; returns that event."""
        return self._turn("redo", _TO_REDO, t_mono_ns, timing)

    def next_turn(self, kind: str) -> Event | None:
        """The event that the next "undo" or "redo" would act upon."""
        seq = _value(self._store, _TO_UNDO if kind == "undo" else _TO_REDO)
        row = None if seq is None else self._store.first(_BY_SEQ, k_seq=seq)
        return None if row is None else to_event(row)

    @property
    def can_undo(self) -> bool:
        return _value(self._store, _TO_UNDO) is not None

    @property
    def can_redo(self) -> bool:
        return _value(self._store, _TO_REDO) is not None

    def events(self, after_seq: int = 0, page: int = 1000) -> Iterator[Event]:
        """Events in order; each page is one short read, so writing goes on meanwhile."""
        while rows := self._store.rows(_AFTER, k_seq=after_seq, k_count=page):
            for row in rows:
                yield to_event(row)
            after_seq = rows[-1]["seq"]

    def end_session(self) -> None:
        """Note that the session ended in an orderly way, if it wrote anything."""
        if self._session.number is not None:
            with self._store.transaction():
                self._store.execute(_END_SESSION, k_id=self._session.number, v_ended=time.time_ns())

    def rebuild(self) -> None:
        """Make the projection, and the inverse of every event, again from the events alone, in one transaction.

        Events up to the last merge came from several copies, so undoing one after the other would make no sense
        among them: of these, the events that stand are applied in order, and those that fit no more have no effect.
        """
        with self._store.transaction():
            for statement in (*_EMPTY, _RESET_IMAGES):
                self._store.execute(statement)
            annotator_of = dict(map(tuple, self._store.execute(_SESSION_ANNOTATORS).fetchall()))
            merged_until = int(self._store.execute(_LAST_MERGE).fetchone()[0] or 0)
            undone = self._undone_before(merged_until) if merged_until else frozenset()
            after = 0
            while rows := self._store.execute(_AFTER, k_seq=after, k_count=1000).fetchall():
                for row in rows:
                    if row["seq"] > merged_until:
                        self._replay(row, annotator_of)
                    elif row["uuid"] not in undone and (row["kind"] in ANNOTATING or row["kind"] == "import"):
                        self._replay_merged(row, annotator_of)
                    elif row["before"] is not None:
                        self._store.execute(_SET_BEFORE, k_seq=row["seq"], v_before=None)
                after = rows[-1]["seq"]

    def _undone_before(self, seq: int) -> frozenset[str]:
        """Uuids of the events that an undo took back and no redo brought again."""
        turned = {}
        for row in self._store.execute(_TURNS, k_seq=seq).fetchall():
            turned[orjson.loads(row["payload"])["uuid"]] = row["kind"] == "undo"
        return frozenset(uuid for uuid, is_undone in turned.items() if is_undone)

    def _replay_merged(self, row: AnyRow, annotator_of: Mapping[int, int | None]) -> None:
        """Apply an event of a merged journal, unless it no longer fits."""
        self._store.execute_text("savepoint merged")
        try:
            before = self._projection.apply(_entry(row, annotator_of.get(row["session"])))
        except InputError:
            self._store.execute_text("rollback to merged")
            self._store.execute(_SET_BEFORE, k_seq=row["seq"], v_before=None)
        else:
            self._store.execute(_SET_BEFORE, k_seq=row["seq"], v_before=_dump(before))
            self._remember(row["seq"], row["source"])
        self._store.execute_text("release merged")

    def _replay(self, row: AnyRow, annotator_of: Mapping[int, int | None]) -> None:
        kind = row["kind"]
        if kind in ("undo", "redo"):
            target = self._store.execute(_BY_SEQ, k_seq=orjson.loads(row["payload"])["seq"]).fetchone()
            self._turn_over(kind, target, annotator_of.get(target["session"]))
        elif kind in ANNOTATING or kind == "import":
            before = _dump(self._projection.apply(_entry(row, annotator_of.get(row["session"]))))
            if before != row["before"]:
                self._store.execute(_SET_BEFORE, k_seq=row["seq"], v_before=before)
            self._remember(row["seq"], row["source"])

    # writing ----------------------------------------------------------------------------------------------------

    def _append(
        self,
        kind: str,
        payload: dict[str, Any],
        *,
        image_id: int | None,
        t_mono_ns: int | None,
        source: str,
        timing: Mapping[str, Any] | None,
    ) -> Event:
        t_mono_ns = now_ns() if t_mono_ns is None else int(t_mono_ns)
        with self._durable():
            return self._write(kind, payload, image_id, t_mono_ns, source, timing, uuid.uuid4().hex)

    @contextmanager
    def _durable(self) -> Iterator[None]:
        """One transaction that adds one event; what this object remembers changes only if it reached the disk."""
        with self._store.lock:
            session, stamp = (self._session.number, self._session.annotator), self._last_stamp
            try:
                with self._store.transaction():
                    yield
            except BaseException:
                self._session.number, self._session.annotator = session  # its row was rolled back as well
                self._last_stamp = stamp
                raise
            self._last_seq += 1

    def _write(
        self,
        kind: str,
        payload: dict[str, Any],
        image_id: int | None,
        t_mono_ns: int,
        source: str,
        timing: Mapping[str, Any] | None,
        event_uuid: str,
    ) -> Event:
        """Insert the event and let it act; inside of a transaction."""
        if self._session.number is None:
            self._begin_session(t_mono_ns)
        session, annotator, seq = self._session.number, self._session.annotator, self._last_seq + 1
        before = None
        if kind in ANNOTATING or kind == "import":
            entry = Entry(seq, event_uuid, kind, image_id, payload, session, annotator, is_new=True)
            before = self._projection.apply(entry)
            self._remember(seq, source)
        t_wall = time.time_ns()
        stamp = self._next_stamp(t_wall)
        row = {
            **{"seq": seq, "uuid": event_uuid, "session": session, "t_mono_ns": t_mono_ns, "t_wall": t_wall},
            **{"kind": kind, "image_id": image_id, "payload": _dump(payload), "source": source},
            "timing": None if timing is None else _dump(plain(timing)),
            "before": None if before is None else _dump(before),
            "stamp": stamp,
        }
        self._store.execute(_ADD, **row)
        return Event(
            seq, event_uuid, session, t_mono_ns, t_wall, kind, image_id, payload, source,
            None if timing is None else dict(plain(timing)),
        )  # fmt: skip

    def _next_stamp(self, t_wall: int) -> int:
        """The time, or a little later if the clock went back: stamps order the events of joined copies."""
        if not self._last_stamp:
            self._last_stamp = int(self._store.execute(_LAST_STAMP).fetchone()[0] or 0)
        self._last_stamp = max(t_wall, self._last_stamp + 1)
        return self._last_stamp

    def _remember(self, seq: int, source: str) -> None:
        """Put an event on the list of what can be undone; what was undone before is then past redoing."""
        if source != AT_CREATION:
            self._store.execute(_FORGET_UNDONE)
            self._store.execute(_REMEMBER, undone=0, seq=seq)

    def _turn(self, kind: str, query: Any, t_mono_ns: int | None, timing: Mapping[str, Any] | None) -> Event | None:
        with self._store.lock:
            seq = _value(self._store, query)
            if seq is None:
                return None
            target = self._store.first(_BY_SEQ, k_seq=seq)
            assert target is not None, "history names events of the journal"
            found = to_event(target)
            annotator_of = dict(map(tuple, self._store.rows(_SESSION_ANNOTATORS)))
            payload = {"uuid": found.uuid, "seq": found.seq, "kind": found.kind}
            t_mono_ns = now_ns() if t_mono_ns is None else int(t_mono_ns)
            with self._durable():
                self._turn_over(kind, target, annotator_of.get(target["session"]))
                self._write(kind, payload, found.image_id, t_mono_ns, "manual", timing, uuid.uuid4().hex)
        return found

    def _turn_over(self, kind: str, target: AnyRow, annotator: int | None) -> None:
        """Revert or apply an event and mark it so."""
        entry = _entry(target, annotator)
        if kind == "undo":
            self._projection.revert(entry, orjson.loads(target["before"]))
        else:
            self._projection.apply(entry)
        undone = int(kind == "undo")
        self._store.execute(_MARK, k_from=1 - undone, k_to=undone, k_seq=target["seq"])

    def _begin_session(self, t_mono_ns: int) -> None:
        """Insert the row of this session and, where new, of its annotator."""
        session = self._session
        found = self._store.execute(_FIND_ANNOTATOR, k_name=session.annotator_name).fetchone()
        if found is None:
            found = self._store.execute(_NEXT_ANNOTATOR).fetchone()
            new = {"id": found[0], "name": session.annotator_name, "origin": None, "extra": None}
            self._store.execute(_ADD_ANNOTATOR, **new, uuid=uuid.uuid4().hex)
        session.annotator = int(found[0])
        session.number = int(self._store.execute(_NEXT_SESSION).fetchone()[0])
        self._store.execute(
            _ADD_SESSION,
            **{"id": session.number, "uuid": session.uuid, "annotator": session.annotator, "started": time.time_ns()},
            **{"started_mono": t_mono_ns, "ended": None, "clean": None, "tool_version": session.tool_version},
            **{"origin": None, "extra": None},
        )


def to_event(row: AnyRow) -> Event:
    """The record of a row of `events`."""
    return Event(
        seq=row["seq"],
        uuid=row["uuid"],
        session=row["session"],
        t_mono_ns=row["t_mono_ns"],
        t_wall=row["t_wall"],
        kind=row["kind"],
        image_id=row["image_id"],
        payload=orjson.loads(row["payload"]),
        source=row["source"],
        timing=None if row["timing"] is None else orjson.loads(row["timing"]),
    )


def _entry(row: AnyRow, annotator: int | None) -> Entry:
    payload = orjson.loads(row["payload"])
    return Entry(row["seq"], row["uuid"], row["kind"], row["image_id"], payload, row["session"], annotator)


def _value(store: Store, query: Any) -> int | None:
    """The single number that a query answers."""
    row = store.first(query)
    return None if row is None or row[0] is None else int(row[0])


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()

"""Joining copies of a project: the union of their events, in one order that all copies agree on.

The state of a joined project is a function of the set of its events: they are sorted by (stamp, uuid), those that an
undo took back are left out, and the rest is applied. So the order in which copies are joined makes no difference,
joining twice changes nothing, and no event is ever dropped. Of two changes of the same thing the later one holds;
what no longer fits (an answer about a box that the other copy deleted) stays in the journal without effect. Both
cases are listed.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, insert, select

from pointanno.errors import InputError
from pointanno.project import opening
from pointanno.project.changes import Entry, dump
from pointanno.project.merge_conflicts import Conflicts
from pointanno.project.merge_numbers import CopyMaps, Translator
from pointanno.project.payloads import ANNOTATING
from pointanno.project.projection import Projection
from pointanno.project.schema import (
    IMAGE_STATE,
    annotators,
    categories,
    events,
    history,
    images,
    import_parts,
    sessions,
    settings,
)
from pointanno.project.store import AnyRow, Store, sentence
from pointanno.project.upgrade import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pointanno.project.project import Project

MERGING = "project.db.merging"
_PAGE = select(events).where(events.c.seq > bindparam("k_seq")).order_by(events.c.seq).limit(2000)
_UUIDS = select(events.c.uuid).order_by(events.c.seq)
_BY_UUID = select(events).where(events.c.uuid == bindparam("k_uuid"))
_TURNS = select(events.c.stamp, events.c.uuid, events.c.kind, events.c.payload).where(
    (events.c.kind == "undo") | (events.c.kind == "redo")
)
_PARTS = select(import_parts.c.data).where(import_parts.c.seq == bindparam("k_seq")).order_by(import_parts.c.part)
_IMAGES = select(images).order_by(images.c.position)
_LAST = select(func.max(events.c.stamp), func.max(events.c.t_wall), func.max(events.c.t_mono_ns))
_NAMED = select(categories).where(categories.c.name == bindparam("k_name"))
_ADD_EVENT, _ADD_PART, _REMEMBER = insert(events), insert(import_parts), insert(history)


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What joining did.

    Attributes
    ----------
    events : int
        Events that were new to the project.
    images : int
        Images that were new to it.
    conflicts : list of dict
        `what` ("changed_twice", "without_effect" or "annotated_twice"), `image`, `sentence` and the uuids of the
        events: `kept`, `superseded`.
    """

    project: Path
    events: int
    images: int
    annotators: tuple[str, ...]
    conflicts: tuple[dict[str, Any], ...]


def merge_projects(path: Path | str, others: Sequence[Path | str]) -> MergeReport:
    """Join copies of a project into one of them.

    Parameters
    ----------
    path : the project that takes all events in; it is replaced when the joined one is complete, and what it was
        lies in ``backups``
    others : copies, which are only read

    Raises
    ------
    InputError
        One sentence; the project is as before then.
    """
    from pointanno.project.project import Project

    with ExitStack() as stack:
        target = stack.enter_context(Project.open(path))
        copies = [target]
        for other in others:
            if opening.project_folder(Path(other)).resolve() == target.path.resolve():
                raise InputError(f"{other}: this is the project itself. Name copies of it")
            copies.append(stack.enter_context(Project.open(other, writable=False)))
        known = _uuids(target)
        new = set().union(*(_uuids(copy) for copy in copies[1:])) - known if len(copies) > 1 else set()
        matches = [_match_images(target, copy) for copy in copies]
        added = [row for match in matches for row in match.added]
        if not new and not added:
            return MergeReport(target.path, 0, 0, (), ())
        joined = _Join(target, copies, matches)
        file = target.path / MERGING
        report = joined.write(file, new)
        target.store.close()
        _replace(target.path, file)
        return report


def _digest(uuids: set[str]) -> str:
    """One number for a set of events."""
    return hashlib.sha256("".join(sorted(uuids)).encode()).hexdigest()


def _uuids(project: Project) -> set[str]:
    return {row[0] for row in project.store.rows(_UUIDS)}


@dataclass(slots=True)
class _Match:
    """Images of a copy: their ids in the joined project, and rows of those that are new to it."""

    ids: dict[int, int] = field(default_factory=dict)
    added: list[dict[str, Any]] = field(default_factory=list)


def _match_images(target: Project, copy: Project) -> _Match:
    """Find each image of a copy by its name, else by its content."""
    there = [dict(row) for row in target.store.rows(_IMAGES)]
    found = _Match()
    if copy is target:
        found.ids = {row["id"]: row["id"] for row in there}
        return found
    by_uid = {row["uid"]: row for row in there}
    by_hash = {row["sha256"]: row for row in there if row["sha256"]}
    names = {row["uid"] for row in copy.store.rows(_IMAGES)}
    next_id = max((row["id"] for row in there), default=0) + 1
    for row in copy.store.rows(_IMAGES):
        ours = by_uid.get(row["uid"])
        if ours is None and row["sha256"] and row["sha256"] in by_hash:
            same = by_hash[row["sha256"]]
            ours = None if same["uid"] in names else same  # two equal pictures of different names are two images
        if ours is not None:
            if (ours["height"], ours["width"]) != (row["height"], row["width"]):
                raise InputError(
                    f"{copy.path}, image {row['file_name']}: it is {row['width']} wide and {row['height']} high there, "
                    f"but {ours['width']} and {ours['height']} in {target.path}. These are different pictures of one "
                    "name; rename one of them"
                )
            found.ids[row["id"]] = ours["id"]
            continue
        found.ids[row["id"]] = next_id
        found.added.append({**dict(row), **IMAGE_STATE, "id": next_id})
        next_id += 1
    return found


class _Join:
    """Writes the joined project into a new file."""

    def __init__(self, target: Project, copies: Sequence[Project], matches: Sequence[_Match]) -> None:
        self._target = target
        self._matches = matches
        # equal whichever copy is the target, so that numbers that collide are given alike
        order = sorted(range(len(copies)), key=lambda index: _digest(_uuids(copies[index])))
        self._copies = [copies[index] for index in order]
        self._maps = [self._make_maps(copies[index], matches[index]) for index in order]
        self._translator = Translator()
        self._conflicts = Conflicts()
        self._undone = self._find_undone()

    @staticmethod
    def _make_maps(copy: Project, match: _Match) -> CopyMaps:
        people = {row["id"]: row["uuid"] for row in copy.store.rows(select(annotators)) if row["origin"] is None}
        sittings = {row["id"]: row["uuid"] for row in copy.store.rows(select(sessions)) if row["origin"] is None}
        return CopyMaps(images=match.ids, sessions=dict(sittings), annotators=dict(people))

    def _find_undone(self) -> frozenset[str]:
        """Uuids of events that an undo took back and no redo brought again."""
        turns = {tuple(row) for copy in self._copies for row in copy.store.rows(_TURNS)}
        turned: dict[str, bool] = {}
        for _, _, kind, payload in sorted(turns, key=lambda one: one[:2]):
            turned[orjson.loads(payload)["uuid"]] = kind == "undo"
        return frozenset(uuid for uuid, is_undone in turned.items() if is_undone)

    def write(self, file: Path, new: set[str]) -> MergeReport:
        """Make the file; on return it is complete and on the disk."""
        for leftover in file.parent.glob(f"{MERGING}*"):
            leftover.unlink()
        store = Store(file, writable=True, create=True)
        try:
            upgrade(store)
            with store.transaction():
                self._write_images(store)
                projection = Projection(store)
                count = 0
                for count, rows in enumerate(self._union(), 1):
                    self._write_event(store, projection, count, rows)
                self._write_people(store)
                is_new_union = all(len(_uuids(copy)) < count for copy in self._copies)
                if is_new_union:
                    self._write_marker(store, count)
                self._check_complete(store)
            if not is_new_union:  # one copy knew everything already: its own order of doing and undoing holds
                from pointanno.project.journal import Journal

                Journal(store, Projection(store), annotator="", tool_version="").rebuild()
            store.fold()
        except BaseException:
            store.close()
            for leftover in file.parent.glob(f"{MERGING}*"):
                leftover.unlink(missing_ok=True)
            raise
        store.close()
        names = {row["uuid"]: row["name"] for copy in self._copies for row in copy.store.rows(select(annotators))}
        added = sum(len(match.added) for match in self._matches)
        return MergeReport(
            self._target.path, len(new), added, tuple(sorted(names.values())), tuple(self._conflicts.entries())
        )

    def _write_images(self, store: Store) -> None:
        rows = [{**dict(row), **IMAGE_STATE} for row in self._target.store.rows(_IMAGES)]
        for match in self._matches:
            rows += match.added
        fresh = {row["id"]: row for row in rows}  # the same new image may come from two copies
        by_name: dict[str, dict[str, Any]] = {}
        for row in fresh.values():
            by_name.setdefault(row["file_name"], row)
        numbered = [{**row, "position": place} for place, row in enumerate(by_name.values())]
        store.execute_many(insert(images), numbered)
        store.execute_many(insert(settings), [dict(row) for row in self._target.store.rows(select(settings))])

    def _union(self) -> Iterator[list[AnyRow | None]]:
        """Events in the order of all copies: for each, its row in every copy, None where a copy lacks it."""

        def of_copy(index: int, copy: Project) -> Iterator[tuple[tuple[int, str], int, AnyRow]]:
            after = 0
            while page := copy.store.rows(_PAGE, k_seq=after):
                for row in page:
                    yield (row["stamp"], row["uuid"]), index, row
                after = page[-1]["seq"]

        streams = [of_copy(index, copy) for index, copy in enumerate(self._copies)]
        merged = heapq.merge(*streams, key=lambda one: one[0])
        for _, group in groupby(merged, key=lambda one: one[0]):
            rows: list[AnyRow | None] = [None] * len(self._copies)
            for _, index, row in group:
                rows[index] = row
            yield rows

    def _write_event(self, store: Store, projection: Projection, seq: int, rows: Sequence[AnyRow | None]) -> None:
        """Translate one event, insert it, and let it act if it stands and fits."""
        is_shared = all(row is not None for row in rows)
        lead = next(index for index, row in enumerate(rows) if row is not None)
        for index, one in enumerate(rows):
            if one is not None:
                self._observe(index, one, is_shared)
        is_known = False
        row, maps = rows[lead], self._maps[lead]
        assert row is not None, "the lead has the event"
        payload = orjson.loads(row["payload"])
        kind, uuid = row["kind"], row["uuid"]
        parts: list[bytes] = []
        if kind in ("undo", "redo"):
            target = store.first(_BY_UUID, k_uuid=payload["uuid"])
            payload = {**payload, "seq": None if target is None else target["seq"]}
        elif kind == "import":
            payload = self._new_classes_of_import(store, uuid, payload)
            raw = [bytes(one[0]) for one in self._copies[lead].store.rows(_PARTS, k_seq=row["seq"])]
            payload, parts = self._translator.parts(maps, payload, raw, is_shared=is_shared)
        else:
            if kind == "category_added":
                payload, is_known = self._new_class(store, uuid, payload)
            payload = self._translator.payload(maps, row, payload)
        store.execute_many(_ADD_PART, [{"seq": seq, "part": n, "data": data} for n, data in enumerate(parts)])
        session = self._translator.session(maps, row["session"])
        image_id = None if row["image_id"] is None else maps.images[row["image_id"]]
        before = None
        if (kind in ANNOTATING or kind == "import") and uuid not in self._undone:
            annotator = self._annotator_of(lead, row["session"])
            entry = Entry(seq, uuid, kind, image_id, payload, session, annotator)
            store.execute_text("savepoint merged")
            try:
                before = projection.apply(entry)
                self._conflicts.note(row, payload, image_id, [one is not None for one in rows])
                if row["source"] != "create":
                    store.execute(_REMEMBER, undone=0, seq=seq)
            except InputError as error:
                store.execute_text("rollback to merged")
                before = None
                if not is_shared and not is_known:
                    self._conflicts.note_void(row, image_id, str(error))
            store.execute_text("release merged")
        values = {**dict(row), "seq": seq, "session": session, "image_id": image_id}
        store.execute(
            _ADD_EVENT, **{**values, "payload": dump(payload), "before": None if before is None else dump(before)}
        )

    def _observe(self, index: int, row: AnyRow, is_shared: bool) -> None:
        payload = orjson.loads(row["payload"])
        if row["kind"] in ("undo", "redo"):
            target = self._copies[index].store.first(_BY_UUID, k_uuid=payload["uuid"])
            if target is not None:
                self._maps[index].observe_turn(row["kind"], target, orjson.loads(target["payload"]))
        else:
            self._maps[index].observe(row, payload)
        if row["kind"] == "import":
            parts = [bytes(one[0]) for one in self._copies[index].store.rows(_PARTS, k_seq=row["seq"])]
            self._maps[index].observe_parts(row["uuid"], parts, is_shared=is_shared)

    def _annotator_of(self, index: int, session: int | None) -> int | None:
        row = self._session_row(index, session)
        return None if row is None else self._translator.annotator(self._maps[index], row["annotator"])

    def _session_row(self, index: int, session: int | None) -> AnyRow | None:
        if session is None:
            return None
        return self._copies[index].store.first(_SESSION, k_id=session)

    # classes ----------------------------------------------------------------------------------------------------

    def _new_class(self, store: Store, key: Any, payload: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Give a class that an event adds its number: that of the same class of another copy, if there is one.

        Returns the payload and whether there is one.
        """
        name, isthing = payload["name"], bool(payload["isthing"])
        there = store.first(_NAMED, k_name=name)
        numbers = self._translator.categories
        if key in numbers.of:
            return payload, False
        if there is not None and bool(there["isthing"]) == isthing:
            numbers.of[key] = there["id"]
            return payload, True
        numbers.number(key, payload["id"])
        if there is not None:  # one name, but thing here and stuff there: two classes
            kind = "thing" if isthing else "stuff"
            payload = {**payload, "name": _free_name(store, f"{name} ({kind})")}
            self._conflicts.note_renamed(name, payload["name"])
        return payload, False

    def _new_classes_of_import(self, store: Store, uuid: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The same for the classes that an import brings; those that are there already are left out."""
        kept = []
        for one in payload["categories"]:
            key = (uuid, one["name"])
            row, _ = self._new_class(store, key, one)
            number = self._translator.categories.of[key]
            if store.first(_NAMED, k_name=row["name"]) is None:
                kept.append({**row, "id": number})
        return {**payload, "categories": kept}

    # the rest ---------------------------------------------------------------------------------------------------

    def _write_people(self, store: Store) -> None:
        """Rows of the sessions and annotators of the events; those of imports were made by the imports."""
        sittings: dict[int, dict[str, Any]] = {}
        people: dict[int, dict[str, Any]] = {}
        for copy, maps in zip(self._copies, self._maps, strict=True):
            for row in copy.store.rows(select(annotators)):
                if row["origin"] is None:
                    number = self._translator.annotator(maps, row["id"])
                    assert number is not None, "a row has a number"
                    people.setdefault(number, {**dict(row), "id": number})
            for row in copy.store.rows(select(sessions)):
                if row["origin"] is None:
                    number = self._translator.session(maps, row["id"])
                    assert number is not None, "a row has a number"
                    annotator = self._translator.annotator(maps, row["annotator"])
                    values = {**dict(row), "id": number, "annotator": annotator}
                    earlier = sittings.get(number)
                    if earlier is None or (values["ended"] or 0) > (earlier["ended"] or 0):
                        sittings[number] = values
        store.execute_many(insert(annotators), list(people.values()))
        store.execute_many(insert(sessions), list(sittings.values()))

    def _write_marker(self, store: Store, count: int) -> None:
        """The event that says: up to here events of several copies, in the order of their stamps."""
        uuid = _digest({row[0] for row in store.rows(_UUIDS)})[:32]
        stamp, t_wall, t_mono = (int(value or 0) for value in tuple(store.first(_LAST) or (0, 0, 0)))
        entries = self._conflicts.entries()
        payload = {"events": count, "copies": len(self._copies), "conflicts": entries}
        row = {"seq": count + 1, "uuid": uuid, "session": None, "t_mono_ns": t_mono}
        row |= {"t_wall": t_wall, "kind": "merge", "image_id": None, "payload": dump(payload), "source": "merge"}
        store.execute(_ADD_EVENT, **row, timing=None, before=None, stamp=stamp + 1)

    def _check_complete(self, store: Store) -> None:
        """No event of any copy is missing."""
        written = {row[0] for row in store.rows(_UUIDS)}
        for copy in self._copies:
            missing = _uuids(copy) - written
            if missing:
                raise AssertionError(f"joining lost {len(missing)} events of {copy.path}")


_SESSION = select(sessions).where(sessions.c.id == bindparam("k_id"))


def _free_name(store: Store, wanted: str) -> str:
    name, number = wanted, 2
    while store.first(_NAMED, k_name=name) is not None:
        name, number = f"{wanted} {number}", number + 1
    return name


def _replace(folder: Path, file: Path) -> None:
    """Put the joined file in the place of the old one, which goes to the backups."""
    database = folder / opening.DATABASE
    kept = folder / "backups" / f"before-merge-{time.strftime('%Y%m%d-%H%M%S')}.db"
    try:
        kept.parent.mkdir(exist_ok=True)
        number = 2
        while kept.exists():
            kept = kept.with_name(f"{kept.stem.split('~')[0]}~{number}.db")
            number += 1
        if database.with_name(f"{database.name}-wal").exists():
            raise InputError(
                f"{folder}: the project is open for reading in another program, so it cannot be replaced by the joined "
                "one. Close it there and merge again"
            )
        try:
            os.link(database, kept)
        except OSError:  # some file systems know no second name of a file
            shutil.copy2(database, kept)
        file.replace(database)
    except OSError as error:
        raise sentence(error, database) from error
    finally:
        file.unlink(missing_ok=True)

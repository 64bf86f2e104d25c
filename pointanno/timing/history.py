"""Which items were taken back in the end, and which answer was the first one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.project import Event
    from pointanno.timing.items import Item


def superseded(items: Sequence[Item], turning: Sequence[Event]) -> list[Item]:
    """The same items with `superseded_by` and `is_first` set.

    Parameters
    ----------
    items : of all sessions
    turning : events undo, redo, resample and delete, in the order of the journal
    """
    undone: dict[str, str] = {}
    for event in turning:
        if event.kind == "undo":
            undone[str(event.payload["uuid"])] = event.uuid
        elif event.kind == "redo":
            undone.pop(str(event.payload["uuid"]), None)
    ended_by: dict[tuple[int | None, str], list[Event]] = {}
    for event in turning:
        if event.kind in ("resample", "delete") and event.uuid not in undone:
            ended_by.setdefault((event.image_id, str(event.payload["uid"])), []).append(event)
    drawn = _drawings(turning)
    given: set[tuple[object, ...]] = set()
    found: dict[int, Item] = {}
    for index in sorted(range(len(items)), key=lambda one: items[one].seq):
        item = items[index]
        taken_back = [undone[event] for event in item.events or (item.event,) if event in undone]
        by = taken_back[-1] if len(taken_back) == len(item.events or (item.event,)) else None
        for event in ended_by.get((item.image_id, item.uid), ()):
            applies = event.kind == "delete" or item.kind == "point"
            if by is None and applies and event.seq > item.seq:
                by = event.uuid
        is_first = True
        if item.kind == "point":
            question = (item.annotator, item.image_id, item.uid, item.point, _drawing_at(drawn, item))
            is_first = question not in given
            given.add(question)
        found[index] = replace(item, superseded_by=by, is_first=is_first)
    return [found[index] for index in range(len(items))]


def _drawings(turning: Sequence[Event]) -> dict[tuple[int | None, str], list[tuple[int, str]]]:
    """From which event on which drawing of a box's points was asked about: (seq, uuid of the resample event)."""
    about = {event.uuid: (event.image_id, str(event.payload["uid"])) for event in turning if event.kind == "resample"}
    standing: dict[tuple[int | None, str], list[str]] = {}
    found: dict[tuple[int | None, str], list[tuple[int, str]]] = {}
    for event in turning:
        uuid = event.uuid if event.kind == "resample" else str(event.payload.get("uuid", ""))
        key = about.get(uuid)
        if key is None:
            continue
        stack = standing.setdefault(key, [""])
        if event.kind == "undo":
            stack.remove(uuid)
        else:
            stack.append(uuid)
        found.setdefault(key, []).append((event.seq, stack[-1]))
    return found


def _drawing_at(drawn: dict[tuple[int | None, str], list[tuple[int, str]]], item: Item) -> str:
    """Which drawing of its points an answer is about."""
    known = [uuid for seq, uuid in drawn.get((item.image_id, item.uid), ()) if seq < item.seq]
    return known[-1] if known else ""

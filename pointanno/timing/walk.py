"""One pass over the moments of a session, from which every item comes.

Between two actions of a person lies a piece of time; it belongs to the object of the action that ends it. So the time
of an object is the sum of its pieces, whatever was done in between, and no instant counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pointanno.formats.rle import rle_to_xywh, segmentation_to_rle
from pointanno.timing.activity import NOTHING, SessionTime, Split
from pointanno.timing.items import ACTIONS, FAST_MS, Item
from pointanno.timing.log import Thing

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from pointanno.project import Event
    from pointanno.timing.log import Moment, SessionLog

MODE_OF = {"point": "box_points", "box": "box_points", "click": "single_point", "stroke": "mask", "review": "review"}
"""The way of annotating that an item tells of, where nothing else does."""

TOUCHING = frozenset({"move", "reclass", "delete", "resample", "skip_box", "target_done", "flag"})
"""Kinds that are about an object, but end no item of their own."""

MODEL = "model"
"""What suggests answers where an event does not say it."""

FACTS = frozenset({"complete", "absent", "skip_image", "second_done", "image_set", "second_pass"})


@dataclass(slots=True)
class _Shown:
    """What is asked, since when, and whether the time is that of a frame."""

    uid: str
    point: int | None
    t: int
    swapped: bool


@dataclass(slots=True)
class _Object:
    """Pieces of one object by one person."""

    first: Item
    time: Split
    stop: int
    sessions: set[int]
    pieces: int = 1
    actions: int = 0
    events: list[str] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Sitting:
    """Where the walk is in a session."""

    log: SessionLog
    time: SessionTime
    label: str
    """Condition of the block or the session, "" outside of a study."""
    mode: str = ""
    end: int | None = None
    """End of the item before, None while no picture is visible."""
    extreme_end: int | None = None
    dragged: int | None = None
    shown: _Shown | None = None
    item_shown: _Shown | None = None
    visit: tuple[int | None, int, str] | None = None
    """Which image is looked at, since when, and under which label."""
    visit_actions: int = 0
    done_at: int | None = None
    preview: frozenset[str] = frozenset()
    """What suggests answers at present: a model's preview, masks from clicks."""
    practice: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)
    condition_since: int = 0


class Walk:
    """Collects the items of sessions.

    Parameters
    ----------
    things : objects that came with an import
    stuff : ids of classes whose clicks on one image belong to one region
    warm_up : int
        Actions of each session and condition that are flagged.
    """

    def __init__(self, things: Mapping[tuple[int | None, str], Thing], stuff: Container[int], warm_up: int) -> None:
        self._stuff = stuff
        self._warm_up = warm_up
        self.things: dict[tuple[int | None, str], Thing] = dict(things)
        self._items: list[Item] = []
        # what one person did under different labels is not one thing: a study may show an image twice
        self._objects: dict[tuple[str, str, int | None, str], _Object] = {}
        self._images: dict[tuple[str, str, int | None], _Object] = {}
        self._object_of: dict[tuple[int | None, str], str] = {}
        self._target_of: dict[str, str] = {}
        self.conditions: list[tuple[int, int, int, str]] = []

    def session(self, log: SessionLog, time: SessionTime) -> None:
        """Walk through one session."""
        sitting = _Sitting(log, time, str(log.facts.get("condition") or ""), str(log.facts.get("mode") or ""))
        sitting.condition_since = log.start
        sitting.preview = frozenset({MODEL} if log.facts.get("preview") else ())
        for one in log.moments:
            step = _STEPS.get(one.event.kind)
            if step is not None and not (one.event.timing or {}).get("repeat"):
                step(self, sitting, one)
        self._leave(sitting, log.stop)
        self._close_condition(sitting, log.stop)

    def finished(self) -> list[Item]:
        """Every item, objects and images at the end."""
        found = list(self._items)
        for kind, many in (("object", self._objects.values()), ("image", self._images.values())):
            for number, one in enumerate(many, 1):
                whole = len(one.sessions) == 1
                found.append(
                    replace(
                        one.first,
                        kind=kind,
                        number=number,
                        time=one.time,
                        start_ns=one.first.start_ns if whole else None,
                        stop_ns=one.stop if whole else None,
                        parts=dict(one.parts),
                        actions=one.actions,
                        events=tuple(one.events),
                        flags=one.first.flags | ({"only_seen"} if not one.actions else set()),
                    )
                )
        return found

    # pictures and conditions ------------------------------------------------------------------------------------

    def _load(self, at: _Sitting, one: Moment) -> None:
        self._leave(at, one.t)

    def _leave(self, at: _Sitting, t: int) -> None:
        """The picture is not looked at any more."""
        if at.visit is not None:
            image_id, since, label = at.visit
            stop = t if at.done_at is None else at.done_at
            time = at.time.split(since, stop)
            key = (at.log.annotator, label, image_id)
            known = self._images.get(key)
            if known is not None:
                known.time, known.stop = known.time + time, stop
                known.sessions.add(at.log.number)
                known.pieces += 1
                known.actions += at.visit_actions
        at.visit, at.end, at.shown, at.item_shown, at.done_at, at.dragged = None, None, None, None, None, None
        at.extreme_end, at.visit_actions = None, 0

    def _show(self, at: _Sitting, one: Moment) -> None:
        shown = at.shown if at.shown is not None and at.shown.t >= one.t else None  # by the same frame
        self._leave(at, one.t)
        at.visit, at.end, at.shown = (one.event.image_id, one.t, at.label), one.t, shown
        self._images.setdefault(
            (at.log.annotator, at.label, one.event.image_id),
            _Object(self._row(at, one, "image", "", start=one.t), NOTHING, one.t, {at.log.number}, pieces=0),
        )

    def _block(self, at: _Sitting, one: Moment) -> None:
        self._close_condition(at, one.t)
        payload = one.event.payload if one.event.kind == "block_start" else {}
        at.label = str(payload.get("condition") or at.log.facts.get("condition") or "")
        at.practice = bool(payload.get("practice"))
        self._rearm(at, one)

    def _mode(self, at: _Sitting, one: Moment) -> None:
        self._close_condition(at, one.t)
        at.mode = str(one.event.payload.get("mode") or "")
        self._rearm(at, one)

    def _close_condition(self, at: _Sitting, t: int) -> None:
        if t > at.condition_since:
            self.conditions.append((at.log.number, at.condition_since, t, at.label or at.mode))
        at.condition_since = t

    def _rearm(self, at: _Sitting, one: Moment) -> None:
        """A tool is ready: what is drawn next begins here."""
        if at.end is not None:
            at.end, at.extreme_end, at.dragged = one.t, None, None

    # what is on the screen --------------------------------------------------------------------------------------

    def _point_shown(self, at: _Sitting, one: Moment) -> None:
        p = one.event.payload
        at.shown = _Shown(str(p.get("uid", "")), p.get("point"), one.t, bool(p.get("swapped", True)))

    def _item_shown(self, at: _Sitting, one: Moment) -> None:
        p = one.event.payload
        at.item_shown = _Shown(str(p.get("uid", "")), p.get("point"), one.t, bool(p.get("swapped", True)))

    def _preview(self, at: _Sitting, one: Moment) -> None:
        source = frozenset({str(one.event.payload.get("source", MODEL))})
        at.preview = at.preview | source if one.event.kind == "preview_visible" else at.preview - source

    def _drag(self, at: _Sitting, one: Moment) -> None:
        at.dragged = one.t

    # what a person did ------------------------------------------------------------------------------------------

    def _answer(self, at: _Sitting, one: Moment) -> None:
        p, uid = one.event.payload, str(one.event.payload["uid"])
        asked = at.shown
        is_shown = asked is not None and (asked.uid, asked.point) == (uid, p.get("point")) and asked.t <= one.t
        item = self._ended(at, one, "point", uid, start=asked.t if is_shown and asked is not None else None)
        if is_shown and asked is not None and not asked.swapped:
            self._flag_last("fallback")
        at.shown = None
        self._piece(at, one, self._key_of(one.event, uid), item, "points")

    def _review(self, at: _Sitting, one: Moment) -> None:
        p, uid = one.event.payload, str(one.event.payload["uid"])
        asked = at.item_shown
        is_shown = asked is not None and (asked.uid, asked.point) == (uid, p.get("point")) and asked.t <= one.t
        item = self._ended(at, one, "review", uid, start=asked.t if is_shown and asked is not None else None)
        at.item_shown = None
        self._piece(at, one, self._key_of(one.event, uid), item, "review")

    def _box(self, at: _Sitting, one: Moment) -> None:
        p, uid = one.event.payload, str(one.event.payload["uid"])
        x0, y0, x1, y1 = p["box"]
        points = len(p.get("point_coords") or ())
        layer, copy_of = str(p.get("layer") or "main"), p.get("copy_of")
        self.things[one.event.image_id, uid] = Thing(int(p["category_id"]), (x1 - x0, y1 - y0), points, layer, copy_of)
        if copy_of is not None:
            return  # made by the window for a second opinion: nobody drew it, the answers to it are timed
        drag = None if at.dragged is None or p.get("extreme_points") else one.t - at.dragged
        if p.get("extreme_points"):
            self._ended(at, one, "extreme", uid, start=at.end if at.extreme_end is None else at.extreme_end)
        item = self._ended(at, one, "box", uid, start=at.end, drag=drag)
        self._piece(at, one, uid, item, "box")

    def _extreme(self, at: _Sitting, one: Moment) -> None:
        self._ended(at, one, "extreme", "", start=at.end if at.extreme_end is None else at.extreme_end)
        if at.end is not None:
            at.extreme_end = one.t

    def _click(self, at: _Sitting, one: Moment) -> None:
        p, uid = one.event.payload, str(one.event.payload["uid"])
        self.things[one.event.image_id, uid] = Thing(int(p["category_id"]), layer=str(p.get("layer") or "main"))
        is_one = p.get("instance") and p["category_id"] not in self._stuff
        target = f"instance {p['instance']}" if is_one else f"class {p['category_id']}"
        if p.get("layer") not in (None, "main"):
            target = f"{p['layer']} {target}"
        self._object_of[one.event.image_id, uid] = target
        item = self._ended(at, one, "click", uid, start=at.end)
        self._piece(at, one, target, item, "clicks")

    def _mask(self, at: _Sitting, one: Moment) -> None:
        p, uid = one.event.payload, str(one.event.payload["uid"])
        known = self.things.get((one.event.image_id, uid))
        category = p.get("category_id", None if known is None else known.category_id)
        if p.get("rle") is not None and category is not None and (known is None or not known.points):
            _, _, width, height = rle_to_xywh(segmentation_to_rle(p["rle"], tuple(p["rle"]["size"])))
            layer = str(p.get("layer") or "main")
            self.things[one.event.image_id, uid] = Thing(int(category), (float(width), float(height)), layer=layer)
        drag = None if at.dragged is None else one.t - at.dragged
        item = self._ended(at, one, "stroke", uid, start=at.end, drag=drag)
        self._piece(at, one, self._key_of(one.event, uid), item, "strokes")

    def _touch(self, at: _Sitting, one: Moment) -> None:
        uid = one.event.payload.get("uid")
        if one.event.kind == "reclass" and uid is not None:
            known = self.things.get((one.event.image_id, str(uid)))
            if known is not None:
                category = int(one.event.payload["category_id"])
                self.things[one.event.image_id, str(uid)] = replace(known, category_id=category)
        if one.event.kind == "skip_box" and uid is not None:
            known = self.things.get((one.event.image_id, str(uid)))
            if known is not None:  # nothing more is asked about it
                self.things[one.event.image_id, str(uid)] = replace(known, points=0)
        self._piece(at, one, None if uid is None else self._key_of(one.event, str(uid)), None, "")

    def _turn(self, at: _Sitting, one: Moment) -> None:
        """Undo and redo belong to what they take back or bring again."""
        if one.event.payload.get("kind") == "extreme":
            at.extreme_end = one.t if at.extreme_end is not None else None
            return
        self._piece(at, one, self._target_of.get(str(one.event.payload.get("uuid", ""))), None, "")

    def _fact(self, at: _Sitting, one: Moment) -> None:
        self._piece(at, one, None, None, "")
        declared = one.event.kind == "complete" and any(map(one.event.payload.get, ("things", "stuff")))
        if declared and at.visit is not None:
            at.done_at = one.t
            at.visit_actions += 1  # an image without any object was worked on as well

    # rows -------------------------------------------------------------------------------------------------------

    def _key_of(self, event: Event, uid: str) -> str:
        return self._object_of.get((event.image_id, uid), uid)

    def _ended(
        self, at: _Sitting, one: Moment, kind: str, uid: str, *, start: int | None, drag: int | None = None
    ) -> Item:
        """Add the row of an item that this moment ended."""
        item = self._row(at, one, kind, uid, start=start, stop=one.t, drag=drag)
        self._items.append(item)
        return item

    def _row(
        self,
        at: _Sitting,
        one: Moment,
        kind: str,
        uid: str,
        *,
        start: int | None,
        stop: int | None = None,
        drag: int | None = None,
    ) -> Item:
        event, p = one.event, one.event.payload
        condition = at.label or at.mode or MODE_OF.get(kind, "")
        at.numbers[kind] = at.numbers.get(kind, 0) + 1
        if kind in ACTIONS:
            at.actions[condition] = at.actions.get(condition, 0) + 1
        begun = at.actions.get(condition, 0) + (kind not in ACTIONS)
        time = None if start is None or stop is None else at.time.split(start, stop)
        flags = {
            "warm_up": begun <= self._warm_up,
            "practice": at.practice,
            "unseen": kind in ("point", "review") and start is None,
            "fast": kind == "point" and time is not None and time.raw < FAST_MS * 1_000_000,
            "late": one.is_late,
            "preview": bool(at.preview),
            "suggested": bool(p.get("suggested_by")) or str(p.get("provenance") or "").startswith("suggested"),
            "suspended": time is not None and "suspend" in time.excluded,
        }
        thing = self.things.get((event.image_id, uid))
        return Item(
            kind=kind,
            seq=event.seq,
            event=event.uuid,
            session=at.log.number,
            annotator=at.log.annotator,
            condition=condition,
            number=at.numbers[kind],
            image_id=event.image_id,
            uid=uid,
            point=p.get("point") if kind in ("point", "review") else None,
            category_id=p.get("category_id") if thing is None else thing.category_id,
            value=str(p.get("value") or p.get("verdict") or ""),
            layer="main" if thing is None else thing.layer,
            start_ns=start,
            stop_ns=stop,
            time=time,
            drag_ns=drag,
            size=None if thing is None else thing.size,
            flags=frozenset(name for name, holds in flags.items() if holds),
        )

    def _flag_last(self, flag: str) -> None:
        self._items[-1] = replace(self._items[-1], flags=self._items[-1].flags | {flag})

    def _piece(self, at: _Sitting, one: Moment, target: str | None, item: Item | None, part: str) -> None:
        """The time since the action before belongs to the object of this one."""
        if target is not None:
            self._target_of[one.event.uuid] = target
        at.done_at = None
        at.visit_actions += item is not None
        image = self._images.get((at.log.annotator, at.label, one.event.image_id))
        if image is not None and item is not None and not image.first.condition:
            image.first = replace(image.first, condition=item.condition)
        if at.end is not None and target is not None:
            time = at.time.split(at.end, one.t)
            key = (at.log.annotator, at.label, one.event.image_id, target)
            known = self._objects.get(key)
            if known is None and item is not None:
                first = self._row_of_object(item, at.end)
                known = self._objects[key] = _Object(first, NOTHING, one.t, {at.log.number})
            if known is not None:
                known.time, known.stop = known.time + time, one.t
                known.sessions.add(at.log.number)
                if item is not None:
                    known.actions += 1
                    known.events.append(item.event)
                if item is not None and item.time is not None:
                    known.parts[part] = known.parts.get(part, 0) + item.time.raw
        if at.end is not None:
            at.end = one.t
        at.extreme_end = at.dragged = None

    @staticmethod
    def _row_of_object(item: Item, start: int) -> Item:
        kept = item.flags & {"warm_up", "practice", "preview", "suggested"}
        return replace(item, start_ns=start, point=None, value="", drag_ns=None, flags=kept)


_STEPS: Mapping[str, Callable[[Walk, _Sitting, Moment], Any]] = {
    "image_load_start": Walk._load,
    "image_shown": Walk._show,
    "block_start": Walk._block,
    "study_end": Walk._block,
    "mode_set": Walk._mode,
    "tool_armed": Walk._rearm,
    "extreme_cancelled": Walk._rearm,
    "point_shown": Walk._point_shown,
    "item_shown": Walk._item_shown,
    "preview_visible": Walk._preview,
    "preview_hidden": Walk._preview,
    "drag_start": Walk._drag,
    "answer": Walk._answer,
    "review": Walk._review,
    "box": Walk._box,
    "extreme": Walk._extreme,
    "click": Walk._click,
    "mask": Walk._mask,
    "undo": Walk._turn,
    "redo": Walk._turn,
    **dict.fromkeys(TOUCHING, Walk._touch),
    **dict.fromkeys(FACTS, Walk._fact),
}

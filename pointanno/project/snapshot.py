"""The current state as records: what the window shows, what is exported, what training reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pointanno.dataset import IGNORED, Box, Category, Image, Instance, MaskLabel, PointDataset, Points, Target
from pointanno.project import packing
from pointanno.project.records import BoxAnnotation, Click, ImageAnnotations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pointanno.project.parts import Rows
    from pointanno.project.records import Event
    from pointanno.project.store import AnyRow

_STATUS = {0: "ok", 1: "ok", 2: "unsure", 3: "skip", 4: "pad", packing.UNANSWERED: "pad"}
_LABEL_OF_ANSWER = {"object": 1, "background": 0, "unsure": IGNORED, "skip": IGNORED}


def to_category(row: AnyRow) -> Category:
    """The record of a row of `categories`."""
    color = None if row["color"] is None else orjson.loads(row["color"])
    return Category(
        id=row["id"],
        name=row["name"],
        isthing=bool(row["isthing"]),
        supercategory=row["supercategory"],
        color=None if color is None else (color[0], color[1], color[2]),
    )


def to_annotations(image: AnyRow, rows: Rows, isthing: Mapping[int, bool]) -> ImageAnnotations:
    """What the window needs of an image; a row of `images` and the rows of its objects in."""
    return ImageAnnotations(
        image_id=image["id"],
        clicks=tuple(_to_click(row, isthing[row["category_id"]]) for row in rows["clicks"]),
        boxes=tuple(_to_box(row) for row in rows["boxes"]),
        complete=_complete(image),
        absent_category_ids=tuple(orjson.loads(image["absent"])),
    )


def _to_click(row: AnyRow, isthing: bool) -> Click:
    return Click(
        uid=row["uid"],
        category_id=row["category_id"],
        isthing=isthing,
        x=row["x"],
        y=row["y"],
        instance=row["instance"] if isthing else 0,
        time_ms=row["time_ms"],
        source=row["source"],
        session=row["session"],
        annotator=row["annotator"],
        status=packing.ANSWERS[row["code"]] or "object",
        linked_uid=row["linked"],
    )


def _to_box(row: AnyRow) -> BoxAnnotation:
    count = len(row["labels"])
    return BoxAnnotation(
        uid=row["uid"],
        category_id=row["category_id"],
        box=Box(row["x0"], row["y0"], row["x1"], row["y1"]),
        point_coords=packing.unpack_coords(row["coords"], count),
        answers=tuple(packing.ANSWERS[code] for code in row["labels"]),
        times_ms=packing.unpack_optional(row["times"], count),
        point_seed=row["point_seed"],
        source=row["source"],
        box_time_ms=row["time_ms"],
        box_drag_ms=row["drag_ms"],
        resample=row["resample"],
        sampler=row["sampler"],
        iscrowd=bool(row["iscrowd"]),
        mask=_mask(row["mask"]),
        session=row["session"],
        annotator=row["annotator"],
    )


def _complete(image: AnyRow) -> dict[str, bool] | None:
    things, stuff = image["complete_things"], image["complete_stuff"]
    return None if things is None and stuff is None else {"things": bool(things), "stuff": bool(stuff)}


def _mask(text: str | None) -> MaskLabel | None:
    if text is None:
        return None
    rle, source = orjson.loads(text)
    return MaskLabel(rle=rle, source=source)


@dataclass(slots=True)
class DatasetBuilder:
    """Collects images one by one and numbers instances, targets, sessions and annotators from the start."""

    isthing: Mapping[int, bool]
    images: list[Image] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    numbers: dict[str, tuple[str, int]] = field(default_factory=dict)
    """uid to the list it went to ("annotation_id" or "point_annotation_id") and its id there."""
    _sessions: dict[int, int] = field(default_factory=dict)
    _annotators: dict[int, int] = field(default_factory=dict)

    def add(self, image: AnyRow, rows: Rows) -> None:
        """Append one image: a row of `images`, and the rows of its clicks and boxes."""
        self.images.append(
            Image(
                id=image["id"],
                file_name=image["file_name"],
                height=image["height"],
                width=image["width"],
                sha256=image["sha256"],
                complete=_complete(image),
                absent_category_ids=tuple(orjson.loads(image["absent"])),
                extra=orjson.loads(image["extra"]) if image["extra"] else {},
            )
        )
        for row in rows["boxes"]:
            self._add_box(row)
        groups: dict[tuple[int, int], list[AnyRow]] = {}
        for row in rows["clicks"]:
            instance = row["instance"] if self.isthing[row["category_id"]] else 0
            groups.setdefault((row["category_id"], instance), []).append(row)
        for (category_id, instance), group in groups.items():
            self._add_target(category_id, instance, group)

    def _add_box(self, row: AnyRow) -> None:
        count = len(row["labels"])
        codes = list(row["labels"])
        number = len(self.instances) + 1
        self.numbers[row["uid"]] = ("annotation_id", number)
        self.instances.append(
            Instance(
                id=number,
                image_id=row["image_id"],
                category_id=row["category_id"],
                box=Box(row["x0"], row["y0"], row["x1"], row["y1"]),
                points=Points(
                    coords=packing.unpack_coords(row["coords"], count),
                    labels=np.array([code if code < 2 else IGNORED for code in codes], dtype=np.int8),
                    status=tuple(_STATUS[code] for code in codes),
                    times_ms=packing.unpack_optional(row["times"], count),
                    annotator=self._unpacked(self._annotators, row["point_annotators"], count),
                    session=self._unpacked(self._sessions, row["point_sessions"], count),
                    source=packing.unpack_sources(row["point_sources"], count),
                ),
                iscrowd=bool(row["iscrowd"]),
                area=row["area"],
                mask=_mask(row["mask"]),
                point_seed=row["point_seed"],
                box_time_ms=row["time_ms"],
                box_drag_ms=row["drag_ms"],
                box_annotator=_number(self._annotators, row["annotator"]),
                box_session=_number(self._sessions, row["session"]),
                box_source=row["source"],
                extra=orjson.loads(row["extra"]) if row["extra"] else {},
            )
        )

    def _add_target(self, category_id: int, instance: int, group: Sequence[AnyRow]) -> None:
        number = len(self.targets) + 1
        for row in group:
            self.numbers[row["uid"]] = ("point_annotation_id", number)
        linked = self.numbers.get(group[0]["linked"] or "")
        self.targets.append(
            Target(
                id=number,
                image_id=group[0]["image_id"],
                category_id=category_id,
                isthing=self.isthing[category_id],
                instance=instance,
                points=Points(
                    coords=np.array([(row["x"], row["y"]) for row in group], dtype=np.int32),
                    labels=np.array([row["code"] if row["code"] < 2 else IGNORED for row in group], dtype=np.int8),
                    status=tuple(_STATUS[row["code"]] for row in group),
                    times_ms=tuple(row["time_ms"] for row in group),
                    annotator=self._all(self._annotators, [row["annotator"] for row in group]),
                    session=self._all(self._sessions, [row["session"] for row in group]),
                    source=tuple(row["source"] for row in group),
                ),
                linked_annotation_id=None if linked is None else linked[1],
            )
        )

    def _unpacked(self, table: dict[int, int], data: bytes, count: int) -> tuple[int | None, ...]:
        values = packing.unpack_optional(data, count)
        return self._all(table, values) if data else values

    def _all(self, table: dict[int, int], ids: Iterable[int | None]) -> tuple[int | None, ...]:
        return tuple(_number(table, one) for one in ids)

    def events(self, events: Iterable[Event], session_rows: Mapping[int, AnyRow]) -> list[dict[str, Any]]:
        """The journal in the words of COCO-point JSON; times count from the start of each session."""
        found: list[dict[str, Any]] = []
        for event in events:
            if event.session is None:
                continue
            session = session_rows[event.session]
            entry = {
                "n": len(found),
                "t_ms": (event.t_mono_ns - (session["started_mono"] or event.t_mono_ns)) // 1_000_000,
                "session": _number(self._sessions, event.session),
                "annotator": _number(self._annotators, session["annotator"]),
                "kind": "label" if event.kind == "answer" else event.kind,
                "image_id": event.image_id,
                "uuid": event.uuid,
            }
            payload = dict(event.payload)
            if event.kind == "answer":
                payload["answer"] = payload["value"]
                payload["value"] = _LABEL_OF_ANSWER[payload["value"]]
                payload["dt_ms"] = payload.pop("time_ms", None)
            if event.kind == "import":
                payload = {key: payload[key] for key in ("file", "images", "boxes", "clicks") if key in payload}
            name, number = self.numbers.get(str(payload.get("uid")), ("annotation_id", None))
            if number is not None:
                entry[name] = number
            found.append({**entry, **{key: value for key, value in payload.items() if key not in entry}})
        return found

    def finish(
        self,
        *,
        categories: Iterable[Category],
        sessions: Mapping[int, AnyRow],
        annotators: Mapping[int, AnyRow],
        points_per_instance: int | None,
        events: Sequence[Mapping[str, Any]] = (),
        licenses: Sequence[Mapping[str, Any]] = (),
    ) -> PointDataset:
        """The frozen data set; sessions and annotators that nothing refers to are left out."""
        declared = [image.complete for image in self.images if image.complete is not None]
        return PointDataset(
            images=tuple(self.images),
            categories=tuple(categories),
            instances=tuple(self.instances),
            targets=tuple(self.targets),
            points_per_instance=points_per_instance,
            exhaustive_things=(
                len(declared) == len(self.images) and all(one["things"] for one in declared) if declared else None
            ),
            annotators=tuple(_annotator(annotators[old], new) for old, new in self._annotators.items()),
            sessions=tuple(_session(sessions[old], new) for old, new in self._sessions.items()),
            events=tuple(events),
            licenses=tuple(licenses),
        )


def merge_licenses(imports: Iterable[AnyRow]) -> list[Mapping[str, Any]]:
    """Licences that imported images refer to, from the payloads of imports; of two with one id the earlier one."""
    found: dict[Any, Mapping[str, Any]] = {}
    for row in imports:
        for one in orjson.loads(row["payload"]).get("licenses", ()):
            found.setdefault(one.get("id"), one)
    return list(found.values())


def _number(table: dict[int, int], old: int | None) -> int | None:
    """Number in the data set, counted up in the order of first use."""
    return None if old is None else table.setdefault(old, len(table))


def _annotator(row: AnyRow, index: int) -> dict[str, Any]:
    kept = orjson.loads(row["extra"]) if row["extra"] else {}
    return {**kept, "index": index, "name": row["name"]}


def _session(row: AnyRow, index: int) -> dict[str, Any]:
    if row["extra"]:
        return {**orjson.loads(row["extra"]), "index": index}
    return {
        "index": index,
        "id": row["uuid"],
        "started": _utc(row["started"]),
        "ended": _utc(row["ended"]),
        "tool_version": row["tool_version"],
    }


def _utc(nanoseconds: int | None) -> str | None:
    if nanoseconds is None:
        return None
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

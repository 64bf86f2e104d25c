"""Rows of a project as records: what the window shows, what is exported, what training reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pointanno.dataset import IGNORED, Box, Category, Image, Instance, MaskLabel, Points, Target
from pointanno.project import packing
from pointanno.project.parts import resolve_absent
from pointanno.project.records import BoxAnnotation, Click, Extreme, Flag, ImageAnnotations, Review
from pointanno.project.tally import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pointanno.project.parts import Rows
    from pointanno.project.store import AnyRow

_STATUS = {0: "ok", 1: "ok", 2: "unsure", 3: "skip", 4: "pad", packing.UNANSWERED: "pad"}


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


class Remembered:
    """The records made last, by uid: of an image that is read after every answer only what changed is made anew."""

    def __init__(self) -> None:
        self._clicks: dict[str, tuple[AnyRow, bool, Click]] = {}
        self._boxes: dict[str, tuple[AnyRow, BoxAnnotation]] = {}

    def clicks(self, rows: Iterable[AnyRow], isthing: Mapping[int, bool]) -> tuple[Click, ...]:
        """Records of rows; those of other images are forgotten."""
        made: dict[str, tuple[AnyRow, bool, Click]] = {}
        for row in rows:
            kind, known = isthing[row["category_id"]], self._clicks.get(row["uid"])
            if known is None or known[1] != kind or known[0] != row:
                known = (row, kind, _to_click(row, kind))
            made[row["uid"]] = known
        self._clicks = made
        return tuple(known[2] for known in made.values())

    def boxes(self, rows: Iterable[AnyRow]) -> tuple[BoxAnnotation, ...]:
        """The same of boxes."""
        made: dict[str, tuple[AnyRow, BoxAnnotation]] = {}
        for row in rows:
            known = self._boxes.get(row["uid"])
            if known is None or known[0] != row:
                known = (row, _to_box(row))
            made[row["uid"]] = known
        self._boxes = made
        return tuple(known[1] for known in made.values())


def to_annotations(
    image: AnyRow,
    rows: Rows,
    isthing: Mapping[int, bool],
    *,
    remembered: Remembered,
    aliases: Mapping[int, int | None],
    flags: Iterable[AnyRow] = (),
    reviews: Iterable[AnyRow] = (),
) -> ImageAnnotations:
    """What the window needs of an image; a row of `images` and the rows of its objects in."""
    return ImageAnnotations(
        image_id=image["id"],
        clicks=remembered.clicks(rows["clicks"], isthing),
        boxes=remembered.boxes(rows["boxes"]),
        complete=_complete(image),
        absent_category_ids=resolve_absent(image["absent"], aliases),
        extremes=tuple(Extreme(*one) for one in orjson.loads(image["pending"])) if image["pending"] else (),
        flags=tuple(Flag(row["uid"], row["reason"], row["session"], row["annotator"]) for row in flags),
        reviews=tuple(to_review(row) for row in reviews),
    )


def to_review(row: AnyRow) -> Review:
    """The record of a row of `reviews`."""
    return Review(
        uid=row["uid"],
        point=None if row["point"] == WHOLE else row["point"],
        verdict=row["verdict"],
        value=orjson.loads(row["value"]),
        original=None if row["original"] is None else orjson.loads(row["original"]),
        reason=row["reason"],
        time_ms=row["time_ms"],
        session=row["session"],
        annotator=row["annotator"],
        superseded_by=row["seq"],
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
        closed=bool(row["closed"]),
    )


def _to_box(row: AnyRow) -> BoxAnnotation:
    count = len(row["labels"])
    extra = orjson.loads(row["extra"]) if row["extra"] else {}
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
        extreme_points=tuple((x, y) for x, y in extra.get("extreme_points", ())),
        copy_of=row["copy_of"],
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
class Numbering:
    """Sessions and annotators of a data set, numbered in the order of first use."""

    sessions: dict[int, int] = field(default_factory=dict)
    annotators: dict[int, int] = field(default_factory=dict)

    def session(self, old: int | None) -> int | None:
        """Number in the data set."""
        return None if old is None else self.sessions.setdefault(old, len(self.sessions))

    def annotator(self, old: int | None) -> int | None:
        """Number in the data set."""
        return None if old is None else self.annotators.setdefault(old, len(self.annotators))

    def see(self, rows: Rows, isthing: Mapping[int, bool]) -> None:
        """Number what the objects of an image refer to, in the order in which `to_instance` and `to_targets` do."""
        for row in rows["boxes"]:
            count = len(row["labels"])
            self.point_annotators(row["point_annotators"], count)
            self.point_sessions(row["point_sessions"], count)
            self.annotator(row["annotator"])
            self.session(row["session"])
        for group in click_groups(rows["clicks"], isthing).values():
            for one in group:
                self.annotator(one["annotator"])
            for one in group:
                self.session(one["session"])

    def point_annotators(self, data: bytes, count: int) -> tuple[int | None, ...]:
        """Numbers of packed annotators."""
        values = packing.unpack_optional(data, count)
        return tuple(self.annotator(one) for one in values) if data else values

    def point_sessions(self, data: bytes, count: int) -> tuple[int | None, ...]:
        """Numbers of packed sessions."""
        values = packing.unpack_optional(data, count)
        return tuple(self.session(one) for one in values) if data else values


def to_image(row: AnyRow, aliases: Mapping[int, int | None], flag: str | None) -> Image:
    """The record of a row of `images`."""
    return Image(
        id=row["id"],
        file_name=row["file_name"],
        height=row["height"],
        width=row["width"],
        sha256=row["sha256"],
        complete=_complete(row),
        absent_category_ids=resolve_absent(row["absent"], aliases),
        extra=orjson.loads(row["extra"]) if row["extra"] else {},
        flag=flag,
        skipped=row["skipped"],
    )


def to_instance(row: AnyRow, number: int, numbering: Numbering, reviews: Sequence[Mapping[str, Any]] = ()) -> Instance:
    """The record of a row of `boxes`, under its number in the data set."""
    codes: bytes = row["labels"]
    count = len(codes)
    extra = orjson.loads(row["extra"]) if row["extra"] else {}
    if count and max(codes) < 2:  # by far the most: every point was answered object or background
        labels, status = np.frombuffer(codes, dtype=np.int8), ("ok",) * count
    else:
        labels = np.array([code if code < 2 else IGNORED for code in codes], dtype=np.int8)
        status = tuple([_STATUS[code] for code in codes])
    return Instance(
        id=number,
        image_id=row["image_id"],
        category_id=row["category_id"],
        box=Box(row["x0"], row["y0"], row["x1"], row["y1"]),
        points=Points(
            coords=packing.unpack_coords(row["coords"], count),
            labels=labels,
            status=status,
            times_ms=packing.unpack_optional(row["times"], count),
            annotator=numbering.point_annotators(row["point_annotators"], count),
            session=numbering.point_sessions(row["point_sessions"], count),
            source=packing.unpack_sources(row["point_sources"], count),
        ),
        iscrowd=bool(row["iscrowd"]),
        area=row["area"],
        mask=_mask(row["mask"]),
        point_seed=row["point_seed"],
        box_time_ms=row["time_ms"],
        box_drag_ms=row["drag_ms"],
        box_annotator=numbering.annotator(row["annotator"]),
        box_session=numbering.session(row["session"]),
        box_source=row["source"],
        extra=_with_reviews(extra, reviews),
    )


def click_groups(rows: Sequence[AnyRow], isthing: Mapping[int, bool]) -> dict[tuple[int, int], list[AnyRow]]:
    """Rows of `clicks` by target: class and number of the object, 0 for stuff."""
    groups: dict[tuple[int, int], list[AnyRow]] = {}
    for row in rows:
        instance = row["instance"] if isthing[row["category_id"]] else 0
        groups.setdefault((row["category_id"], instance), []).append(row)
    return groups


def to_target(
    group: Sequence[AnyRow],
    number: int,
    key: tuple[int, int],
    isthing: bool,
    numbering: Numbering,
    linked: int | None,
    reviews: Sequence[Mapping[str, Any]] = (),
) -> Target:
    """The record of the clicks of one target, under its number in the data set."""
    category_id, instance = key
    extra: dict[str, Any] = {}
    for row in group:
        extra |= orjson.loads(row["extra"]) if row["extra"] else {}
    extra.pop("done", None)
    if any(row["closed"] for row in group):
        extra["done"] = True
    return Target(
        id=number,
        image_id=group[0]["image_id"],
        category_id=category_id,
        isthing=isthing,
        instance=instance,
        points=Points(
            coords=np.array([(row["x"], row["y"]) for row in group], dtype=np.int32),
            labels=np.array([row["code"] if row["code"] < 2 else IGNORED for row in group], dtype=np.int8),
            status=tuple(_STATUS[row["code"]] for row in group),
            times_ms=tuple(row["time_ms"] for row in group),
            annotator=tuple([numbering.annotator(row["annotator"]) for row in group]),
            session=tuple([numbering.session(row["session"]) for row in group]),
            source=tuple(row["source"] for row in group),
        ),
        linked_annotation_id=linked,
        extra=_with_reviews(extra, reviews),
    )


def _with_reviews(extra: dict[str, Any], reviews: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {**extra, "reviews": [*extra.get("reviews", ()), *reviews]} if reviews else extra


def review_entries(reviews: Iterable[AnyRow], sessions: Mapping[int, AnyRow]) -> dict[str, list[dict[str, Any]]]:
    """Reviews of an image by uid of what they are about, as an exported annotation carries them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in reviews:
        review = to_review(row)
        original = {k: v for k, v in (review.original or {}).items() if k not in ("session", "annotator", "layer")}
        entry = {
            "point": review.point,
            "verdict": review.verdict,
            "value": dict(review.value),
            "original": original or None,
            "reason": review.reason,
            "time_ms": review.time_ms,
            "session_id": None if row["session"] is None else sessions[row["session"]]["uuid"],
        }
        found.setdefault(review.uid, []).append({key: value for key, value in entry.items() if value not in (None, {})})
    return found


def merge_licenses(imports: Iterable[AnyRow]) -> list[Mapping[str, Any]]:
    """Licences that imported images refer to, from the payloads of imports; of two with one id the earlier one."""
    found: dict[Any, Mapping[str, Any]] = {}
    for row in imports:
        for one in orjson.loads(row["payload"]).get("licenses", ()):
            found.setdefault(one.get("id"), one)
    return list(found.values())


def annotator_entries(numbers: Mapping[int, int], rows: Mapping[int, AnyRow]) -> list[dict[str, Any]]:
    """Annotators of a data set; two people of one pseudonym get it with a piece of their identity behind."""
    names = [rows[old]["name"] for old in numbers]
    entries = []
    for old, new in numbers.items():
        row = rows[old]
        kept = orjson.loads(row["extra"]) if row["extra"] else {}
        is_double = names.count(row["name"]) > 1 and row["uuid"]
        entries.append({**kept, "index": new, "name": f"{row['name']}~{row['uuid'][:4]}" if is_double else row["name"]})
    return entries


def session_entries(numbers: Mapping[int, int], rows: Mapping[int, AnyRow]) -> list[dict[str, Any]]:
    """Sessions of a data set."""
    return [_session(rows[old], new) for old, new in numbers.items()]


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

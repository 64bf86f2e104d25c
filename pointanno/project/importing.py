"""From a data set to one import event: a small payload and immutable packed parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from sqlalchemy import select

from pointanno.dataset import Points
from pointanno.errors import InputError
from pointanno.planes import picture_name
from pointanno.project import packing
from pointanno.project.parts import import_uid
from pointanno.project.schema import annotators, category_aliases, images, sessions
from pointanno.project.tally import tally_box, tally_click
from pointanno.protocols.sampling import SAMPLER, point_seed, sample_points

if TYPE_CHECKING:
    from pointanno.dataset import Category, Image, Instance, PointDataset, Target
    from pointanno.project.store import AnyRow, Store

_SESSIONS = select(sessions.c.id, sessions.c.uuid)
_ANNOTATORS = select(annotators.c.id)
_RETIRED = select(category_aliases.c.old)
_IMAGES = select(*[images.c[name] for name in ("id", "uid", "file_name", "height", "width", "next_instance")]).order_by(
    images.c.position
)

PART_OBJECTS = 128
"""A part is closed when it holds this many objects; an image is never split."""


@dataclass(slots=True)
class ImportPlan:
    """What the project holds that an import must fit to.

    Attributes
    ----------
    images : rows of the table `images` by file name
    categories : those of the project
    sessions : number of each known session by its uuid
    next_session, next_annotator : int
        First free numbers.
    points_per_box, seed : int
        Settings of the project, for boxes that come without points.
    """

    images: Mapping[str, AnyRow]
    categories: Sequence[Category]
    sessions: Mapping[str, int]
    next_session: int
    next_annotator: int
    points_per_box: int
    seed: int
    retired_ids: frozenset[int] = frozenset()
    """Ids of classes that were merged or deleted; they are never given away again."""


def plan_import(store: Store, categories: Sequence[Category], settings: Mapping[str, Any]) -> ImportPlan:
    """What the project holds now."""
    session_rows = store.rows(_SESSIONS)
    annotator_ids = [row["id"] for row in store.rows(_ANNOTATORS)]
    return ImportPlan(
        images={row["file_name"]: row for row in store.rows(_IMAGES)},
        categories=categories,
        sessions={row["uuid"]: row["id"] for row in session_rows},
        # one number is left free: the session that imports may not have its own row yet
        next_session=max((row["id"] for row in session_rows), default=-1) + 2,
        next_annotator=max(annotator_ids, default=-1) + 2,
        points_per_box=settings["points_per_box"],
        seed=settings["seed"],
        retired_ids=frozenset(row[0] for row in store.rows(_RETIRED)),
    )


@dataclass(slots=True)
class Importer:
    """Makes payload and parts of one import; afterwards its counters say what came in and what did not."""

    dataset: PointDataset
    plan: ImportPlan
    file: str = ""
    layer: str = "main"
    skipped: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    _category: dict[int, int] = field(default_factory=dict)
    _session: dict[int, int] = field(default_factory=dict)
    _annotator: dict[int, int] = field(default_factory=dict)
    _rank: int = 0
    _things: frozenset[int] = frozenset()

    def make(self, event_uuid: str) -> tuple[dict[str, Any], list[bytes]]:
        """Payload and parts.

        Raises
        ------
        InputError
            If a record does not fit the project: file, record, field, what was expected.
        """
        self.counts = dict.fromkeys(("images", "boxes", "clicks", "answers"), 0)
        categories = self._map_categories()
        self._things = frozenset(one.id for one in self.dataset.categories if one.isthing)
        sessions = self._map_sessions()
        annotators = self._map_annotators()
        parts = list(self._parts(event_uuid))
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        payload = {
            **{"file": self.file, **self.counts, "parts": len(parts), "sha256": digest.hexdigest()},
            **{"categories": categories, "sessions": sessions, "annotators": annotators},
            "licenses": [dict(one) for one in self.dataset.licenses],
        }
        if self.layer != "main":
            payload["layer"] = self.layer
        return payload, parts

    def _map_categories(self) -> list[dict[str, Any]]:
        """Match classes by name; rows of those that are new, under their own id where it is free."""
        by_name = {category.name: category for category in self.plan.categories}
        taken = {category.id for category in self.plan.categories} | self.plan.retired_ids
        wanted = {category.id for category in self.dataset.categories}
        added = []
        for category in self.dataset.categories:
            known = by_name.get(category.name)
            if known is not None:
                if known.isthing != category.isthing:
                    ours, theirs = ("thing", "stuff") if known.isthing else ("stuff", "thing")
                    raise InputError(
                        f"{self.file}, category {category.id} ({category.name}): isthing says {theirs}, but the class "
                        f"of that name in the project is {ours}. Make them agree or rename one of them"
                    )
                self._category[category.id] = known.id
                continue
            new_id = category.id
            if new_id in taken:
                new_id = max(taken | wanted) + 1
            taken.add(new_id)
            self._category[category.id] = new_id
            color = None if category.color is None else orjson.dumps(list(category.color)).decode()
            row = {"id": new_id, "name": category.name, "isthing": int(category.isthing)}
            added.append({**row, "supercategory": category.supercategory, "color": color})
        return added

    def _map_sessions(self) -> list[dict[str, Any]]:
        """Rows of the sessions that the project does not know yet."""
        added, number = [], self.plan.next_session
        for position, session in enumerate(self.dataset.sessions):
            index = session.get("index", position)
            known = self.plan.sessions.get(str(session.get("id")))
            if known is not None:
                self._session[index] = known
                continue
            self._session[index] = number
            row = {"id": number, "uuid": str(session.get("id") or ""), "annotator": None, "tool_version": None}
            row |= {"started": None, "started_mono": None, "ended": None, "clean": 1}
            added.append({**row, "extra": _json(session)})
            number += 1
        return added

    def _map_annotators(self) -> list[dict[str, Any]]:
        """Rows of the annotators; pseudonyms of another file are other people, even if they sound alike."""
        added = []
        for position, annotator in enumerate(self.dataset.annotators):
            number = self.plan.next_annotator + position
            self._annotator[annotator.get("index", position)] = number
            added.append({"id": number, "name": str(annotator.get("name", "")), "extra": _json(annotator)})
        return added

    def _parts(self, event_uuid: str) -> Iterable[bytes]:
        """Packed parts in the order of the images of the file."""
        instances = _by_image(self.dataset.instances)
        targets = _by_image(self.dataset.targets)
        rows: dict[str, list[dict[str, Any]]] = {"images": [], "clicks": [], "boxes": []}
        seen: dict[int, int] = {}
        for image in self.dataset.images:
            own_instances, own_targets = instances.get(image.id, []), targets.get(image.id, [])
            declared = image.complete is not None or image.absent_category_ids or self.dataset.exhaustive_things
            declared = declared or image.flag is not None or image.skipped is not None
            if not (own_instances or own_targets or declared):
                continue
            ours = self._find(image)
            if ours is None:
                continue
            if ours["id"] in seen:
                raise InputError(
                    f"{self.file}, image {image.id} ({image.file_name}): the project's image {ours['file_name']} is "
                    f"already meant by image {seen[ours['id']]} of the file; nothing was imported. Give each picture "
                    "one entry of its own"
                )
            seen[ours["id"]] = image.id
            self._add_image(rows, image, ours, own_instances, own_targets, event_uuid)
            if len(rows["clicks"]) + len(rows["boxes"]) >= PART_OBJECTS:
                yield packing.pack_rows({"import": [{"uuid": event_uuid, "layer": self.layer}], **rows})
                rows = {"images": [], "clicks": [], "boxes": []}
        if rows["images"]:
            yield packing.pack_rows({"import": [{"uuid": event_uuid, "layer": self.layer}], **rows})

    def _find(self, image: Image) -> AnyRow | None:
        """The project's row of an image: by its path, else by its bare name."""
        names = self.plan.images
        name = picture_name(image)
        ours = names.get(name) or names.get(PurePosixPath(name.replace("\\", "/")).name)
        if ours is None:
            self.skipped.append(
                f"{image.file_name}: the project has no image of this name; its annotations are left out"
            )
            return None
        if (ours["height"], ours["width"]) != (image.height, image.width):
            raise InputError(
                f"{self.file}, image {image.id} ({image.file_name}): the file says {image.width} wide and "
                f"{image.height} high, but the picture is {ours['width']} wide and {ours['height']} high. "
                "Annotations of another size would lie in wrong places; nothing was imported"
            )
        return ours

    def _add_image(
        self,
        rows: dict[str, list[dict[str, Any]]],
        image: Image,
        ours: AnyRow,
        instances: Sequence[Instance],
        targets: Sequence[Target],
        event_uuid: str,
    ) -> None:
        """Append the rows of one image."""
        size = (image.height, image.width)
        rank_of: dict[int, int] = {}
        boxes = []
        for instance in instances:
            rank_of[instance.id] = self._rank
            boxes.append(self._box_row(instance, ours, size, event_uuid))
            self._rank += 1
        first_free = offset = ours["next_instance"]
        clicks = []
        for target in targets:
            for index in range(len(target.points)):
                if target.isthing and target.instance > 0:
                    number = target.instance + offset - 1
                else:
                    number = first_free
                first_free = max(first_free, number + 1)
                linked = None
                if target.linked_annotation_id is not None:
                    linked = rank_of.get(target.linked_annotation_id)
                clicks.append(self._click_row(target, index, ours, size, number, linked))
                self._rank += 1
        complete = image.complete or ({"things": True} if self.dataset.exhaustive_things else {})
        answers = sum(
            len(row["labels"]) - row["labels"].count(packing.UNANSWERED) - row["labels"].count(packing.CODES["pad"])
            for row in boxes
        )
        rows["boxes"] += boxes
        rows["clicks"] += clicks
        unsure, fast = attention(boxes, clicks)
        rows["images"].append(
            {
                **{"id": ours["id"], "clicks": len(clicks), "boxes": len(boxes), "answers": answers},
                "next_instance": first_free,
                "complete_things": int(complete["things"]) if "things" in complete else None,
                "complete_stuff": int(complete["stuff"]) if "stuff" in complete else None,
                "absent": [self._category[one] for one in image.absent_category_ids if one in self._category],
                **{"unsure": unsure, "fast": fast, "flag": image.flag, "skipped": image.skipped},
            }
        )
        for name, count in (("images", 1), ("boxes", len(boxes)), ("clicks", len(clicks)), ("answers", answers)):
            self.counts[name] += count

    def _box_row(self, instance: Instance, ours: AnyRow, size: tuple[int, int], event_uuid: str) -> dict[str, Any]:
        """Row of a box; a thing that has no points gets random ones to be asked about, unless it is a mask."""
        where = f"{self.file}, annotation {instance.id}"
        box = _clipped(instance.box.xyxy, size, where)
        packed = self._pack_points(instance.points, size, where)
        is_asked = not instance.iscrowd and instance.category_id in self._things
        is_asked = is_asked and (instance.mask is None or instance.box_source != "mask")
        if not packed["labels"] and is_asked:
            packed |= self._random_points(box, size, ours["uid"], import_uid(event_uuid, self._rank))
        elif instance.point_seed is not None:
            packed["point_seed"] = instance.point_seed
        return {
            **{"image_id": ours["id"], "rank": self._rank, "category_id": self._known(instance.category_id, where)},
            **{"x0": float(box[0]), "y0": float(box[1]), "x1": float(box[2]), "y1": float(box[3])},
            **packed,
            **{"resample": 0, "source": instance.box_source},
            **{"time_ms": instance.box_time_ms, "drag_ms": instance.box_drag_ms},
            "session": _mapped(self._session, instance.box_session),
            "annotator": _mapped(self._annotator, instance.box_annotator),
            **{"iscrowd": int(instance.iscrowd), "area": instance.area},
            "mask": None if instance.mask is None else _json([_text_rle(instance.mask.rle), instance.mask.source]),
            "extra": _json(instance.extra) if instance.extra else None,
        }

    def _pack_points(self, points: Points, size: tuple[int, int], where: str) -> dict[str, Any]:
        """Columns of the points of a box, without padding."""
        if "pad" in points.status:
            points = _only(points, _without_padding(points))
        coords, labels, status = points.coords, points.labels, points.status
        _check_inside(coords, size, where)
        if status.count("ok") == len(status):
            codes = labels.astype(np.uint8).tobytes()
        else:
            codes = bytes(_code(one, label) for one, label in zip(status, labels.tolist(), strict=True))
        return {
            **{"coords": packing.pack_coords(coords), "labels": codes},
            "times": packing.pack_optional(points.times_ms),
            "point_sessions": packing.pack_optional(_mapped_all(self._session, points.session)),
            "point_annotators": packing.pack_optional(_mapped_all(self._annotator, points.annotator)),
            "point_sources": packing.pack_sources(points.source) if points.source else "random",
            **{"point_seed": None, "sampler": None},
        }

    def _random_points(
        self, box: tuple[float, float, float, float], size: tuple[int, int], image_uid: str, uid: str
    ) -> dict[str, Any]:
        """Columns of points that are still to be asked about."""
        seed = point_seed(self.plan.seed, image_uid, uid, 0)
        coords = sample_points(box, self.plan.points_per_box, size, seed=seed)
        labels = bytes([packing.UNANSWERED]) * len(coords)
        return {"coords": packing.pack_coords(coords), "labels": labels, "point_seed": seed, "sampler": SAMPLER}

    def _click_row(
        self,
        target: Target,
        index: int,
        ours: AnyRow,
        size: tuple[int, int],
        number: int,
        linked: int | None,
    ) -> dict[str, Any]:
        """Row of one click."""
        where = f"{self.file}, point annotation {target.id}"
        points = target.points
        _check_inside(points.coords[index : index + 1], size, where)
        x, y = points.coords[index].tolist()
        return {
            **{"image_id": ours["id"], "rank": self._rank, "category_id": self._known(target.category_id, where)},
            **{"x": x, "y": y, "instance": number},
            "code": packing.CODES["pad"]
            if points.status[index] == "pad"
            else _code(points.status[index], int(points.labels[index])),
            **{"time_ms": points.times_ms[index], "source": points.source[index]},
            "session": _mapped(self._session, points.session[index]),
            "annotator": _mapped(self._annotator, points.annotator[index]),
            "linked": linked,
            "extra": _json(target.extra) if index == 0 and target.extra else None,
        }

    def _known(self, category_id: int, where: str) -> int:
        if category_id not in self._category:
            known = ", ".join(map(str, sorted(self._category))) or "none"
            raise InputError(f"{where}: category_id {category_id} is not among the categories of the file ({known})")
        return self._category[category_id]


def attention(boxes: Iterable[Mapping[str, Any]], clicks: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Unsure and fast answers among rows of boxes and clicks."""
    tallies = [tally_box(row) for row in boxes] + [tally_click(row) for row in clicks]
    return sum(one.unsure for one in tallies), sum(one.fast for one in tallies)


def _by_image(records: Iterable[Any]) -> dict[int, list[Any]]:
    """Records in their order, grouped by image."""
    groups: dict[int, list[Any]] = {}
    for record in records:
        groups.setdefault(record.image_id, []).append(record)
    return groups


def _without_padding(points: Points) -> list[int]:
    """Indices of the points that mean something: padding that repeats another point of the box is dropped.

    A "pad" at a pixel of its own is a point that was drawn but not answered yet.
    """
    if "pad" not in points.status:
        return list(range(len(points)))
    real = {tuple(xy) for xy, status in zip(points.coords.tolist(), points.status, strict=True) if status != "pad"}
    kept = []
    for index, status in enumerate(points.status):
        pixel = tuple(points.coords[index].tolist())
        if status != "pad" or pixel not in real:
            kept.append(index)
            real.add(pixel)
    return kept if any(points.status[i] != "pad" for i in kept) or len(kept) > 1 else []


def _only(points: Points, kept: Sequence[int]) -> Points:
    """Some of the points."""
    return Points(
        coords=points.coords[list(kept)].reshape(-1, 2),
        labels=points.labels[list(kept)],
        status=tuple(points.status[i] for i in kept),
        times_ms=tuple(points.times_ms[i] for i in kept),
        annotator=tuple(points.annotator[i] for i in kept),
        session=tuple(points.session[i] for i in kept),
        source=tuple(points.source[i] for i in kept),
    )


def _code(status: str, label: int) -> int:
    """Byte of an answer; a point that was never answered is one that can still be asked."""
    if status == "pad":
        return packing.UNANSWERED
    return packing.CODES[status] if status in ("unsure", "skip") else label


def _clipped(
    box: tuple[float, float, float, float], size: tuple[int, int], where: str
) -> tuple[float, float, float, float]:
    """The box, if it lies in the image but for rounding; files from elsewhere overshoot by fractions of a pixel."""
    height, width = size
    x0, y0, x1, y1 = box
    if x0 < -1 or y0 < -1 or x1 > width + 1 or y1 > height + 1 or x1 <= x0 or y1 <= y0:
        raise InputError(
            f"{where}: bbox {[x0, y0, x1 - x0, y1 - y0]} does not lie in the image of {width} x {height} pixels"
        )
    return max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)


def _check_inside(coords: Any, size: tuple[int, int], where: str) -> None:
    height, width = size
    if not len(coords):
        return
    x, y = coords.max(axis=0).tolist()
    if x >= width or y >= height or coords.min() < 0:
        outside = (coords < 0).any(axis=1) | (coords[:, 0] >= width) | (coords[:, 1] >= height)
        x, y = coords[outside][0].tolist()
        raise InputError(f"{where}: point_coords [{x}, {y}] lies outside of the image of {width} x {height} pixels")


def _mapped(table: Mapping[int, int], index: int | None) -> int | None:
    return None if index is None else table.get(index)


def _mapped_all(table: Mapping[int, int], indices: Sequence[int | None]) -> Sequence[int | None]:
    """Mapped one by one; most files know neither sessions nor annotators."""
    return indices if indices.count(None) == len(indices) else [_mapped(table, one) for one in indices]


def _text_rle(rle: Mapping[str, Any]) -> dict[str, Any]:
    counts = rle["counts"]
    return {"size": list(rle["size"]), "counts": counts.decode() if isinstance(counts, bytes) else counts}


def _json(value: Any) -> str:
    return orjson.dumps(dict(value) if isinstance(value, Mapping) else value).decode()

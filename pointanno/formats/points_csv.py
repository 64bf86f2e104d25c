"""A flat table of points, for spreadsheets and statistics: one row for each point, with its box where it has one.

Only the name of the picture, x, y and the class are needed to read one; what else `COLUMNS` names may stand beside
them in any order. A box that has no points is a row without x and y. Masks are not kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.dataset import (
    ANSWERED,
    IGNORED,
    UNANSWERED_STATUSES,
    Box,
    Category,
    Image,
    Instance,
    PointDataset,
    Points,
    Target,
)
from pointanno.formats.csv_file import read_rows, write_rows
from pointanno.formats.picture_names import PictureFinder, left_out
from pointanno.planes import picture_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pointanno.formats.csv_file import Row

COLUMNS = (
    *("file_name", "width", "height", "class", "isthing"),
    *("annotation_id", "point_annotation_id", "instance", "linked_annotation_id"),
    *("x0", "y0", "x1", "y1", "iscrowd", "box_time_ms"),
    *("x", "y", "label", "status", "time_ms", "source"),
    *("annotator", "annotator_name", "session", "session_id"),
)
"""Columns of what is written. `x0` to `y1` are continuous coordinates, `x` and `y` pixel indices."""

REQUIRED = ("file_name", "class", "x", "y")
"""Without these a table is not read."""

_EDGES = ("x0", "y0", "x1", "y1")
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")


def narrow(dataset: PointDataset) -> PointDataset:
    """What the format keeps: everything but masks, journal, and pictures and classes without annotations."""
    instances = tuple(replace(one, mask=None, area=None) for one in dataset.instances)
    used = {one.image_id for one in instances} | {one.image_id for one in dataset.targets}
    images = tuple(image for image in dataset.images if image.id in used)
    return replace(dataset, images=images, instances=instances, events=())


def dataset_to_rows(dataset: PointDataset) -> Iterator[tuple[Any, ...]]:
    """Rows in the order of `COLUMNS`, image by image, boxes before clicks."""
    classes = {category.id: category for category in dataset.categories}
    names = {entry.get("index", place): entry.get("name") for place, entry in enumerate(dataset.annotators)}
    uuids = {entry.get("index", place): entry.get("id") for place, entry in enumerate(dataset.sessions)}
    by_image: dict[int, list[Instance | Target]] = {image.id: [] for image in dataset.images}
    for instance in dataset.instances:
        by_image[instance.image_id].append(instance)
    for target in dataset.targets:
        by_image[target.image_id].append(target)
    for image in dataset.images:
        for record in by_image[image.id]:
            category = classes[record.category_id]
            head = (picture_name(image), image.width, image.height, category.name, int(category.isthing))
            points = record.points
            if isinstance(record, Instance):
                middle: tuple[Any, ...] = (
                    *(record.id, None, None, None),
                    *record.box.xyxy,
                    *(int(record.iscrowd), record.box_time_ms),
                )
            else:
                middle = (None, record.id, record.instance, record.linked_annotation_id, *(None,) * 6)
            for index in range(len(points)):
                annotator, session = points.annotator[index], points.session[index]
                yield (
                    *head,
                    *middle,
                    *points.coords[index].tolist(),
                    *(int(points.labels[index]), points.status[index], points.times_ms[index], points.source[index]),
                    *(annotator, None if annotator is None else names.get(annotator)),
                    *(session, None if session is None else uuids.get(session)),
                )
            if not len(points) and isinstance(record, Instance):
                yield (*head, *middle, *(None,) * 10)


def write(dataset: PointDataset, path: str | Path) -> None:
    """Write the table."""
    write_rows(path, COLUMNS, dataset_to_rows(narrow(dataset)))


def read(path: str | Path) -> PointDataset:
    """Data set of a table that says the sizes of its pictures.

    Raises
    ------
    InputError
        At the first error, with file, line and column.
    """
    return _read(path, None)[0]


def read_onto(path: str | Path, pictures: PointDataset) -> tuple[PointDataset, tuple[str, ...]]:
    """Data set of a table, and sentences about pictures that are not known.

    Parameters
    ----------
    path
        The table.
    pictures
        Has the pictures, and the classes, whose kind holds where the table does not tell it.

    Raises
    ------
    InputError
        At the first error, with file, line and column.
    """
    return _read(path, pictures)


@dataclass(slots=True)
class _Record:
    """The rows of one box or click."""

    first: Row
    image: Image
    category: Category
    box: Box | None
    cells: list[tuple[Any, ...]] = field(default_factory=list)
    """x, y, label, status, time, source, annotator, session."""


@dataclass(slots=True)
class _Reader:
    """What is known while a table is read."""

    finder: PictureFinder | None
    classes: dict[str, Category]
    images: dict[str, Image] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    records: dict[tuple[Any, ...], _Record] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    sessions: dict[int, str] = field(default_factory=dict)

    def take(self, row: Row) -> None:
        """Add a row to the record it belongs to."""
        image = self._image(row)
        if image is None:
            return
        category = self._category(row)
        box = _box_of(row, image)
        record = self._record(row, image, category, box)
        if not row.text("x") and not row.text("y") and box is not None:
            return
        x, y = row.integer("x", 0, image.width - 1), row.integer("y", 0, image.height - 1)
        label, status = _answer_of(row)
        annotator = _index(row, "annotator", "annotator_name", self.people)
        session = _index(row, "session", "session_id", self.sessions)
        time_ms, source = row.optional("time_ms"), row.text("source") or "imported"
        record.cells.append((x, y, label, status, time_ms, source, annotator, session))

    def _image(self, row: Row) -> Image | None:
        name = row.required("file_name")
        known = self.images.get(name)
        if known is None and name in self.unknown:
            return None
        has_size = bool(row.text("width") or row.text("height"))
        size = (row.integer("height", 1), row.integer("width", 1)) if has_size else None
        if known is not None:
            if size is not None and size != (known.height, known.width):
                raise row.error("width", f"{known.width} x {known.height} as for the same picture before")
            return known
        found = None if self.finder is None else self.finder.find(name)
        if found is None and self.finder is not None:
            self.unknown[name] = None
            return None
        if found is None and size is None:
            raise row.error("width", "the size of the picture, because it is not known from elsewhere")
        if found is None:
            assert size is not None
            image = Image(len(self.images) + 1, name, *size)
        else:
            image = next((one for one in self.images.values() if one.id == found.id), None) or (
                found if size is None else replace(found, height=size[0], width=size[1])
            )
        self.images[name] = image
        return image

    def _category(self, row: Row) -> Category:
        name, flag = row.required("class"), row.text("isthing").lower()
        if flag and flag not in (*_TRUE, *_FALSE):
            raise row.error("isthing", "1 for a thing or 0 for stuff")
        known = self.classes.get(name)
        if known is None:
            next_id = max((one.id for one in self.classes.values()), default=0) + 1
            known = Category(next_id, name, flag not in _FALSE)
            self.classes[name] = known
        if flag and known.isthing != (flag in _TRUE):
            raise row.error("isthing", f"{int(known.isthing)}, which the class {name!r} has elsewhere")
        return known

    def _record(self, row: Row, image: Image, category: Category, box: Box | None) -> _Record:
        number, target = row.optional("annotation_id", 1), row.optional("point_annotation_id", 1)
        if number is not None and target is not None:
            raise row.error("point_annotation_id", "an empty cell beside an annotation_id")
        key: tuple[Any, ...]
        if number is not None or box is not None:
            if box is None:
                raise row.error("x0", "the left edge of the box, because annotation_id names one")
            key = ("box", number) if number is not None else ("box", image.id, category.id, box)
        elif target is not None:
            key = ("click", target)
        elif row.text("instance") not in ("", "0"):
            key = ("click", image.id, category.id, row.integer("instance", 1))
        elif not category.isthing:
            key = ("click", image.id, category.id, 0)
        else:
            key = ("click", row.where)
        record = self.records.setdefault(key, _Record(row, image, category, box))
        if (record.image, record.category, record.box) != (image, category, box):
            column = "annotation_id" if number is not None else "point_annotation_id"
            raise row.error(column, "a number of its own, because another row gives it another image, class or box")
        return record


def _read(path: str | Path, pictures: PointDataset | None) -> tuple[PointDataset, tuple[str, ...]]:
    reader = _Reader(
        finder=None if pictures is None else PictureFinder(pictures.images),
        classes={} if pictures is None else {category.name: category for category in pictures.categories},
    )
    for row in read_rows(path, REQUIRED):
        reader.take(row)
    instances = list(_instances(reader.records))
    ids = {instance.id for instance in instances}
    dataset = PointDataset(
        images=tuple({image.id: image for image in reader.images.values()}.values()),
        categories=tuple(reader.classes.values()),
        instances=tuple(instances),
        targets=tuple(_targets(reader.records, ids)),
        annotators=tuple({"index": index, "name": name} for index, name in sorted(reader.people.items())),
        sessions=tuple({"index": index, "id": uuid} for index, uuid in sorted(reader.sessions.items())),
    )
    return dataset, left_out(list(reader.unknown))


def _instances(records: Mapping[tuple[Any, ...], _Record]) -> Iterator[Instance]:
    """The boxes; those without a number get the next free ones."""
    next_id = max((key[1] for key in records if key[0] == "box" and len(key) == 2), default=0) + 1
    for key, record in records.items():
        if key[0] != "box" or record.box is None:
            continue
        number = key[1] if len(key) == 2 else next_id
        next_id += len(key) != 2
        yield Instance(
            id=number,
            image_id=record.image.id,
            category_id=record.category.id,
            box=record.box,
            points=_points_of(record.cells),
            iscrowd=record.first.text("iscrowd").lower() in _TRUE,
            box_time_ms=record.first.optional("box_time_ms"),
            box_source="imported",
        )


def _targets(records: Mapping[tuple[Any, ...], _Record], boxes: Iterable[int]) -> Iterator[Target]:
    """The clicks; objects without a number get the next free ones of their picture."""
    clicks = {key: record for key, record in records.items() if key[0] == "click"}
    numbers = {key: record.first.optional("instance") or 0 for key, record in clicks.items()}
    free: dict[int, int] = {}
    for key, record in clicks.items():
        free[record.image.id] = max(free.get(record.image.id, 1), numbers[key] + 1)
    next_id = max((key[1] for key in clicks if len(key) == 2 and isinstance(key[1], int)), default=0) + 1
    for key, record in clicks.items():
        is_numbered = len(key) == 2 and isinstance(key[1], int)
        number = numbers[key] if record.category.isthing else 0
        if record.category.isthing and not number:
            number = free[record.image.id]
            free[record.image.id] += 1
        linked = record.first.optional("linked_annotation_id", 1)
        if linked is not None and linked not in boxes:
            raise record.first.error("linked_annotation_id", "an annotation_id of the table")
        yield Target(
            id=key[1] if is_numbered else next_id,
            image_id=record.image.id,
            category_id=record.category.id,
            isthing=record.category.isthing,
            instance=number,
            points=_points_of(record.cells),
            linked_annotation_id=linked,
        )
        next_id += not is_numbered


def _points_of(cells: list[tuple[Any, ...]]) -> Points:
    """The points of the rows of one record."""
    x, y, labels, status, times, source, annotator, session = zip(*cells, strict=True) if cells else ((),) * 8
    return Points(
        coords=np.array([x, y], np.int32).T.reshape(-1, 2),
        labels=np.array(labels, np.int8),
        status=tuple(status),
        times_ms=tuple(times),
        annotator=tuple(annotator),
        session=tuple(session),
        source=tuple(source),
    )


def _box_of(row: Row, image: Image) -> Box | None:
    """The box of a row, None if it has none."""
    if not any(row.text(edge) for edge in _EDGES):
        return None
    x0, y0, x1, y1 = (row.number(edge) for edge in _EDGES)
    for column, low, high, size in (("x1", x0, x1, image.width), ("y1", y0, y1, image.height)):
        # files from elsewhere overshoot by fractions of a pixel
        if not (-1 <= low < high <= size + 1 and math.isfinite(high)):
            raise row.error(column, f"an edge beyond {low} and within the {size} pixels of the picture")
    return Box(x0, y0, x1, y1)


def _answer_of(row: Row) -> tuple[int, str]:
    """Label and status of a point; each follows from the other where only one is given."""
    status = row.text("status").lower()
    if status:
        row.choice("status", (ANSWERED, *sorted(UNANSWERED_STATUSES)))
    if not row.text("label"):
        return (IGNORED if status in UNANSWERED_STATUSES else 1), status or ANSWERED
    label = row.integer("label", -1, 1)
    status = status or ("unsure" if label == IGNORED else ANSWERED)
    if (label == IGNORED) != (status in UNANSWERED_STATUSES):
        raise row.error("label", f"-1 where the status is skip, unsure or pad and 0 or 1 else (it is {status})")
    return label, status


def _index(row: Row, column: str, named: str, names: dict[int, str]) -> int | None:
    """Index of an annotator or session; its name is noted, and one name stands for one index if there is none."""
    index, name = row.optional(column), row.text(named)
    if index is None and name:
        index = next((one for one, known in names.items() if known == name), max(names, default=-1) + 1)
    if index is not None and name:
        if names.setdefault(index, name) != name:
            raise row.error(named, f"{names[index]!r}, which {column} {index} is called before")
    return index

"""The normative rules of COCO-point JSON for the points of one record (rules 1 to 3, 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pointanno.dataset import ANSWERED, BACKGROUND, IGNORED, OBJECT, UNANSWERED_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set

_PARALLEL = ("point_status", "point_times_ms", "point_annotator", "point_session")
_LABELS = frozenset({OBJECT, BACKGROUND, IGNORED})
_LARGEST = 2**31 - 1  # of a time in milliseconds (24 days), of an index


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one place; an "error" must be mended, a "warning" may be lived with."""

    severity: Literal["error", "warning"]
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def error(where: str, message: str) -> Finding:
    """A breach that readers refuse."""
    return Finding("error", where, message)


def warning(where: str, message: str) -> Finding:
    """Something that readers accept."""
    return Finding("warning", where, message)


def check_points(
    entry: Mapping[str, Any], where: str, size: tuple[int, int] | None, *, full: bool
) -> Iterator[Finding]:
    """Findings in the point arrays of a record.

    Parameters
    ----------
    entry
        Record with `point_coords` and `point_labels`.
    where
        Its name in sentences.
    size : (height, width) or None
        Of its image; None or a zero skips the comparison.
    full
        Whether the arrays of the superset are expected.
    """
    coords, labels = entry.get("point_coords"), entry.get("point_labels")
    for name, value in (("point_coords", coords), ("point_labels", labels)):
        if name not in entry:
            crowd = " (the loader reads it for crowd regions too)" if entry.get("iscrowd") == 1 else ""
            yield error(where, f"{name} is missing{crowd}; expected a list")
        elif not isinstance(value, list):
            yield error(where, f"{name} must be a list, but is {value!r:.40}")
    if not isinstance(coords, list) or not isinstance(labels, list):
        return
    if not coords:
        yield error(where, "point_coords is empty; expected at least one point, padded ones included")
    yield from _check_coords(coords, where, size)
    wrong = [label for label in labels if type(label) is not int or label not in _LABELS]
    if wrong:
        yield error(where, f"point_labels must be 1, 0 or -1, but one is {_show(wrong[0])}")
    if len(labels) != len(coords):
        yield error(where, f"point_labels has {len(labels)} entries, but point_coords has {len(coords)}")
    if full:
        yield from _check_parallel(entry, where, len(coords))
        yield from _check_status(entry, where, labels)
        yield from _check_times(entry, where)


def _check_coords(coords: list[Any], where: str, size: tuple[int, int] | None) -> Iterator[Finding]:
    """Integer pixel indices inside the picture (rule 1); one finding a record is enough."""
    for number, point in enumerate(coords):
        if not (isinstance(point, list) and len(point) == 2 and type(point[0]) is int and type(point[1]) is int):
            yield error(where, f"point_coords[{number}] must be two integers [x, y], but is {point!r:.40}")
            return
        if size is None or 0 in size:
            continue
        if not (0 <= point[0] < size[1] and 0 <= point[1] < size[0]):
            yield error(
                where,
                f"point_coords[{number}] {point} lies outside the picture of {size[1]} x {size[0]} pixels",
            )
            return


def _check_parallel(entry: Mapping[str, Any], where: str, count: int) -> Iterator[Finding]:
    """All arrays have one entry a point (rule 2)."""
    for name in (*_PARALLEL, "point_source"):
        value = entry.get(name)
        if name not in entry:
            if name != "point_source":
                yield warning(where, f"{name} is missing; its values are taken as unknown")
        elif not isinstance(value, list):
            yield error(where, f"{name} must be a list, but is {value!r:.40}")
        elif len(value) != count:
            yield error(where, f"{name} has {len(value)} entries, but point_coords has {count}")
        elif name == "point_source" and not all(isinstance(word, str) for word in value):
            yield error(where, "point_source must hold words such as random or click")


def _check_status(entry: Mapping[str, Any], where: str, labels: list[Any]) -> Iterator[Finding]:
    """-1 exactly where the question was not answered (rule 3)."""
    status = entry.get("point_status")
    if not isinstance(status, list) or len(status) != len(labels):
        return
    for number, (value, label) in enumerate(zip(status, labels, strict=True)):
        if value != ANSWERED and (not isinstance(value, str) or value not in UNANSWERED_STATUSES):
            known = ", ".join(sorted({ANSWERED, *UNANSWERED_STATUSES}))
            yield error(where, f"point_status[{number}] must be one of {known}, but is {value!r:.40}")
            return
        if (label == IGNORED) != (value != ANSWERED):
            yield error(
                where, f"point {number} has label {label} with status {value!r}; -1 goes with skip, unsure, pad"
            )
            return


def _check_times(entry: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Whole milliseconds or null (rule 6)."""
    times = entry.get("point_times_ms")
    values = [(f"point_times_ms[{n}]", value) for n, value in enumerate(times)] if isinstance(times, list) else []
    values += [(name, entry.get(name)) for name in ("bbox_time_ms", "bbox_drag_ms")]
    for name, value in values:
        if value is not None and not _is_small(value):
            yield error(where, f"{name} must be whole milliseconds or null, but is {value!r:.40}")
            return
    for name in ("point_annotator", "point_session"):
        indices = entry.get(name)
        if isinstance(indices, list) and any(value is not None and not _is_small(value) for value in indices):
            yield error(where, f"{name} must hold indices or null")


def check_origin(entry: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Findings in what a boxed object says about where its box, points and mask come from."""
    for name in ("bbox_annotator", "bbox_session"):
        if entry.get(name) is not None and not _is_small(entry[name]):
            yield error(where, f"{name} must be an index or null, but is {entry[name]!r:.40}")
    for name in ("bbox_source", "mask_source"):
        if entry.get(name) is not None and not isinstance(entry[name], str):
            yield error(where, f"{name} must be a word, but is {entry[name]!r:.40}")
    extremes = entry.get("extreme_points")
    if extremes is not None and not (
        isinstance(extremes, list)
        and len(extremes) == 4
        and all(isinstance(one, list) and len(one) == 2 and all(_is_small(value) for value in one) for one in extremes)
    ):
        yield error(where, "extreme_points must be four pixels [x, y]: top, left, bottom, right")
    seed = entry.get("point_seed")
    if seed is not None and (type(seed) is not int or abs(seed) >= 2**63):
        yield error(where, f"point_seed must be an integer or null, but is {seed!r:.40}")


def _is_small(value: Any) -> bool:
    """Integers from 0 that fit into the columns of a project."""
    return type(value) is int and 0 <= value <= _LARGEST


def _show(value: Any) -> str:
    """A value as JSON would write it."""
    return "null" if value is None else f"{value!r:.40}"


def check_target(
    entry: Mapping[str, Any], where: str, isthing: bool | None, annotation_ids: Set[int]
) -> Iterator[Finding]:
    """Findings in what a click record says beside its points (rule 7).

    Parameters
    ----------
    entry
        Record of `point_annotations`.
    where
        Its name in sentences.
    isthing
        What its category says, None if unknown.
    annotation_ids
        Ids that `linked_annotation_id` may name.
    """
    flag, instance = entry.get("isthing"), entry.get("instance")
    if flag not in (0, 1):
        yield error(where, f"isthing must be 0 or 1, but is {flag!r:.40}")
    elif isthing is not None and bool(flag) != isthing:
        yield error(where, f"isthing is {int(flag)}, but its category {entry['category_id']} says {int(isthing)}")
    if not _is_small(instance):
        yield error(where, f"instance must be an integer that is not negative, but is {_show(instance)}")
    elif flag == 0 and instance != 0:
        yield error(where, f"instance must be 0 for stuff, but is {instance}")
    elif flag == 1 and instance == 0:
        yield error(where, "instance must be 1 or more for a thing, but is 0")
    linked = entry.get("linked_annotation_id")
    if linked is not None and (type(linked) is not int or linked not in annotation_ids):
        yield error(where, f"linked_annotation_id {linked!r:.40} is not among the ids of annotations")

"""What an exported file keeps to itself: times, or whatever tells who worked, where and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointanno.dataset import Image, Instance, Points, Target

NAMES = frozenset({"person"})
"""Of an annotator: never exported unasked, not even if it came with a file."""

TELLING_KINDS = frozenset({"clock_anchor", "images_relocated", "import", "project_created"})
"""Events of places, names of files and the calendar."""

UNTELLING = frozenset(
    """
    n t_ms session annotator kind image_id uuid annotation_id point_annotation_id uid point value answer dt_ms target
    target_kind mode condition order_seed seed practice focus preview screen_hz clock swapped fallback zoom canvas x y
    box point_coords point_seed sampler extreme_points extreme_times_ms copy_of category_id instance layer provenance
    time_ms drag_ms whole_target flagged skipped things stuff absent done verdict rle source since_ns slept_ns ns reason
    repeat
    """.split()
)
"""Fields of events that tell about the work only; a raw event may carry any others."""

WORDS_KEPT = frozenset(
    {"tool_armed", "pause", "resume", "focus_lost", "focus_gained", "dialog_open", "dialog_close", "ui_stall"}
)
"""Kinds whose `reason` is a fixed word; elsewhere a person has typed it."""


@dataclass(frozen=True, slots=True)
class Discretion:
    """What is left out of the records of an export.

    Attributes
    ----------
    times : whether measured times travel along
    pseudonymised : whether names of files outside of the project, typed words, days, machines and the identities of
        sessions, events and annotators are left out; annotators are numbered
    """

    times: bool = True
    pseudonymised: bool = False

    def image(self, image: Image) -> Image:
        """A record of a picture."""
        if not self.pseudonymised:
            return image
        return replace(
            image,
            file_name=_inside(image.file_name),
            flag=None if image.flag is None else "",
            skipped=None if image.skipped is None else "",
        )

    def instance(self, instance: Instance) -> Instance:
        """A boxed object."""
        extra = self._extra(instance.extra)
        if not self.times:
            points = _without_times(instance.points)
            return replace(instance, points=points, box_time_ms=None, box_drag_ms=None, extra=extra)
        return instance if extra == instance.extra else replace(instance, extra=extra)

    def target(self, target: Target) -> Target:
        """A clicked target."""
        extra = self._extra(target.extra)
        if not self.times:
            return replace(target, points=_without_times(target.points), extra=extra)
        return target if extra == target.extra else replace(target, extra=extra)

    def _extra(self, extra: Mapping[str, Any]) -> Mapping[str, Any]:
        if not extra or (self.times and not self.pseudonymised):
            return extra
        kept = dict(extra)
        if not self.times:
            kept.pop("extreme_times_ms", None)
        if self.pseudonymised:
            kept.pop("suggested_by", None)
        if "reviews" in kept:
            kept["reviews"] = [self._review(one) for one in kept["reviews"]]
        return kept

    def _review(self, review: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(review)
        if not self.times:
            kept.pop("time_ms", None)
            if isinstance(kept.get("original"), Mapping):
                kept["original"] = {key: value for key, value in kept["original"].items() if key != "time_ms"}
        if self.pseudonymised:
            kept.pop("reason", None)
            if kept.get("session_id"):
                kept["session_id"] = blurred(str(kept["session_id"]))
        return kept

    def annotator(self, entry: Mapping[str, Any], *, with_name: bool = False) -> dict[str, Any]:
        """An entry of the list of annotators; `with_name` keeps the name behind a pseudonym."""
        if self.pseudonymised:
            return {"index": entry["index"], "name": f"annotator-{entry['index'] + 1}"}
        return {key: value for key, value in entry.items() if with_name or key not in NAMES}

    def session(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """An entry of the list of sessions."""
        if self.pseudonymised:
            return {"index": entry["index"], "id": blurred(str(entry.get("id") or entry["index"])), "started": None,
                    "ended": None, "tool_version": entry.get("tool_version")}  # fmt: skip
        return dict(entry) if self.times else {**entry, "started": None, "ended": None}

    def event(self, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        """An entry of the journal, None for one that does not travel."""
        if not self.times:
            return None
        if not self.pseudonymised:
            return dict(entry)
        kind = str(entry["kind"])
        if kind in TELLING_KINDS or kind.startswith(("category_", "categories_", "image_set")):
            return None
        kept = {key: value for key, value in entry.items() if key in UNTELLING}
        if isinstance(kept.get("clock"), Mapping):
            kept["clock"] = {key: value for key, value in kept["clock"].items() if not isinstance(value, str)}
        if kind not in WORDS_KEPT:
            kept.pop("reason", None)
        for name in ("uuid", "target"):
            if name in kept:
                kept[name] = blurred(str(kept[name]))
        return kept


EVERYTHING = Discretion()
"""Nothing but names is kept back."""


def blurred(identity: str) -> str:
    """Another identity, always the same one for the same; not to be read back."""
    return hashlib.sha256(f"pointanno pseudonym:{identity}".encode()).hexdigest()[:32]


def _inside(file_name: str) -> str:
    """The name of a file without the folders that lie outside of the images."""
    path = PurePosixPath(file_name.replace("\\", "/"))
    is_outside = path.is_absolute() or PureWindowsPath(file_name).is_absolute() or ".." in path.parts
    return path.name if is_outside else file_name


def _without_times(points: Points) -> Points:
    return replace(points, times_ms=(None,) * len(points))

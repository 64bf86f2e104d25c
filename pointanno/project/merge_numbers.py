"""Numbers of copies of a project, and what they are called in the joined one.

Images, classes, objects, sessions and annotators have small numbers that mean different things in different copies.
Each gets an identity that all copies agree on (a uuid, the event that made it, the name of a file), and from that a
number in the joined project: its old one, unless that is taken.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pointanno.project import packing

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from pointanno.project.store import AnyRow

    Key = Hashable


@dataclass(slots=True)
class Numbers:
    """Numbers of one kind in the joined project, by identity."""

    of: dict[Key, int] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)

    def number(self, key: Key, wanted: int) -> int:
        """The number of an identity; a new one gets what it wants, or the next free number."""
        found = self.of.get(key)
        if found is None:
            found = wanted if wanted not in self.used else max(self.used) + 1
            self.of[key] = found
            self.used.add(found)
        return found


@dataclass(slots=True)
class CopyMaps:
    """What the numbers of one copy stand for, at the event that is being read.

    Attributes
    ----------
    images : id of an image here to its id in the joined project
    sessions, annotators : rows by number, own and imported ones
    categories : number of a class here to its identity
    instances : (image id here, number of an object here) to its identity
    """

    images: dict[int, int]
    sessions: dict[int, Key]
    annotators: dict[int, Key]
    categories: dict[int, Key] = field(default_factory=dict)
    instances: dict[tuple[int, int], Key] = field(default_factory=dict)
    imported: dict[int, int] = field(default_factory=dict)
    """Image id here to the number below which objects came with an import that all copies share."""

    def observe(self, row: AnyRow, payload: Mapping[str, Any]) -> None:
        """Learn from an event (a row of `events` in this copy) what numbers stand for from now on."""
        kind, uuid = row["kind"], row["uuid"]
        if kind == "category_added":
            self.categories[payload["id"]] = uuid
        elif kind == "import":
            for one in payload["categories"]:
                self.categories[one["id"]] = (uuid, one["name"])
            for position, one in enumerate(payload["sessions"]):
                self.sessions[one["id"]] = (uuid, position)
            for position, one in enumerate(payload["annotators"]):
                self.annotators[one["id"]] = (uuid, position)
        elif kind == "click" and payload.get("instance") is not None:
            place = (row["image_id"], payload["instance"])
            if payload["instance"] >= self.imported.get(row["image_id"], 0):
                self.instances.setdefault(place, uuid)

    def observe_parts(self, uuid: str, parts: Iterable[bytes], *, is_shared: bool) -> None:
        """Learn what the numbers of imported objects stand for.

        Parameters
        ----------
        uuid : of the import
        parts : as this copy has them
        is_shared : whether every copy has the import; then its numbers are the same everywhere
        """
        for part in parts:
            if is_shared:
                for image in packing.unpack_rows(part, until="images")["images"]:
                    self.imported[image["id"]] = max(self.imported.get(image["id"], 0), image["next_instance"])
                continue
            first: dict[tuple[int, int], int] = {}
            for row in packing.unpack_rows(part)["clicks"]:
                place = (row["image_id"], row["instance"])
                rank = first.setdefault(place, row["rank"])
                self.instances.setdefault(place, (uuid, rank))

    def observe_turn(self, kind: str, target: AnyRow, payload: Mapping[str, Any]) -> None:
        """Learn from an undo or redo: a number whose maker is undone may be given to something else."""
        if target["kind"] == "category_added" and kind == "redo":
            self.categories[payload["id"]] = target["uuid"]
        if target["kind"] == "click":
            place = (target["image_id"], payload["instance"])
            if kind == "undo" and self.instances.get(place) == target["uuid"]:
                del self.instances[place]
            elif kind == "redo":
                self.instances.setdefault(place, target["uuid"])

    def instance_key(self, image_id: int, number: int) -> Key:
        """Identity of an object; one that came with an import that all copies share is known by its number."""
        return self.instances.get((image_id, number), ("number", number))


@dataclass(slots=True)
class Translator:
    """Turns numbers of a copy into those of the joined project.

    Attributes
    ----------
    categories, sessions, annotators : numbers by identity
    instances : for each image of the joined project, numbers of objects by identity
    """

    categories: Numbers = field(default_factory=Numbers)
    sessions: Numbers = field(default_factory=Numbers)
    annotators: Numbers = field(default_factory=Numbers)
    instances: dict[int, Numbers] = field(default_factory=dict)

    def category(self, maps: CopyMaps, number: int) -> int:
        """Number of a class; one that was never added keeps its number, and will be refused as it was."""
        key = maps.categories.get(number)
        return number if key is None else self.categories.of.get(key, number)

    def instance(self, maps: CopyMaps, image_id: int, number: int) -> int:
        """Number of an object on an image (id in the copy)."""
        numbers = self.instances.setdefault(maps.images[image_id], Numbers())
        return numbers.number(maps.instance_key(image_id, number), number)

    def session(self, maps: CopyMaps, number: int | None) -> int | None:
        """Number of a session."""
        return None if number is None else self.sessions.number(maps.sessions.get(number, ("?", number)), number)

    def annotator(self, maps: CopyMaps, number: int | None) -> int | None:
        """Number of an annotator."""
        return None if number is None else self.annotators.number(maps.annotators.get(number, ("?", number)), number)

    def payload(self, maps: CopyMaps, row: AnyRow, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of an event that is neither an import nor an undo."""
        found = dict(payload)
        kind = row["kind"]
        if "category_id" in found:
            found["category_id"] = self.category(maps, found["category_id"])
        if kind in ("category_added", "category_changed", "category_deleted"):
            found["id"] = self.category(maps, found["id"])
        for name in ("source", "target") if kind == "categories_merged" else ():
            found[name] = self.category(maps, found[name])
        if kind == "categories_reordered":
            found["ids"] = [self.category(maps, one) for one in found["ids"]]
        for name in ("image_ids", "released_ids"):
            if found.get(name) is not None and kind in ("image_set", "second_pass"):
                found[name] = [maps.images[one] for one in found[name] if one in maps.images]
        if kind == "click" and found.get("instance") is not None:
            found["instance"] = self.instance(maps, row["image_id"], found["instance"])
        return found

    def parts(
        self, maps: CopyMaps, payload: Mapping[str, Any], parts: Sequence[bytes], *, is_shared: bool
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Payload and parts of an import, whose new classes must have their numbers already.

        Parts that all copies share are taken as they are, if all their numbers stay the same.
        """
        found = dict(payload)
        for name, translate in (("sessions", self.session), ("annotators", self.annotator)):
            found[name] = [{**one, "id": translate(maps, one["id"])} for one in payload[name]]
        same = found["sessions"] == payload["sessions"] and found["annotators"] == payload["annotators"]
        same = same and all(self.category(maps, one) == one for one in maps.categories)
        same = same and all(here == there for here, there in maps.images.items())
        if is_shared:
            self._reserve(maps, parts)
            if same:
                return found, list(parts)
        rewritten = [self._rewritten(maps, part) for part in parts]
        digest = hashlib.sha256()
        for part in rewritten:
            digest.update(part)
        return {**found, "sha256": digest.hexdigest()}, rewritten

    def _reserve(self, maps: CopyMaps, parts: Sequence[bytes]) -> None:
        """Keep the numbers of imported objects from being given to others."""
        for part in parts:
            for image in packing.unpack_rows(part, until="images")["images"]:
                numbers = self.instances.setdefault(maps.images[image["id"]], Numbers())
                numbers.used |= set(range(1, image["next_instance"]))
                for number in range(1, image["next_instance"]):
                    numbers.of.setdefault(("number", number), number)

    def _rewritten(self, maps: CopyMaps, part: bytes) -> bytes:
        tables = packing.unpack_rows(part)
        highest: dict[int, int] = {}
        for row in tables["clicks"]:
            row["instance"] = self.instance(maps, row["image_id"], row["instance"])
            highest[row["image_id"]] = max(highest.get(row["image_id"], 0), row["instance"])
        for name in ("clicks", "boxes"):
            for row in tables[name]:
                row["image_id"] = maps.images[row["image_id"]]
                row["category_id"] = self.category(maps, row["category_id"])
                row["session"] = self.session(maps, row["session"])
                row["annotator"] = self.annotator(maps, row["annotator"])
        for row in tables["boxes"]:
            count = len(row["labels"])
            row["point_sessions"] = _translated(row["point_sessions"], count, lambda one: self.session(maps, one))
            row["point_annotators"] = _translated(row["point_annotators"], count, lambda one: self.annotator(maps, one))
        for image in tables["images"]:
            image["next_instance"] = max(image["next_instance"], highest.get(image["id"], 0) + 1)
            image["id"] = maps.images[image["id"]]
            image["absent"] = [self.category(maps, one) for one in image["absent"]]
        return packing.pack_rows(tables)


def _translated(data: bytes, count: int, translate: Callable[[int | None], int | None]) -> bytes:
    """Packed numbers, each translated."""
    return packing.pack_optional([translate(one) for one in packing.unpack_optional(data, count)]) if data else data

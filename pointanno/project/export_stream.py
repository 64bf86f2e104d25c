"""The current state of a project from image to image: as one data set, or as a COCO-point file of any size.

Both number instances, targets, sessions and annotators from the start, in the same order, and skip what does not
lie in the main layer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from pointanno.dataset import IGNORED, PointDataset
from pointanno.formats import coco_point
from pointanno.formats.instance_records import pad_instance
from pointanno.project.discretion import EVERYTHING, Discretion
from pointanno.project.layers import MAIN
from pointanno.project.schema import annotators, events, flags, history, images, reviews, sessions
from pointanno.project.snapshot import (
    Numbering,
    annotator_entries,
    click_groups,
    merge_licenses,
    review_entries,
    session_entries,
    to_image,
    to_instance,
    to_target,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pointanno.dataset import Category, Image, Instance, Target
    from pointanno.project.measured import MeasuredTimes
    from pointanno.project.parts import PartReader, Rows
    from pointanno.project.records import Event
    from pointanno.project.store import AnyRow, Store

_PAGE = select(images).where(images.c.position >= bindparam("k_start")).order_by(images.c.position).limit(1000)
_SESSIONS = select(sessions)
_ANNOTATORS = select(annotators)
_IMPORTS = (
    select(events.c.payload)
    .where(events.c.kind == "import", events.c.seq.not_in(select(history.c.seq).where(history.c.undone == 1)))
    .order_by(events.c.seq)
)
_FLAG = select(flags.c.image_id, flags.c.reason).where(flags.c.uid == "")
_REVIEWS = select(reviews).where(reviews.c.image_id == bindparam("k_image")).order_by(reviews.c.seq)
_UIDS = select(func.json_extract(events.c.payload, "$.uid")).where(events.c.payload.like('%"uid"%')).distinct()
_LABEL_OF_ANSWER = {"object": 1, "background": 0, "unsure": IGNORED, "skip": IGNORED}


@dataclass(slots=True)
class Snapshot:
    """One look at the current state; the caller holds the lock of the store.

    Parameters
    ----------
    store, parts : of the project
    categories : its classes
    image_ids : only these images; None for all
    times : as the journal says; None leaves those of the records
    discretion : what is left out
    """

    store: Store
    parts: PartReader
    categories: Sequence[Category]
    points_per_instance: int
    image_ids: frozenset[int] | None = None
    times: MeasuredTimes | None = None
    discretion: Discretion = EVERYTHING
    numbering: Numbering = field(default_factory=Numbering)
    declared: list[bool] = field(default_factory=list)
    numbers: dict[str, tuple[str, int]] = field(default_factory=dict)
    """uid to the list it went to ("annotation_id" or "point_annotation_id") and its id there."""
    _isthing: dict[int, bool] = field(default_factory=dict)
    _flags: dict[int, str] = field(default_factory=dict)
    _sessions: dict[int, AnyRow] = field(default_factory=dict)
    _first_number: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._isthing = {category.id: category.isthing for category in self.categories}
        self._flags = dict(map(tuple, self.store.rows(_FLAG)))
        self._sessions = {row["id"]: row for row in self.store.rows(_SESSIONS)}

    def rows(self) -> Iterator[AnyRow]:
        """Rows of the images, a thousand at a time."""
        start = 0
        while page := self.store.rows(_PAGE, k_start=start):
            for row in page:
                if self.image_ids is None or row["id"] in self.image_ids:
                    yield row
            start = page[-1]["position"] + 1

    def images(self) -> Iterator[Image]:
        """Records of the images; notes on the way what they declare."""
        aliases = self.parts.aliases()
        for row in self.rows():
            image = to_image(row, aliases, self._flags.get(row["id"]))
            self.declared.append(image.complete is not None and image.complete["things"])
            yield self.discretion.image(image)

    def objects(self, row: AnyRow) -> Rows:
        """Clicks and boxes of an image that count."""
        if not (row["clicks"] or row["boxes"]):
            return {"clicks": [], "boxes": []}
        found = self.parts.rows(row, MAIN)
        if not all(self._isthing[one["category_id"]] for one in found["boxes"]):
            # masks of stuff come last in a file, so they must be numbered last: else a copy of it numbers otherwise
            found["boxes"] = sorted(found["boxes"], key=lambda one: not self._isthing[one["category_id"]])
        return found

    def instances_of(self, row: AnyRow, objects: Rows, first: int, keep: Collection[str] | None) -> list[Instance]:
        """Boxes of an image as records, numbered from `first` on."""
        if not objects["boxes"]:
            return []
        found = self._reviews(row)
        numbered = list(enumerate(objects["boxes"], first))
        for number, one in numbered:
            if keep is None or one["uid"] in keep:
                self.numbers[one["uid"]] = ("annotation_id", number)
        return [self._instance(one, number, found.get(one["uid"], ())) for number, one in numbered]

    def _instance(self, row: AnyRow, number: int, reviews: Sequence[Mapping[str, Any]]) -> Instance:
        """A row of `boxes` as it is handed out."""
        made = to_instance(row, number, self.numbering, reviews)
        if self.times is not None:
            made = self.times.instance(made, row["uid"])
        return self.discretion.instance(made)

    def targets_of(
        self, row: AnyRow, objects: Rows, first: int, first_box: int, keep: Collection[str] | None
    ) -> list[Target]:
        """Clicks of an image as records, numbered from `first` on; its boxes are numbered from `first_box` on."""
        if not objects["clicks"]:
            return []
        found = self._reviews(row)
        of_uid = {one["uid"]: number for number, one in enumerate(objects["boxes"], first_box)}
        made = []
        for number, (key, group) in enumerate(click_groups(objects["clicks"], self._isthing).items(), first):
            for one in group:
                if keep is None or one["uid"] in keep:
                    self.numbers[one["uid"]] = ("point_annotation_id", number)
            linked = of_uid.get(group[0]["linked"] or "")
            seen = [entry for one in group for entry in found.get(one["uid"], ())]
            target = to_target(group, number, key, self._isthing[key[0]], self.numbering, linked, seen)
            if self.times is not None:
                target = self.times.target(target, [one["uid"] for one in group])
            made.append(self.discretion.target(target))
        return made

    def _reviews(self, row: AnyRow) -> Mapping[str, list[dict[str, Any]]]:
        if not row["reviews"]:
            return {}
        return review_entries(self.store.rows(_REVIEWS, k_image=row["id"]), self._sessions)

    def dataset(self, log: Iterable[Event] | None) -> PointDataset:
        """Everything at once."""
        found: list[Image] = []
        instances: list[Instance] = []
        targets: list[Target] = []
        aliases = self.parts.aliases()
        for row in self.rows():
            image = to_image(row, aliases, self._flags.get(row["id"]))
            self.declared.append(image.complete is not None and image.complete["things"])
            found.append(self.discretion.image(image))
            objects = self.objects(row)
            first_box = len(instances) + 1
            instances += self.instances_of(row, objects, first_box, None)
            targets += self.targets_of(row, objects, len(targets) + 1, first_box, None)
        entries = [] if log is None else list(self.events(log))
        is_declared = any(image.complete is not None for image in found)
        return PointDataset(
            images=tuple(found),
            instances=tuple(instances),
            targets=tuple(targets),
            events=tuple(entries),
            **self.head(is_declared),
        )

    def write(self, path: Path, log: Iterable[Event] | None, *, with_annotators: bool = True) -> dict[str, int]:
        """Write a COCO-point file in the memory of one image; returns how much of what it holds.

        Parameters
        ----------
        path : the file
        log : events that travel along, None for none
        with_annotators : whether pseudonyms do
        """
        counts = dict.fromkeys(("images", "boxes", "points", "targets", "clicks"), 0)
        kept = set() if log is None else self._uids_of_events()
        first_box: dict[int, int] = {}
        if self._several():
            for row in self.rows():
                self.numbering.see(self.objects(row), self._isthing)
        is_declared = False

        def pictures() -> Iterator[Image]:
            nonlocal is_declared
            for image in self.images():
                is_declared = is_declared or image.complete is not None
                counts["images"] += 1
                yield image

        def boxes() -> Iterator[Instance]:
            number = 1
            for row in self.rows():
                first_box[row["id"]] = number
                for one in self.instances_of(row, self.objects(row), number, kept):
                    number += 1
                    yield self._padded(one, row)

        def things() -> Iterator[Instance]:
            for one in boxes():
                if self._isthing[one.category_id]:
                    counts["boxes"] += 1
                    counts["points"] += len(one.points)
                    yield one

        def stuff() -> Iterator[Instance]:
            number = 1
            for row in self.rows():
                objects = self.objects(row)
                found = self._reviews(row)
                for place, one in enumerate(objects["boxes"], number):
                    if not self._isthing[one["category_id"]] and one["mask"] is not None:
                        yield self._instance(one, place, found.get(one["uid"], ()))
                number += len(objects["boxes"])

        def clicked() -> Iterator[Target]:
            number = 1
            for row in self.rows():
                if row["clicks"]:
                    for one in self.targets_of(row, self.objects(row), number, first_box[row["id"]], kept):
                        number += 1
                        counts["targets"] += 1
                        counts["clicks"] += len(one.points)
                        yield one

        def head() -> PointDataset:
            # the log numbers sessions that no annotation refers to, so it comes before the list of sessions
            entries = () if log is None else tuple(self.events(log))
            return PointDataset(images=(), events=entries, **self.head(is_declared))

        has_stuff = any(not flag for flag in self._isthing.values())
        coco_point.write_stream(
            path,
            licenses=merge_licenses(self.store.rows(_IMPORTS)),
            images=pictures(),
            categories=self.categories,
            instances=things(),
            stuff=stuff() if has_stuff else iter(()),
            targets=clicked(),
            head=head,
            with_events=log is not None,
            with_annotators=with_annotators,
        )
        return counts

    def _padded(self, instance: Instance, row: AnyRow) -> Instance:
        """Loaders stumble over an instance without points: a mask alone carries ignored ones."""
        if len(instance.points):
            return instance
        size = (row["height"], row["width"])
        return pad_instance(instance, self.points_per_instance, size)

    def _several(self) -> bool:
        """Whether the order of first use matters for the numbers of sessions and annotators."""
        return len(self._sessions) > 1 or len(self.store.rows(_ANNOTATORS)) > 1

    def _uids_of_events(self) -> set[str]:
        """Uids that the journal names; those of objects that were imported and never touched are left out."""
        with self.store.guarded():
            return {row[0] for row in self.store.execute(_UIDS)}

    def head(self, is_declared: bool) -> dict[str, Any]:
        """What a data set holds beside its images and annotations, once these were numbered.

        Parameters
        ----------
        is_declared : whether any image was declared complete or not
        """
        people = {row["id"]: row for row in self.store.rows(_ANNOTATORS)}
        return {
            "categories": tuple(self.categories),
            "points_per_instance": self.points_per_instance,
            "exhaustive_things": all(self.declared) if is_declared else None,
            "annotators": tuple(
                self.discretion.annotator(one) for one in annotator_entries(self.numbering.annotators, people)
            ),
            "sessions": tuple(
                self.discretion.session(one) for one in session_entries(self.numbering.sessions, self._sessions)
            ),
            "licenses": tuple(merge_licenses(self.store.rows(_IMPORTS))),
        }

    def events(self, log: Iterable[Event]) -> Iterator[dict[str, Any]]:
        """The journal in the words of COCO-point JSON; times count from the start of each session."""
        number = 0
        for event in log:
            if event.session is None:
                continue
            if self.image_ids is not None and event.image_id is not None and event.image_id not in self.image_ids:
                continue
            entry = self.discretion.event(self._event(event, number))
            if entry is not None:
                yield entry
                number += 1

    def _event(self, event: Event, number: int) -> dict[str, Any]:
        session = self._sessions[event.session or 0]
        entry = {
            "n": number,
            "t_ms": (event.t_mono_ns - (session["started_mono"] or event.t_mono_ns)) // 1_000_000,
            "session": self.numbering.session(event.session),
            "annotator": self.numbering.annotator(session["annotator"]),
            "kind": "label" if event.kind == "answer" else event.kind,
            "image_id": event.image_id,
            "uuid": event.uuid,
        }
        payload = dict(event.payload)
        if event.kind == "answer":
            payload["answer"] = payload["value"]
            payload["value"] = _LABEL_OF_ANSWER[payload["value"]]
            payload["dt_ms"] = payload.pop("time_ms", None)
        if event.kind in ("undo", "redo"):
            payload = {"target": payload["uuid"], "target_kind": payload["kind"]}
        if event.kind == "import":
            payload = {key: payload[key] for key in ("file", "images", "boxes", "clicks") if key in payload}
        name, known = self.numbers.get(str(payload.get("uid")), ("annotation_id", None))
        if known is not None:
            entry[name] = known
        return {**entry, **{key: value for key, value in payload.items() if key not in entry}}

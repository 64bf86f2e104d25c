"""The images of a project: pages, filters, counts, the next one to work on, and which protocol they are for."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select

from pointanno.errors import InputError
from pointanno.project import opening, scan
from pointanno.project.core import ProjectCore
from pointanno.project.layers import CHOSEN, LAYERS, NOT_CHOSEN, SECOND_DONE, STATES
from pointanno.project.records import ProjectImage
from pointanno.project.schema import flags, image_sets, images, reviews
from pointanno.project.snapshot import Remembered, to_annotations
from pointanno.project.totals import Totals
from pointanno.protocols import make_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pointanno.project.records import Event, ImageAnnotations
    from pointanno.project.store import AnyRow
    from pointanno.protocols import Protocol

_COUNT = select(func.count()).select_from(images)
_PAGE = (
    select(images)
    .where(images.c.position >= bindparam("k_start"))
    .order_by(images.c.position)
    .limit(bindparam("k_count"))
)
_AT_PLACES = (
    select(images)
    .where(images.c.position.in_(select(func.json_each(bindparam("k_places")).table_valued("value").c.value)))
    .order_by(images.c.position)
)
_BY_ID = select(images).where(images.c.id == bindparam("k_id"))
_FLAGS = select(flags).where(flags.c.image_id == bindparam("k_image")).order_by(flags.c.born)
_REVIEWS = select(reviews).where(reviews.c.image_id == bindparam("k_image")).order_by(reviews.c.seq)
_SETS = select(image_sets).order_by(image_sets.c.id)
_PER_SET = select(images.c.image_set, func.count()).group_by(images.c.image_set)
_SET_OF = (
    select(image_sets)
    .select_from(images.join(image_sets, image_sets.c.id == images.c.image_set))
    .where(images.c.id == bindparam("k_id"))
)
_STATE_NAMES = {number: name for name, number in STATES.items()}
_SECOND_NAMES = {NOT_CHOSEN: None, CHOSEN: "chosen", SECOND_DONE: "done"}
_AS_SQLITE_LOWERS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
"""SQLite knows the small letters of A to Z only; what is looked for must be treated alike."""
_ATTENTION = ("flagged", "unsure", "fast", "later", "disagreement")


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Which images to show; what is left at None or "" does not matter.

    Attributes
    ----------
    state : "unlabelled", "in_progress", "complete" or "skipped"
    attention : "flagged", "unsure", "fast", "later" or "disagreement"
    text : part of the file name, capitals and small letters alike
    image_set : name of an image set; "" is any, None the images of no set
    second_pass : "chosen" or "done"
    """

    state: str | None = None
    attention: str | None = None
    text: str = ""
    image_set: str | None = ""
    second_pass: str | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("state", self.state, STATES),
            ("attention", self.attention, _ATTENTION),
            ("second_pass", self.second_pass, ("chosen", "done")),
        ):
            if value is not None and value not in known:
                raise InputError(f"filter, {name}: expected one of {', '.join(known)}, received {value!r}")

    @property
    def shape(self) -> tuple[Any, ...]:
        """What decides the text of the query: equal shapes differ in values only."""
        return (self.state is not None, self.attention, bool(self.text), self.image_set == "", self.second_pass is None)


EVERY_IMAGE = ImageFilter()


@dataclass(frozen=True, slots=True)
class ImageSet:
    """A named selection of images and how they are annotated; `number` is that of `ProjectImage.image_set`."""

    number: int
    name: str
    protocol: str
    options: Mapping[str, Any]
    images: int


class ImageList(ProjectCore):
    """Images, read a page at a time: no answer depends on how many there are before or behind."""

    _totals: Totals | None = None
    _remembered: dict[str, Remembered] | None = None
    """By layer."""

    def image_count(self) -> int:
        """Number of images."""
        return int((self._store.first(_COUNT) or [0])[0])

    def images(self, *, start: int = 0, count: int | None = None) -> list[ProjectImage]:
        """Images in the order of the project: `count` of them (None: all) from place `start` on."""
        rows = self._store.rows(_PAGE, k_start=start, k_count=-1 if count is None else count)
        return [self._to_image(row) for row in rows]

    def image(self, image_id: int) -> ProjectImage:
        """One image.

        Raises
        ------
        InputError
            If the project has none of that id.
        """
        return self._to_image(self._image_row(image_id))

    def annotations(self, image_id: int, *, layer: str = "main") -> ImageAnnotations:
        """Everything annotated on one image.

        Parameters
        ----------
        image_id : int
        layer : "main", "second" (the blind second opinion) or "gold" (known answers)
        """
        if layer not in LAYERS:
            raise InputError(f"layer: expected one of {', '.join(LAYERS)}, received {layer!r}")
        with self._store.lock, self._store.guarded():
            isthing = {category.id: category.isthing for category in self.categories()}
            image, parts = self._image_row(image_id), self._projection.parts
            if self._remembered is None:
                self._remembered = {}
            return to_annotations(
                image,
                parts.rows(image, LAYERS[layer]),
                isthing,
                remembered=self._remembered.setdefault(layer, Remembered()),
                aliases=parts.aliases(),
                flags=self._store.execute(_FLAGS, k_image=image_id).fetchall() if image["flags"] else (),
                reviews=self._store.execute(_REVIEWS, k_image=image_id).fetchall() if image["reviews"] else (),
            )

    def image_page(
        self, where: ImageFilter = EVERY_IMAGE, *, after: int = -1, before: int | None = None, count: int = 100
    ) -> list[ProjectImage]:
        """The next images that pass a filter, in the order of the project.

        Parameters
        ----------
        where : ImageFilter
        after : int
            Place (`ProjectImage.position`) of the last image of the page before; -1 for the first page.
        before : int or None
            Only images at places before this one.
        count : int
            Most images to return.
        """
        last = 2**62 if before is None else before
        rows = self._store.rows(
            self._page_query(where), **self._values(where), k_after=after, k_before=last, k_count=count
        )
        return [self._to_image(row) for row in rows]

    def next_image(self, where: ImageFilter, *, after: int = -1) -> ProjectImage | None:
        """The first image behind a place that passes a filter, else the first one from the start; None without one."""
        found = self.image_page(where, after=after, count=1)
        if not found and after >= 0:
            found = self.image_page(where, before=after + 1, count=1)
        return found[0] if found else None

    def next_unlabelled(self, *, after: int = -1) -> ProjectImage | None:
        """The first image behind a place on which nothing was done, else the first one from the start."""
        return self.next_image(ImageFilter(state="unlabelled"), after=after)

    def count_images(self, where: ImageFilter = EVERY_IMAGE) -> int:
        """How many images pass a filter."""
        key = ("count", *where.shape)
        query = self._queries.get(key)
        if query is None:
            query = self._queries[key] = select(func.count()).select_from(images).where(*self._conditions(where))
        return int((self._store.first(query, **self._values(where)) or [0])[0])

    def counts(self) -> dict[str, int]:
        """Images by state and by what they need, and what is annotated on all of them together.

        Counted once and kept up to date from then on, so that it may be asked for after every answer.
        """
        if self._totals is None:
            self._totals = Totals(self._store)
        return self._totals.read()

    def image_places(self, where: ImageFilter = EVERY_IMAGE) -> NDArray[np.int64]:
        """Places (`ProjectImage.position`) of all images that pass a filter, ascending."""
        if where == EVERY_IMAGE:  # places are numbered without gaps
            return np.arange(self.image_count(), dtype=np.int64)
        key = ("places", *where.shape)
        query = self._queries.get(key)
        if query is None:  # one text from SQLite: a hundred thousand rows of one number would take ten times as long
            query = select(func.coalesce(func.group_concat(images.c.position), "")).where(*self._conditions(where))
            self._queries[key] = query
        found = str((self._store.first(query, **self._values(where)) or [""])[0])
        places = np.fromstring(found, dtype=np.int64, sep=",") if found else np.empty(0, dtype=np.int64)
        places.sort()
        return places

    def image_ids(self, where: ImageFilter = EVERY_IMAGE) -> list[int]:
        """Ids of all images that pass a filter, in the order of the project."""
        key = ("ids", *where.shape)
        query = self._queries.get(key)
        if query is None:
            query = self._queries[key] = select(images.c.id).where(*self._conditions(where)).order_by(images.c.position)
        return [int(row[0]) for row in self._store.rows(query, **self._values(where))]

    def images_at(self, places: Iterable[int]) -> list[ProjectImage]:
        """The images at these places, in the order of the project."""
        rows = self._store.rows(_AT_PLACES, k_places=orjson.dumps([int(place) for place in places]).decode())
        return [self._to_image(row) for row in rows]

    def passes(self, image: ProjectImage, where: ImageFilter) -> bool:
        """Whether an image, as it is now, passes a filter."""
        return where == EVERY_IMAGE or bool(
            self.image_page(where, after=image.position - 1, before=image.position + 1, count=1)
        )

    # image sets -------------------------------------------------------------------------------------------------

    def image_sets(self) -> list[ImageSet]:
        """The named selections of images with their protocols."""
        sizes = dict(map(tuple, self._store.rows(_PER_SET)))
        return [
            ImageSet(row["id"], row["name"], row["protocol"], orjson.loads(row["options"]), sizes.get(row["id"], 0))
            for row in self._store.rows(_SETS)
        ]

    def set_protocol(self, name: str, protocol: str, image_ids: Iterable[int] | None = None, **options: Any) -> Event:
        """Say how a selection of images is annotated, as one event.

        Parameters
        ----------
        name : of the image set; a new one is made, one that exists gets the protocol
        protocol : "single_point", "multi_point", "box_points" or "mask"
        image_ids : images that belong to the set from now on; None changes the protocol only
        **options
            Arguments of the protocol, such as `points_per_target`.

        Raises
        ------
        InputError
            If the protocol or an option of it is not known, or an image is not there.
        """
        make_protocol(protocol, {**self._protocol_settings(), **options})
        payload: dict[str, Any] = {"name": name, "protocol": protocol, "options": options}
        if image_ids is not None:
            payload["image_ids"] = list(dict.fromkeys(image_ids))
        return self.record("image_set", payload)

    def protocol_of(self, image_id: int) -> Protocol | None:
        """The protocol that the image's set is annotated by; None where nothing was said."""
        row = self._store.first(_SET_OF, k_id=image_id)
        if row is None:
            return None
        return make_protocol(row["protocol"], {**self._protocol_settings(), **orjson.loads(row["options"])})

    def _protocol_settings(self) -> dict[str, Any]:
        """Settings of the project that a protocol may use."""
        return {name: self._settings[name] for name in ("points_per_box", "seed") if name in self._settings}

    # where the pictures are -------------------------------------------------------------------------------------

    def relocate(self, images: Path | str, *, progress: scan.Progress | None = None) -> list[str]:
        """Say where the pictures are now.

        Parameters
        ----------
        images : folder of the pictures
        progress : told how many of how many were looked for; what it raises keeps the old place

        Returns
        -------
        list of str
            One sentence for each picture that is not there, or is another one than before.

        Raises
        ------
        InputError
            If the folder is missing or holds none of the pictures; then the old place is kept.
        """
        folder = Path(images)
        problems = scan.find_again(folder, self._store.rows(_PAGE, k_start=0, k_count=-1), progress)
        values = {
            "images": scan.relative_folder(folder, self.path),
            "images_absolute": folder.resolve().as_posix(),
            "skipped": problems,
        }
        self.record("images_relocated", {"from": str(self.images_folder), "to": values["images_absolute"]})
        with self._store.transaction():
            opening.set_settings(self._store, values)
        self._settings.update(values)
        self._set_folder()
        self.skipped[:] = problems
        return problems

    # within -----------------------------------------------------------------------------------------------------

    def _page_query(self, where: ImageFilter) -> Select[Any]:
        """The statement of a page; built once for each shape of a filter."""
        found = self._queries.get(where.shape)
        if found is None:
            found = (
                select(images)
                .where(
                    and_(
                        images.c.position > bindparam("k_after"),
                        images.c.position < bindparam("k_before"),
                        *self._conditions(where),
                    )
                )
                .order_by(images.c.position)
                .limit(bindparam("k_count"))
            )
            self._queries[where.shape] = found
        return found

    @staticmethod
    def _conditions(where: ImageFilter) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if where.state is not None:
            found.append(images.c.state == bindparam("k_state"))
        columns = {"flagged": images.c.flags, "disagreement": images.c.disagreements}
        if where.attention is not None:
            column = columns[where.attention] if where.attention in columns else images.c[where.attention]
            found.append(column > 0)
        if where.text:
            found.append(func.instr(func.lower(images.c.file_name), bindparam("k_text")) > 0)
        if where.image_set != "":
            found.append(images.c.image_set == bindparam("k_set"))
        if where.second_pass is not None:
            found.append(images.c.second == bindparam("k_second"))
        return found

    def _values(self, where: ImageFilter) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if where.state is not None:
            values["k_state"] = STATES[where.state]
        if where.text:
            values["k_text"] = where.text.translate(_AS_SQLITE_LOWERS)
        if where.image_set != "":
            values["k_set"] = 0 if where.image_set is None else self._set_number(where.image_set)
        if where.second_pass is not None:
            values["k_second"] = CHOSEN if where.second_pass == "chosen" else SECOND_DONE
        return values

    def _set_number(self, name: str) -> int:
        rows = self._store.rows(_SETS)
        found = next((row["id"] for row in rows if row["name"] == name), None)
        if found is None:
            known = ", ".join(row["name"] for row in rows) or "none yet"
            raise InputError(f"filter, image_set: {name!r} is not among the image sets of the project ({known})")
        return int(found)

    def _to_image(self, row: AnyRow) -> ProjectImage:
        things, stuff = row["complete_things"], row["complete_stuff"]
        return ProjectImage(
            **{name: row[name] for name in _SAME},
            path=self._folder / row["file_name"],
            complete_things=None if things is None else bool(things),
            complete_stuff=None if stuff is None else bool(stuff),
            state=_STATE_NAMES[row["state"]],
            second_pass=_SECOND_NAMES[row["second"]],
        )


_SAME = (
    *("id", "uid", "file_name", "height", "width", "sha256", "position", "clicks", "boxes", "answers"),
    *("flags", "unsure", "fast", "later", "disagreements", "skipped", "image_set"),
)
"""Columns of `images` that a `ProjectImage` has under the same name."""

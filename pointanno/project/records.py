"""What a project hands out: immutable records, no table and no connection in sight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from pointanno.dataset import Box, MaskLabel


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal.

    Attributes
    ----------
    seq : int
        Position in the journal, from 1.
    uuid : str
        32 hexadecimal digits.
    session : int or None
        Number of the session that wrote it.
    t_mono_ns : int
        Nanoseconds of the monotonic clock at the input itself; comparable within one session only.
    t_wall : int
        Nanoseconds since 1970, UTC, when it was written down.
    image_id : int or None
        None where the event concerns no single image.
    timing : mapping or None
        Further time stamps of the input (frame swap, time stamp of the toolkit, ...).
    """

    seq: int
    uuid: str
    session: int | None
    t_mono_ns: int
    t_wall: int
    kind: str
    image_id: int | None
    payload: Mapping[str, Any]
    source: str
    timing: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image of the project with the counters of what is annotated on it."""

    id: int
    uid: str
    file_name: str
    path: Path
    height: int
    width: int
    sha256: str | None
    clicks: int
    boxes: int
    answers: int
    complete_things: bool | None
    complete_stuff: bool | None
    position: int
    """0-based place in the order of the project."""
    state: str = "unlabelled"
    """"unlabelled", "in_progress", "complete" or "skipped"."""
    flags: int = 0
    """Flags on the image and its objects."""
    unsure: int = 0
    """Answers that say unsure and were not reviewed."""
    fast: int = 0
    """Answers given in less than 150 ms and not reviewed."""
    later: int = 0
    """Reviews that were put off."""
    disagreements: int = 0
    """Differences between the first and the second opinion."""
    second_pass: str | None = None
    """None, "chosen" for a second opinion, or "done"."""
    skipped: str | None = None
    """Why the image is left out, None if it is not."""
    image_set: int = 0
    """Number of its image set, 0 for the rest."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width)."""
        return (self.height, self.width)


@dataclass(frozen=True, slots=True)
class Click:
    """A point that was clicked without a box.

    `x` and `y` are pixel indices; `instance` is 0 for stuff; `session` and `annotator` are numbers of the project.
    """

    uid: str
    category_id: int
    isthing: bool
    x: int
    y: int
    instance: int
    time_ms: int | None
    source: str
    session: int | None
    annotator: int | None
    status: str = "object"
    """"object" unless it came from a file that says otherwise: "background", "unsure", "skip" or "pad"."""
    linked_uid: str | None = None
    """The box of the same object, if both exist."""
    closed: bool = False
    """Whether its target was declared done."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxAnnotation:
    """A box with its points and what was answered about them.

    Attributes
    ----------
    point_coords : (N, 2) int32
        Pixel indices (x, y).
    answers : N of {"object", "background", "unsure", "skip", None}
        None where nothing was answered yet.
    times_ms : N of int or None
    resample : int
        How often the points of this box were drawn anew.
    """

    uid: str
    category_id: int
    box: Box
    point_coords: NDArray[np.int32]
    answers: tuple[str | None, ...]
    times_ms: tuple[int | None, ...]
    point_seed: int | None
    source: str | None
    box_time_ms: int | None
    box_drag_ms: int | None
    resample: int = 0
    sampler: str | None = None
    iscrowd: bool = False
    mask: MaskLabel | None = None
    session: int | None = None
    annotator: int | None = None
    extreme_points: tuple[tuple[int, int], ...] = ()
    """Pixels (x, y) on the top, left, bottom and right edge, if the box was made by clicking them."""
    copy_of: str | None = None
    """The box of which this one is asked about a second time."""

    @property
    def next_point(self) -> int | None:
        """Index of the first point without an answer, None if there is none."""
        return next((index for index, answer in enumerate(self.answers) if answer is None), None)


@dataclass(frozen=True, slots=True)
class Extreme:
    """A click on an extreme point of an object whose box is not there yet."""

    x: int
    y: int
    time_ms: int | None
    category_id: int


@dataclass(frozen=True, slots=True)
class Flag:
    """Somebody wants this looked at again; `uid` is "" for the whole image."""

    uid: str
    reason: str
    session: int | None
    annotator: int | None


@dataclass(frozen=True, slots=True)
class Review:
    """A second look at a point, a click or a box.

    Attributes
    ----------
    point : int or None
        Index of the point of a box, None for the whole object.
    verdict : "confirm", "change", "delete" or "later"
    value : mapping
        What holds now: `value` of an answer, `category_id`, `x`, `y`.
    original : mapping or None
        What held before, None where nothing changed.
    superseded_by : int
        Number of the event that made the record.
    """

    uid: str
    point: int | None
    verdict: str
    value: Mapping[str, Any]
    original: Mapping[str, Any] | None
    reason: str | None
    time_ms: int | None
    session: int | None
    annotator: int | None
    superseded_by: int


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnnotations:
    """Everything annotated on one image, in the order in which it was made."""

    image_id: int
    clicks: tuple[Click, ...] = ()
    boxes: tuple[BoxAnnotation, ...] = ()
    complete: Mapping[str, bool] | None = None
    """{"things": bool, "stuff": bool}, None if never declared."""
    absent_category_ids: tuple[int, ...] = ()
    extremes: tuple[Extreme, ...] = ()
    """Extreme points clicked so far of a box that is not there yet."""
    flags: tuple[Flag, ...] = ()
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought in, and one sentence for each thing that it had to leave out."""

    event: Event
    images: int
    boxes: int
    clicks: int
    categories: int
    skipped: tuple[str, ...] = field(default=())

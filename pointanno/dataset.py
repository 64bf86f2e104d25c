"""The records that every room shares: immutable, in numpy terms, free of any file format.

Boxes are XYXY in continuous coordinates, points are integer pixel indices (x, y): see `pointanno.coords`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OBJECT, BACKGROUND, IGNORED = 1, 0, -1
"""Values of a point label: on the object, beside it, not to be used."""

ANSWERED, UNANSWERED_STATUSES = "ok", frozenset({"skip", "unsure", "pad"})
"""Status of a point: answered, or one of those whose label is `IGNORED`."""


@lru_cache(maxsize=1024, typed=True)
def repeated(value: Any, count: int) -> tuple[Any, ...]:
    """A tuple of one value; equal ones are one object, because a large data set holds millions of them."""
    return (value,) * count


@dataclass(frozen=True, slots=True)
class Category:
    """A class of the data set; `isthing` tells countable objects from amorphous regions."""

    id: int
    name: str
    isthing: bool
    supercategory: str = ""
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by name; `extra` keeps the keys of its COCO entry that have no field here."""

    id: int
    file_name: str
    height: int
    width: int
    sha256: str | None = None
    complete: Mapping[str, bool] | None = None
    """{"things": bool, "stuff": bool} as the annotator declared it, None if never declared."""
    absent_category_ids: tuple[int, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    flag: str | None = None
    """Why the image is to be looked at again, None if it is not flagged."""
    skipped: str | None = None
    """Why the image was left out, None if it was not."""


@dataclass(frozen=True, slots=True)
class Box:
    """XYXY, continuous coordinates, x1 > x0 and y1 > y0."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """Width times height in square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1)."""
        return (self.x0, self.y0, self.x1, self.y1)

    @property
    def xywh(self) -> tuple[float, float, float, float]:
        """(x0, y0, width, height), as COCO writes it."""
        return (self.x0, self.y0, self.x1 - self.x0, self.y1 - self.y0)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """P points of one object or region, as parallel arrays.

    Attributes
    ----------
    coords : (P, 2) int32
        Pixel indices (x, y).
    labels : (P,) int8
        `OBJECT`, `BACKGROUND` or `IGNORED`; `IGNORED` exactly where the status is skip, unsure or pad.
    status : P of {"ok", "unsure", "skip", "pad"}
    times_ms : P of int or None
        Milliseconds of the answer or click, None if unknown.
    annotator, session : P of int or None
        Index into the data set's annotators and sessions.
    source : P of str
        "random", "click", "simulated", "imported", "suggested", ...
    """

    coords: NDArray[np.int32]
    labels: NDArray[np.int8]
    status: tuple[str, ...]
    times_ms: tuple[int | None, ...]
    annotator: tuple[int | None, ...]
    session: tuple[int | None, ...]
    source: tuple[str, ...]

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.coords.shape != (count, 2):
            raise ValueError(f"coords must have shape ({count}, 2), but got {self.coords.shape}")
        for name in ("status", "times_ms", "annotator", "session", "source"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"{name} must have {count} entries, but got {len(getattr(self, name))}")

    def __len__(self) -> int:
        return len(self.labels)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Points):
            return NotImplemented
        return (
            np.array_equal(self.coords, other.coords)
            and np.array_equal(self.labels, other.labels)
            and (self.status, self.times_ms, self.annotator, self.session, self.source)
            == (other.status, other.times_ms, other.annotator, other.session, other.source)
        )

    @classmethod
    def answered(
        cls,
        coords: NDArray[Any],
        labels: NDArray[Any],
        *,
        source: str,
        annotator: int | None = None,
        session: int | None = None,
    ) -> Points:
        """Points without times whose status follows from the labels: -1 is "unsure", all others "ok"."""
        labels = np.asarray(labels, dtype=np.int8)
        count = len(labels)
        return cls(
            coords=np.asarray(coords, dtype=np.int32).reshape(count, 2),
            labels=labels,
            status=(
                tuple("unsure" if label == IGNORED else ANSWERED for label in labels.tolist())
                if IGNORED in labels
                else repeated(ANSWERED, count)
            ),
            times_ms=repeated(None, count),
            annotator=repeated(annotator, count),
            session=repeated(session, count),
            source=repeated(source, count),
        )


PSEUDO_LABEL, DOUBTFUL_PSEUDO_LABEL = "pseudo_label", "doubtful_pseudo_label"
"""Origins of masks that a network drew: one that agrees with the answers, and one that nobody should learn from."""


@dataclass(frozen=True, slots=True)
class MaskLabel:
    """A mask with its origin: "painted", "accepted_prediction", "ground_truth", "imported", or a pseudo-label.

    `rle` is a compressed COCO run-length code ``{"size": [h, w], "counts": str}``.
    """

    rle: Mapping[str, Any]
    source: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One object with a box: an entry of `annotations` in COCO-point JSON."""

    id: int
    image_id: int
    category_id: int
    box: Box
    points: Points
    iscrowd: bool = False
    area: float | None = None
    """Area of the mask if there is one, else None: the writer then uses the area of the box."""
    mask: MaskLabel | None = None
    point_seed: int | None = None
    box_time_ms: int | None = None
    box_drag_ms: int | None = None
    box_annotator: int | None = None
    box_session: int | None = None
    box_source: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """What was clicked without a box: a thing instance or a stuff class; an entry of `point_annotations`."""

    id: int
    image_id: int
    category_id: int
    isthing: bool
    instance: int
    """Same number = same object of the image; 0 for stuff."""
    points: Points
    linked_annotation_id: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PointDataset:
    """Everything that a COCO-point file holds, resolved; `events` is the raw log, if it travels along."""

    images: tuple[Image, ...]
    categories: tuple[Category, ...]
    instances: tuple[Instance, ...] = ()
    targets: tuple[Target, ...] = ()
    points_per_instance: int | None = None
    exhaustive_things: bool | None = None
    annotators: tuple[Mapping[str, Any], ...] = ()
    sessions: tuple[Mapping[str, Any], ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    licenses: tuple[Mapping[str, Any], ...] = ()


def is_complete(image: Image, dataset: PointDataset) -> bool:
    """Whether everything in a picture is clicked: things, and stuff where the data set has stuff classes.

    What the file says about all of its pictures counts where a picture itself says nothing. A picture that was left
    out is not complete.
    """
    if image.skipped is not None:
        return False
    if image.complete is None:
        return bool(dataset.exhaustive_things)
    has_stuff = not all(category.isthing for category in dataset.categories)
    return bool(image.complete.get("things")) and (not has_stuff or bool(image.complete.get("stuff")))


PROVENANCES: Mapping[str, str] = {
    **dict.fromkeys(("drag", "extreme", "click", "random", "painted", "polygon", "manual"), "manual"),
    **dict.fromkeys(("accepted_prediction", "suggested+accepted"), "suggested+accepted"),
    **dict.fromkeys(("edited_prediction", "suggested+edited"), "suggested+edited"),
    "imported": "imported",
}
"""Origin of a box, click or mask, to who made it: a person, a model and a person, a file."""


def provenance_of(instance: Instance) -> str | None:
    """How a label came about, as its mask or else its box says; None if that is not known."""
    source = instance.box_source if instance.mask is None else instance.mask.source
    return PROVENANCES.get(source or "")


@dataclass(frozen=True, slots=True, eq=False)
class InstancePrediction:
    """What an instance segmenter says about one image, best first.

    Attributes
    ----------
    boxes : (N, 4) float32
        XYXY, continuous, in pixels of the original image.
    scores : (N,) float32 in [0, 1]
    category_ids : (N,) int64
        Ids as in the data set, not contiguous ones.
    rles : N compressed COCO run-length codes of the original image's size
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    category_ids: NDArray[np.int64]
    rles: tuple[Mapping[str, Any], ...]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True, eq=False)
class PanopticPrediction:
    """What a panoptic segmenter says about one image.

    Attributes
    ----------
    panoptic_seg : (H, W) int32
        Segment ids; 0 is void.
    segments_info : list of dict
        `id`, `category_id`, `isthing`, `area`, and `score` where there is one.
    """

    panoptic_seg: NDArray[np.int32]
    segments_info: tuple[Mapping[str, Any], ...]


Prediction = InstancePrediction | PanopticPrediction

"""What an event of each kind must carry, and the sentence that says what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pointanno.errors import InputError

Uid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Milliseconds = Annotated[int, Field(ge=0, lt=2**31)]
Coordinate = Annotated[int, Field(ge=0, lt=2**31)]
Pixel = tuple[Coordinate, Coordinate]
Color = tuple[
    Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)]
]
Answer = Literal["object", "background", "unsure", "skip"]
Layer = Literal["main", "second"]
Provenance = Literal["manual", "suggested+accepted", "suggested+edited", "imported"]
Verdict = Literal["confirm", "change", "delete", "later"]
Reason = Annotated[str, Field(max_length=1000)]
ImageIds = list[int]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Suggestible(_Payload):
    """What a person made or took over; `suggested_by` names the run and checkpoint that proposed it."""

    layer: Layer | None = None
    provenance: Provenance | None = None
    suggested_by: str | None = None


class ClickPayload(_Suggestible):
    """`instance` is given by the project (a fresh number) unless a click belongs to an object that has one."""

    uid: Uid
    category_id: int
    x: Coordinate
    y: Coordinate
    time_ms: Milliseconds | None = None
    instance: Annotated[int, Field(ge=1)] | None = None


class _WithBox(_Payload):
    uid: Uid
    point_coords: list[Pixel]
    point_seed: int | None = None
    sampler: str | None = None


class BoxPayload(_WithBox, _Suggestible):
    """`extreme_points` are pixels on the top, left, bottom and right edge; `copy_of` is asked about a second time."""

    extreme_points: Annotated[list[Pixel], Field(min_length=4, max_length=4)] | None = None
    extreme_times_ms: Annotated[list[Milliseconds | None], Field(min_length=4, max_length=4)] | None = None
    copy_of: Uid | None = None
    category_id: int
    box: tuple[float, float, float, float]
    time_ms: Milliseconds | None = None
    drag_ms: Milliseconds | None = None

    @model_validator(mode="after")
    def _has_extent(self) -> BoxPayload:
        x0, y0, x1, y1 = self.box
        if not (x1 > x0 and y1 > y0):
            raise ValueError("box must be x0, y0, x1, y1 with x1 > x0 and y1 > y0")
        return self


class ResamplePayload(_WithBox):
    pass


class AnswerPayload(_Payload):
    uid: Uid
    point: Annotated[int, Field(ge=0)]
    value: Answer
    time_ms: Milliseconds | None = None


class MovePayload(_Payload):
    uid: Uid
    x: Coordinate
    y: Coordinate


class ExtremePayload(_Payload):
    x: Coordinate
    y: Coordinate
    category_id: int
    time_ms: Milliseconds | None = None


class EmptyPayload(_Payload):
    pass


class SkipBoxPayload(_Payload):
    uid: Uid
    reason: Reason | None = None


class TargetDonePayload(_Payload):
    """`uid` is that of any click of the target."""

    uid: Uid
    done: bool


class ReclassPayload(_Payload):
    """`whole_target` takes the other clicks of the same target along."""

    uid: Uid
    category_id: int
    whole_target: bool | None = None


class DeletePayload(_Payload):
    uid: Uid
    whole_target: bool | None = None


class FlagPayload(_Payload):
    """Without a uid the whole image is meant."""

    flagged: bool
    reason: Reason | None = None
    uid: Uid | None = None


class SkipImagePayload(_Payload):
    skipped: bool
    reason: Reason | None = None


class ReviewPayload(_Payload):
    """`point` is the index of a point of a box; without it the whole click or box is meant."""

    uid: Uid
    verdict: Verdict
    point: Annotated[int, Field(ge=0)] | None = None
    value: Answer | None = None
    category_id: int | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    reason: Reason | None = None
    time_ms: Milliseconds | None = None


class CompletePayload(_Payload):
    things: bool
    stuff: bool


class AbsentPayload(_Payload):
    category_id: int
    absent: bool


class CategoryAddedPayload(_Payload):
    id: Annotated[int, Field(ge=0)]
    name: Annotated[str, Field(min_length=1)]
    isthing: bool
    supercategory: str = ""
    color: Color | None = None


class CategoryChangedPayload(_Payload):
    """A digit of -1 stands for none."""

    digit: Annotated[int, Field(ge=-1, le=9)] | None = None
    id: int
    name: Annotated[str, Field(min_length=1)] | None = None
    isthing: bool | None = None
    color: Color | None = None


class CategoriesReorderedPayload(_Payload):
    ids: list[int]


class CategoriesMergedPayload(_Payload):
    source: int
    target: int


class CategoryDeletedPayload(_Payload):
    id: int
    with_annotations: bool | None = None


class MaskPayload(_Suggestible):
    """With `category_id` and a new uid the mask is an object of its own; else it is the mask of a box.

    `clicks` are those that mark the same new object.
    """

    uid: Uid
    rle: dict[str, Any] | None
    clicks: list[Uid] | None = None
    source: Annotated[str, Field(min_length=1)] | None = None
    category_id: int | None = None
    time_ms: Milliseconds | None = None


class ImageSetPayload(_Payload):
    """`options` are arguments of the protocol; images that are named leave the set where they were."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    protocol: Annotated[str, Field(min_length=1)]
    options: dict[str, Any] = Field(default_factory=dict)
    image_ids: ImageIds | None = None


class SecondPassPayload(_Payload):
    share: Annotated[float, Field(ge=0, le=1)]
    seed: int
    image_ids: ImageIds
    released_ids: ImageIds = Field(default_factory=list)


class SecondDonePayload(_Payload):
    done: bool


ANNOTATING: Mapping[str, type[_Payload]] = {
    "click": ClickPayload,
    "box": BoxPayload,
    "resample": ResamplePayload,
    "answer": AnswerPayload,
    "move": MovePayload,
    "reclass": ReclassPayload,
    "delete": DeletePayload,
    "complete": CompletePayload,
    "absent": AbsentPayload,
    "mask": MaskPayload,
    "category_added": CategoryAddedPayload,
    "category_changed": CategoryChangedPayload,
    "categories_reordered": CategoriesReorderedPayload,
    "categories_merged": CategoriesMergedPayload,
    "category_deleted": CategoryDeletedPayload,
    "target_done": TargetDonePayload,
    "extreme": ExtremePayload,
    "extreme_cancelled": EmptyPayload,
    "skip_box": SkipBoxPayload,
    "flag": FlagPayload,
    "skip_image": SkipImagePayload,
    "review": ReviewPayload,
    "image_set": ImageSetPayload,
    "second_pass": SecondPassPayload,
    "second_done": SecondDonePayload,
}
"""Kinds that `Project.record` accepts and that change the state; all of them can be undone."""

WITHOUT_IMAGE = frozenset(
    "category_added category_changed categories_reordered categories_merged category_deleted image_set second_pass "
    "import".split()
)
"""Undoable kinds that concern the whole project."""

RAW_KINDS = frozenset(
    """
    session_start session_end clock_anchor images_relocated
    image_load_start image_shown item_shown point_shown
    press release drag_start drag_cancelled drag_ignored box_commit class_set mode_set keys_set tool_armed select
    skip done key
    pause resume focus_lost focus_gained dialog_open dialog_close idle_start idle_end suspend ui_stall
    wheel pan pointer study_plan study_start study_end block_start
    preview_visible preview_hidden suggestion_shown suggestion_accepted suggestion_rejected
    """.split()
)
"""Kinds that are only written down, with any payload: the raw material of the timing report."""


def plain(value: Any) -> Any:
    """The same value without numpy types and tuples, as JSON knows them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def checked(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload in plain types, if an event of this kind may carry it.

    Raises
    ------
    InputError
        Naming kind and field.
    """
    if kind in RAW_KINDS:
        return dict(plain(payload))
    if kind not in ANNOTATING:
        raise InputError(
            f"event: kind {kind!r} is not known, expected one of {', '.join(sorted({*ANNOTATING, *RAW_KINDS}))}"
        )
    try:
        values = ANNOTATING[kind].model_validate(plain(payload)).model_dump(mode="json", exclude_none=True)
        return values | ({"rle": None} if kind == "mask" and "rle" not in values else {})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "payload"
        received = "" if first["type"] == "missing" else f", received {first['input']!r}"
        raise InputError(f"{kind}, {field}: {first['msg'].removeprefix('Value error, ')}{received}") from None

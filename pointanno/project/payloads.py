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


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ClickPayload(_Payload):
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


class BoxPayload(_WithBox):
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


class ReclassPayload(_Payload):
    uid: Uid
    category_id: int


class DeletePayload(_Payload):
    uid: Uid


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
    id: int
    name: Annotated[str, Field(min_length=1)] | None = None
    isthing: bool | None = None
    color: Color | None = None


class MaskPayload(_Payload):
    uid: Uid
    rle: dict[str, Any] | None
    source: str | None = None


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
}
"""Kinds that `Project.record` accepts and that change the state; all of them can be undone."""

WITHOUT_IMAGE = frozenset({"category_added", "category_changed", "import"})
"""Undoable kinds that concern the whole project."""

RAW_KINDS = frozenset(
    """
    session_start session_end clock_anchor images_relocated
    image_load_start image_shown item_shown point_shown
    press release drag_start drag_cancelled drag_ignored box_commit class_set mode_set tool_armed select skip done key
    pause resume focus_lost focus_gained dialog_open dialog_close idle_start idle_end suspend ui_stall
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
        return ANNOTATING[kind].model_validate(plain(payload)).model_dump(mode="json", exclude_none=kind != "mask")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "payload"
        received = "" if first["type"] == "missing" else f", received {first['input']!r}"
        raise InputError(f"{kind}, {field}: {first['msg'].removeprefix('Value error, ')}{received}") from None

"""What a protocol may ask a person to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Step = tuple[str, dict[str, Any]]
"""Kind and payload of an event, ready for `Project.record` (the caller adds `time_ms`)."""


@dataclass(frozen=True, slots=True)
class AskClick:
    """Click one more object or region; `placed` are there already."""

    placed: int


@dataclass(frozen=True, slots=True)
class AskBox:
    """Draw a box around one more object; `drawn` are there already."""

    drawn: int


@dataclass(frozen=True, slots=True)
class AskPoint:
    """Say whether pixel (x, y) lies on the object of a box: point `index` (from 0) of `total`."""

    box_uid: str
    index: int
    total: int
    x: int
    y: int
    category_id: int


@dataclass(frozen=True, slots=True)
class AskExtreme:
    """Click one more extreme point of an object; `placed` of `total` are there."""

    placed: int
    total: int = 4


@dataclass(frozen=True, slots=True)
class AskTarget:
    """Click once more inside of a target: `placed` of `total` clicks are there.

    `uid` is that of a click of the target, None for a target that is still to be chosen.
    """

    uid: str | None
    category_id: int | None
    instance: int
    placed: int
    total: int
    targets: int
    """Targets that are finished."""


@dataclass(frozen=True, slots=True)
class AskMask:
    """Paint, draw or accept the mask of one more object; `drawn` have one."""

    drawn: int


Question = AskClick | AskBox | AskPoint | AskExtreme | AskTarget | AskMask

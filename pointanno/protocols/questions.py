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


Question = AskClick | AskBox | AskPoint

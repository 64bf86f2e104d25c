"""How numbers of a report are worded: not finer than they are known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS_IN_WORDS = {
    "point": "answers", "box": "boxes", "click": "clicks", "stroke": "strokes", "object": "objects", "image": "images",
}  # fmt: skip


def seconds(value: float | None, scale: float = 1.0) -> str:
    """Seconds to a hundredth; `scale` 1000 for milliseconds."""
    if value is None or not math.isfinite(value):
        return "-"
    value /= scale
    return f"{value:.2f} s" if abs(value) < 100 else f"{value:.0f} s"


def span(row: Mapping[str, Any], name: str, scale: float = 1.0, digits: int = 2) -> str:
    """The interval of an estimate of a table."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if low is None or high is None:
        return "-"
    return f"{low / scale:.{digits}f} to {high / scale:.{digits}f}"


def duration(value: float | None) -> str:
    """Seconds as hours, minutes and seconds."""
    if value is None or not math.isfinite(value):
        return "-"
    whole = round(value)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    if whole >= 60:
        return f"{minutes} min {whole % 60:02d} s"
    return f"{value:.1f} s" if value else "0 s"

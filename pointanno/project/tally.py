"""What the counters of an image count, from the bytes of its boxes and the columns of its clicks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pointanno.project import packing
from pointanno.project.layers import (
    COMPLETE,
    IN_PROGRESS,
    MAIN,
    SECOND,
    SECOND_DONE,
    SKIPPED,
    UNLABELLED,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

FAST_MS = 150
"""An answer that took less was given without looking."""

WHOLE = -1
"""Number of a "point" that stands for the whole click or box."""

_NO_ANSWER = (packing.UNANSWERED, packing.CODES["pad"])


class Tally(NamedTuple):
    """Contribution of one object to the counters of its image."""

    answers: int = 0
    unsure: int = 0
    fast: int = 0


def tally_box(row: Mapping[str, Any], reviewed: Collection[int] = ()) -> Tally:
    """Counts of a box; points that were reviewed need no more attention.

    Parameters
    ----------
    row : of `boxes`
    reviewed : indices of points with a review
    """
    labels = row["labels"]
    unsure_code = packing.CODES["unsure"]
    answers = len(labels) - labels.count(packing.UNANSWERED) - labels.count(packing.CODES["pad"])
    unsure = labels.count(unsure_code)
    fast = 0
    if row["times"]:
        times = np.frombuffer(row["times"], dtype="<i4")
        quick = np.flatnonzero((times >= 0) & (times < FAST_MS)).tolist()
        fast = sum(labels[index] not in _NO_ANSWER and index not in reviewed for index in quick)
    if reviewed and unsure:
        unsure -= sum(index < len(labels) and labels[index] == unsure_code for index in reviewed if index != WHOLE)
    return Tally(answers, unsure, fast)


def tally_click(row: Mapping[str, Any], is_reviewed: bool = False) -> Tally:
    """Counts of a click."""
    if is_reviewed:
        return Tally()
    unsure = int(row["code"] == packing.CODES["unsure"])
    return Tally(0, unsure, int(row["time_ms"] is not None and row["time_ms"] < FAST_MS))


def state_of(image: Mapping[str, Any]) -> int:
    """State of an image from its other columns.

    Complete is what was declared so for things or stuff, and not denied for the other kind.
    """
    if image["skipped"] is not None:
        return SKIPPED
    declared = [image[name] for name in ("complete_things", "complete_stuff") if image[name] is not None]
    if any(declared) and all(declared):
        return COMPLETE
    touched = image["clicks"] or image["boxes"] or image["absent"] != "[]" or image["pending"] or any(declared)
    return IN_PROGRESS if touched else UNLABELLED


def count_disagreements(clicks: Iterable[Mapping[str, Any]], boxes: Iterable[Mapping[str, Any]], second: int) -> int:
    """How often a second opinion differs from the first.

    Points of copied boxes count one each where both sides answered and differ; copies of known answers do not, since
    whoever is asked about them shall not see the result in the list of images. Once the second pass of the image is
    declared done, so does every click of a class that one side has more of.
    """
    by_uid = {row["uid"]: row for row in boxes}
    found = 0
    for row in by_uid.values():
        original = by_uid.get(row["copy_of"]) if row["layer"] == SECOND else None
        if original is not None and original["layer"] == MAIN:
            found += sum(
                one != other and one not in _NO_ANSWER and other not in _NO_ANSWER
                for one, other in zip(row["labels"], original["labels"], strict=False)
            )
    if second == SECOND_DONE:
        difference: Counter[int] = Counter()
        for row in clicks:
            difference[row["category_id"]] += {MAIN: 1, SECOND: -1}.get(row["layer"], 0)
        found += sum(map(abs, difference.values()))
    return found

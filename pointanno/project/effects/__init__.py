"""What an event of each kind does to the tables: one function a kind, grouped by what it is about.

Each gets the `Change` of its event, checks that the event fits the state and writes. Applying the same event to the
same state always does the same: redo, rebuild and merging rest on that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.project.effects import boxes, classes, clicks, facts, masks, reviews, selections

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pointanno.project.changes import Change

HANDLERS: Mapping[str, Callable[[Change], None]] = {
    "click": clicks.click,
    "move": clicks.move,
    "target_done": clicks.target_done,
    "box": boxes.box,
    "resample": boxes.resample,
    "answer": boxes.answer,
    "skip_box": boxes.skip_box,
    "extreme": boxes.extreme,
    "extreme_cancelled": boxes.extreme_cancelled,
    "mask": masks.mask,
    "reclass": clicks.reclass,
    "delete": clicks.delete,
    "complete": facts.complete,
    "absent": facts.absent,
    "flag": facts.flag,
    "skip_image": facts.skip_image,
    "review": reviews.review,
    "category_added": classes.category_added,
    "category_changed": classes.category_changed,
    "categories_reordered": classes.categories_reordered,
    "categories_merged": classes.categories_merged,
    "category_deleted": classes.category_deleted,
    "image_set": selections.image_set,
    "second_pass": selections.second_pass,
    "second_done": selections.second_done,
}
"""Effect of each kind of event that changes the state."""

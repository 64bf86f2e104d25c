"""How much is annotated as a class, and in words what becomes of it when the list of classes changes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import bindparam, func, select

from pointanno.project.layers import MAIN
from pointanno.project.parts import resolve_absent
from pointanno.project.schema import boxes, clicks, images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointanno.dataset import Category
    from pointanno.project.parts import PartReader
    from pointanno.project.store import Store

_CLICKS = (
    select(clicks.c.layer, clicks.c.image_id, func.count())
    .where(clicks.c.category_id == bindparam("k_category"))
    .group_by(clicks.c.layer, clicks.c.image_id)
)
_BOXES = (
    select(
        boxes.c.layer,
        boxes.c.image_id,
        func.count(),
        func.count(boxes.c.mask),
        func.sum(boxes.c.source.is_distinct_from("mask")),
    )
    .where(boxes.c.category_id == bindparam("k_category"))
    .group_by(boxes.c.layer, boxes.c.image_id)
)
_ABSENT = select(images.c.absent).where(images.c.absent != "[]")


@dataclass(frozen=True, slots=True)
class CategoryUse:
    """How much is annotated as a class, on how many images.

    Attributes
    ----------
    images, clicks, boxes, masks : int
        Of what counts. A box around a mask is counted as a box and as a mask.
    drawn : int
        Boxes that are more than the frame of a mask, second opinions included.
    others : int
        Clicks and boxes that do not count: second opinions, known answers, what a review took out.
    absences : int
        Images that were declared to show nothing of the class.
    """

    images: int = 0
    clicks: int = 0
    boxes: int = 0
    masks: int = 0
    drawn: int = 0
    others: int = 0
    absences: int = 0

    @property
    def is_used(self) -> bool:
        """Whether anything is annotated as this class, in whatever layer."""
        return bool(self.clicks or self.boxes or self.others)

    def in_words(self, name: str = "") -> str:
        """What counts: "34 clicks, 2 boxes and 1 mask of car on 12 images"."""
        parts = [(self.clicks, "click"), (self.boxes - self.masks, "box"), (self.masks, "mask")]
        words = [counted(number, one) for number, one in parts if number]
        if not words:
            return "nothing"
        what = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
        return f"{what}{f' of {name}' if name else ''} on {counted(self.images, 'image')}"


def counted(number: int, one: str) -> str:
    """A number with its noun: "1 click", "1,200 boxes"."""
    ending = "" if number == 1 else "es" if one.endswith("x") else "s"
    return f"{number:,} {one}{ending}"


def use_of(store: Store, parts: PartReader, category_id: int, closure: set[int]) -> CategoryUse:
    """What is annotated as a class.

    Parameters
    ----------
    store : Store
        Its lock is held.
    parts : PartReader
    category_id : int
    closure : set of int
        The class and all that were merged into it.
    """
    seen: set[int] = set()
    sums = {field.name: 0 for field in fields(CategoryUse)}

    def add(layer: int, image_id: int, **more: int) -> None:
        sums["drawn"] += more.pop("drawn", 0)
        if layer == MAIN:
            seen.add(image_id)
            for name, number in more.items():
                sums[name] += number
        else:
            sums["others"] += more.get("clicks", 0) + more.get("boxes", 0)

    for one in closure:
        for layer, image_id, number in store.execute(_CLICKS, k_category=one).fetchall():
            add(layer, image_id, clicks=number)
        for layer, image_id, number, masks, drawn in store.execute(_BOXES, k_category=one).fetchall():
            add(layer, image_id, boxes=number, masks=masks, drawn=drawn)
    wanted = list(closure)
    for counts in parts.packed_counts():
        for image_id, _, layer, number, around, masks, drawn in counts[np.isin(counts[:, 1], wanted)].tolist():
            add(layer, image_id, clicks=number, boxes=around, masks=masks, drawn=drawn)
    aliases = parts.aliases()
    sums["absences"] = sum(category_id in found for found in _absences(store, aliases))
    return CategoryUse(**{**sums, "images": len(seen)})


def absences_after_merge(store: Store, aliases: Mapping[int, int | None], source: int, target: int) -> int:
    """Images that would still show nothing of a class after another one was merged into it."""
    merged = {old: target if new == source else new for old, new in aliases.items()} | {source: target}
    return sum(target in found for found in _absences(store, merged))


def _absences(store: Store, aliases: Mapping[int, int | None]) -> list[tuple[int, ...]]:
    """Absent classes of each image that has any; many images share one text."""
    known: dict[str, tuple[int, ...]] = {}
    found = []
    for (text,) in store.execute(_ABSENT).fetchall():
        if text not in known:
            known[text] = resolve_absent(text, aliases)
        found.append(known[text])
    return found


def describe_kind_change(category: Category, use: CategoryUse, *, isthing: bool) -> str:
    """What making a class thing or stuff would do, in one or two sentences."""
    name = category.name
    if category.isthing == isthing:
        return f"{name} is {'a thing' if isthing else 'stuff'} already; nothing changes."
    if not isthing and use.drawn:
        return (
            f"{name} has {counted(use.drawn, 'drawn box')}, and only things have boxes: delete them or give them "
            "another class first."
        )
    if not use.is_used:
        return f"Nothing is annotated as {name} yet, so only its kind changes."
    masks = f" The {counted(use.masks, 'mask')} of {name} {'stays' if use.masks == 1 else 'stay'}." if use.masks else ""
    if not use.clicks:
        return masks.strip() or f"Only the kind of {name} changes."
    if isthing:
        if use.clicks == 1:
            return f"The one click on {name} becomes an object; turning it back undoes that.{masks}"
        return (
            f"Each of the {use.clicks:,} clicks on {name} becomes an object of its own; "
            f"turning it back joins them again.{masks}"
        )
    if use.clicks == 1:
        return f"The one click on {name} becomes a click on a region; turning it back undoes that.{masks}"
    return (
        f"The {use.clicks:,} clicks on {name} become clicks on one region an image; the numbers of their "
        f"objects are kept, so turning it back parts them again.{masks}"
    )


def describe_merge(source: Category, target: Category, use: CategoryUse, lost: int) -> str:
    """What merging one class into another would do.

    Parameters
    ----------
    source, target : Category
    use : CategoryUse
        Of `source`.
    lost : int
        Images that were declared to show nothing of either class, but would not be of the merged one.
    """
    if use.is_used:
        is_one = use.clicks + use.boxes + use.others == 1
        verb = "counts" if is_one else "count"
        what = f"{_all_words(use, source.name)} {verb} as {target.name} from then on, and {source.name} goes."
    else:
        what = f"Nothing is annotated as {source.name}, so only its name goes."
    if lost:
        what += (
            f' {counted(lost, "declaration")} "none here" no longer hold{"s" if lost == 1 else ""}: an image lacks '
            f"{target.name} only if it was said of both."
        )
    return f"{what} Undo parts them again."


def describe_deletion(category: Category, use: CategoryUse) -> str:
    """What deleting a class would do."""
    absences = ""
    if use.absences:
        absences = f'{counted(use.absences, "declaration")} "no {category.name} here"'
    if use.is_used:
        what = f"{_all_words(use, category.name)} would be deleted{f', with {absences}' if absences else ''}."
    elif absences:
        what = f"Nothing is annotated as {category.name}, but {absences} would go with it."
    else:
        what = f"Nothing is annotated as {category.name}."
    return f"{what} Undo brings all of it back."


def _all_words(use: CategoryUse, name: str) -> str:
    """What counts, and what does not."""
    words = use.in_words(name) if use.clicks or use.boxes else ""
    if not use.others:
        return words
    others = f"{counted(use.others, 'object')} that do not count (second opinions, known answers)"
    return f"{words} and {others}" if words else others

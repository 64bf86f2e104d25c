"""The classes of a project: adding, changing, ordering, digits, merging, deleting, and what that would mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project.core import ProjectCore, category_payload
from pointanno.project.layers import MAIN
from pointanno.project.schema import categories, category_aliases, images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.project.records import Event

_USED_IDS = select(categories.c.id).union(select(category_aliases.c.old))
_DIGITS = select(categories.c.id, categories.c.digit).where(categories.c.digit.is_not(None))
_IMAGES = select(images).where((images.c.clicks > 0) | (images.c.boxes > 0))


@dataclass(frozen=True, slots=True)
class CategoryUse:
    """How much is annotated as a class, on how many images."""

    images: int
    clicks: int
    boxes: int
    masks: int

    @property
    def is_used(self) -> bool:
        """Whether anything is."""
        return bool(self.clicks or self.boxes)


class ClassList(ProjectCore):
    """Changes of the list of classes; each is one event, and can be undone."""

    def add_category(self, name: str, *, isthing: bool, color: tuple[int, int, int] | None = None) -> Category:
        """Add a class under the next id that was never used."""
        used = [row[0] for row in self._store.rows(_USED_IDS)]
        new = Category(id=max(used, default=0) + 1, name=name, isthing=isthing, color=color)
        self.record("category_added", category_payload(new))
        return self._category(new.id)

    def change_category(
        self,
        category_id: int,
        *,
        name: str | None = None,
        isthing: bool | None = None,
        color: tuple[int, int, int] | None = None,
        digit: int | None = None,
    ) -> Category:
        """Change what is given. Clicks keep their numbers, so a class may turn from thing to stuff and back.

        A digit is taken from the class that has it; -1 takes it away.
        """
        values = {"id": category_id, "name": name, "isthing": isthing, "color": color, "digit": digit}
        self.record("category_changed", {key: value for key, value in values.items() if value is not None})
        return self._category(category_id)

    def reorder_categories(self, category_ids: Sequence[int]) -> list[Category]:
        """Put the classes in another order; `category_ids` names each of them once."""
        self.record("categories_reordered", {"ids": list(category_ids)})
        return self.categories()

    def merge_categories(self, source: int, target: int) -> Event:
        """Make everything that is annotated as one class count as another; the first class is gone."""
        return self.record("categories_merged", {"source": source, "target": target})

    def delete_category(self, category_id: int, *, annotations: Literal["refuse", "delete"] = "refuse") -> Event:
        """Delete a class.

        Parameters
        ----------
        category_id : int
        annotations : "refuse" or "delete"
            What becomes of its annotations: the deletion is refused while there are any, or they go with it.

        Raises
        ------
        InputError
            If something is annotated as this class and may not be deleted.
        """
        return self.record("category_deleted", {"id": category_id, "with_annotations": annotations == "delete"})

    def category_use(self, category_id: int) -> CategoryUse:
        """What is annotated as a class; asks every image that has any annotation."""
        counts = {"images": 0, "clicks": 0, "boxes": 0, "masks": 0}
        with self._store.lock, self._store.guarded():
            for image in self._store.execute(_IMAGES).fetchall():
                rows = self._projection.parts.rows(image, MAIN)
                clicks = sum(row["category_id"] == category_id for row in rows["clicks"])
                boxes = [row for row in rows["boxes"] if row["category_id"] == category_id]
                counts["images"] += bool(clicks or boxes)
                counts["clicks"] += clicks
                counts["boxes"] += len(boxes)
                counts["masks"] += sum(row["mask"] is not None for row in boxes)
        return CategoryUse(**counts)

    def describe_kind_change(self, category_id: int, *, isthing: bool) -> str:
        """What making a class thing or stuff would do to its annotations, in one sentence for the person."""
        category, use = self._category(category_id), self.category_use(category_id)
        if category.isthing == isthing:
            return f"{category.name} is {'a thing' if isthing else 'stuff'} already; nothing changes."
        if isthing:
            return (
                f"Each of the {use.clicks} clicks on {category.name} becomes an object of its own; "
                "turning it back joins them again."
            )
        drawn = use.boxes - use.masks
        if drawn:
            return (
                f"{category.name} has {drawn} drawn boxes, and only things have boxes: delete them or give them "
                "another class first."
            )
        return (
            f"The {use.clicks} clicks on {category.name} become clicks on one region an image; the numbers of their "
            "objects are kept, so turning it back parts them again."
        )

    def digits(self) -> dict[int, int]:
        """Digit (1 to 9, then 0) to the id of the class that it picks: those that were set, then the rest in order."""
        chosen = {row["digit"]: row["id"] for row in self._store.rows(_DIGITS)}
        rest = [one.id for one in self.categories() if one.id not in chosen.values()]
        free = [digit for digit in (*range(1, 10), 0) if digit not in chosen]
        return chosen | dict(zip(free, rest, strict=False))

    def _category(self, category_id: int) -> Category:
        found = next((one for one in self.categories() if one.id == category_id), None)
        if found is None:
            known = ", ".join(str(one.id) for one in self.categories()) or "none yet"
            raise InputError(f"category_id: {category_id} is not among the classes of the project ({known})")
        return found

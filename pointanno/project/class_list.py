"""The classes of a project: adding, changing, ordering, digits, merging, deleting, and what that would mean."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project import class_use
from pointanno.project.class_file import read_class_file
from pointanno.project.core import ProjectCore, category_payload
from pointanno.project.palette import next_color
from pointanno.project.parts import closure_of
from pointanno.project.schema import categories, category_aliases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pointanno.project.class_use import CategoryUse
    from pointanno.project.records import Event

_USED_IDS = select(categories.c.id).union(select(category_aliases.c.old))
_DIGITS = select(categories.c.id, categories.c.digit).where(categories.c.digit.is_not(None))


class ClassList(ProjectCore):
    """Changes of the list of classes; each is one event, and can be undone."""

    def check_class_name(self, name: str, *, own_id: int | None = None) -> str:
        """The name without blanks around it, if a class may be called so.

        Parameters
        ----------
        name : str
        own_id : int or None
            The class that is to get it, None for a new one.

        Raises
        ------
        InputError
            If nothing of it can be seen, or another class has it, be it with other capitals.
        """
        tidy = unicodedata.normalize("NFC", " ".join(name.split()))
        if not any(letter.isprintable() and letter != " " for letter in tidy):
            raise InputError(f"class name: expected at least one letter, received {name!r}. Type a name")
        for other in self.categories():
            if other.id == own_id or _plain(other.name) != _plain(tidy):
                continue
            if other.name == tidy:
                raise InputError(f"class name: the project already has a class {tidy!r}. Choose another name")
            raise InputError(
                f"class name: the project already has a class {other.name!r}, and {tidy!r} differs from it by capitals "
                "only. Choose another name"
            )
        return tidy

    def add_category(self, name: str, *, isthing: bool, color: tuple[int, int, int] | None = None) -> Category:
        """Add a class under the next id that was never used, in the next colour that no class has."""
        used = [row[0] for row in self._store.rows(_USED_IDS)]
        taken = {one.color for one in self.categories() if one.color is not None}
        new = Category(
            id=max(used, default=0) + 1,
            name=self.check_class_name(name),
            isthing=isthing,
            color=color or next_color(taken),
        )
        self.record("category_added", category_payload(new))
        return self._category(new.id)

    def add_classes_of(self, path: str | Path) -> tuple[list[Category], list[str]]:
        """Add the classes that a file names and the project lacks, as one step to undo.

        Parameters
        ----------
        path : file for `pointanno.project.class_file.read_class_file`

        Returns
        -------
        tuple of list of Category, list of str
            Those added, and names that are in the project already.

        Raises
        ------
        InputError
            If the file cannot be read, or names nothing; then nothing was added.
        """
        from pointanno.dataset import PointDataset

        known = {_plain(one.name) for one in self.categories()}
        taken = {one.color for one in self.categories() if one.color is not None}
        new, there = [], []
        for one in read_class_file(path):
            if _plain(one.name) in known:
                there.append(one.name)
                continue
            known.add(_plain(one.name))
            color = one.color or next_color(taken)
            taken.add(color)
            kind = "thing" if one.isthing else "stuff"
            new.append(Category(one.id, unicodedata.normalize("NFC", one.name), one.isthing, kind, color))
        if new:
            before = {one.id for one in self.categories()}
            self.import_dataset(PointDataset(images=(), categories=tuple(new)), file=str(path))
            new = [one for one in self.categories() if one.id not in before]
        return new, there

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
        if name is not None:
            name = self.check_class_name(name, own_id=category_id)
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
        """What is annotated as a class."""
        with self._store.lock, self._store.guarded():
            parts = self._projection.parts
            return class_use.use_of(self._store, parts, category_id, closure_of(category_id, parts.aliases()))

    def describe_kind_change(self, category_id: int, *, isthing: bool, use: CategoryUse | None = None) -> str:
        """What making a class thing or stuff would do to its annotations, in words for the person.

        `use` is given by who has counted already.
        """
        category = self._category(category_id)
        return class_use.describe_kind_change(category, use or self.category_use(category_id), isthing=isthing)

    def describe_merge(self, source: int, target: int) -> str:
        """What merging one class into another would do, in words for the person."""
        first, second = self._category(source), self._category(target)
        use, there = self.category_use(source), self.category_use(target)
        with self._store.lock, self._store.guarded():
            aliases = self._projection.parts.aliases()
            kept = class_use.absences_after_merge(self._store, aliases, source, target)
        return class_use.describe_merge(first, second, use, use.absences + there.absences - 2 * kept)

    def describe_deletion(self, category_id: int, *, use: CategoryUse | None = None) -> str:
        """What deleting a class together with its annotations would do, in words for the person."""
        return class_use.describe_deletion(self._category(category_id), use or self.category_use(category_id))

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


def _plain(name: str) -> str:
    """A name as a person tells it from others: capitals do not count."""
    return unicodedata.normalize("NFC", name).casefold()

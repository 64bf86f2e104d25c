"""Classes: which one is current, what gets it, what is absent, and changes of the list itself."""

from __future__ import annotations

from collections.abc import Callable

from napari_pointanno._controllers.desk import Desk
from pointanno.errors import InputError


class Classes:
    """Turns digits and the class list into events.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after something about classes is safe.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed

    def choose_by_digit(self, digit: int, at_ns: int) -> None:
        """Make the class of a digit current."""
        categories = self._desk.session.categories
        if 1 <= digit <= len(categories):
            self.choose(categories[digit - 1].id, at_ns)
        else:
            self._desk.hint(f"there is no class {digit}")

    def choose(self, category_id: int, at_ns: int) -> None:
        """Make a class current; what is selected, or a box not yet answered, gets it too."""
        session = self._desk.session
        uid = session.selected
        if uid is None and session.asked is not None:
            box = session.box(session.asked.box_uid)
            if box is not None and not any(box.answers):
                uid = box.uid
        current = session.click(uid) or session.box(uid)
        if (
            current is not None
            and current.category_id != category_id
            and self._desk.record("reclass", {"uid": uid, "category_id": category_id}, at_ns=at_ns) is None
        ):
            return
        session.category_id = category_id
        session.hint = ""
        self._desk.record("class_set", {"category_id": category_id}, at_ns=at_ns)
        self._on_changed()

    def toggle_absent(self, digit: int, at_ns: int) -> None:
        """Declare that the class of a digit does not occur on this image, or take that back."""
        session = self._desk.session
        if session.annotations is None or not 1 <= digit <= len(session.categories):
            return
        category = session.categories[digit - 1]
        absent = category.id not in session.annotations.absent_category_ids
        present = {item.category_id for item in session.annotations.clicks}
        present |= {item.category_id for item in session.annotations.boxes}
        if absent and category.id in present:
            self._desk.hint(f"{category.name} is annotated on this image, so it cannot be absent")
            return
        if self._desk.record("absent", {"category_id": category.id, "absent": absent}, at_ns=at_ns) is not None:
            session.hint = f"no {category.name} here" if absent else f"{category.name} may be here"
            self._on_changed()

    def add(self, name: str, isthing: bool) -> None:
        """A new class, which becomes the current one."""
        session = self._desk.session
        try:
            session.category_id = session.project.add_category(name, isthing=isthing).id
        except (InputError, OSError) as error:
            self._desk.view.notify(str(error))
        self._after_change()

    def change(
        self, category_id: int, *, color: tuple[int, int, int] | None = None, isthing: bool | None = None
    ) -> None:
        """Another colour or kind of a class."""
        try:
            self._desk.session.project.change_category(category_id, color=color, isthing=isthing)
        except (InputError, OSError) as error:
            self._desk.view.notify(str(error))
        self._after_change()

    def _after_change(self) -> None:
        self._desk.session.reload_categories()
        self._on_changed()

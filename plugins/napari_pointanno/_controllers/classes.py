"""Classes: which one is current, what gets it, and what is absent."""

from __future__ import annotations

from collections.abc import Callable

from napari_pointanno._controllers.desk import Desk
from napari_pointanno.keymap import Action


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
        category_id = self._desk.session.digits.get(digit)
        if category_id is None:
            self._desk.hint(f"no class has the key {digit}")
        else:
            self.choose(category_id, at_ns)

    def choose(self, category_id: int, at_ns: int) -> None:
        """Make a class current; what is selected, or a box not yet answered, gets it too."""
        session = self._desk.session
        uid = session.selected or self._desk.mode.reclassed()
        current = session.click(uid) or session.box(uid)
        session.hint = ""
        if uid is not None and current is not None and current.category_id != category_id:
            kind, payload = self._desk.mode.reclass_step(uid, category_id)
            if self._desk.record(kind, payload, at_ns=at_ns) is None:
                return
            name = next((one.name for one in session.categories if one.id == category_id), "")
            session.hint = f"it is {name} now;  {session.keymap.text(Action.UNDO)} takes that back"
        session.category_id = category_id
        self._desk.record("class_set", {"category_id": category_id}, at_ns=at_ns)
        self._on_changed()

    def toggle_absent(self, digit: int, at_ns: int) -> None:
        """Declare that the class of a digit does not occur on this image, or take that back."""
        session = self._desk.session
        category = next((one for one in session.categories if one.id == session.digits.get(digit)), None)
        if session.annotations is None:
            return
        if category is None:
            self._desk.hint(f"no class has the key {digit}")
            return
        absent = category.id not in session.annotations.absent_category_ids
        present = {item.category_id for item in session.annotations.clicks}
        present |= {item.category_id for item in session.annotations.boxes}
        if absent and category.id in present:
            self._desk.hint(f"{category.name} is annotated on this image, so it cannot be absent")
            return
        if self._desk.record("absent", {"category_id": category.id, "absent": absent}, at_ns=at_ns) is not None:
            session.hint = f"no {category.name} here" if absent else f"{category.name} may be here"
            self._on_changed()

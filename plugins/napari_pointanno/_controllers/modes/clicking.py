"""What the modes share in which a click is a point: select, move, take the time."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from napari_pointanno._controllers.modes.base import Mode
from napari_pointanno._controllers.pointing import window_stamp
from pointanno.coords import napari_to_index
from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_pointanno._models.session import Drag
    from napari_pointanno.keymap import PointerInput
    from pointanno.dataset import Category
    from pointanno.protocols import Step


class Clicking(Mode):
    """A click makes a point; a click on a point selects it, and the next one moves it."""

    @abstractmethod
    def steps(self, category: Category, x: int, y: int, selected: str | None) -> Sequence[Step]:
        """What the protocol makes of a click on a pixel; nothing if there is that point already.

        Raises
        ------
        InputError
            If the click cannot be taken.
        """

    def click(self, drag: Drag, pointer: PointerInput) -> None:
        """Make a point, or move the one that is selected."""
        session = self.session
        x, y = (int(n) for n in napari_to_index(drag.start_world))
        category = session.category
        if category is None:
            self._desk.hint("add a class first")
            return
        selected = session.selected if session.click(session.selected) is not None else None
        try:
            steps = self.steps(category, x, y, selected)
        except InputError as error:
            self._desk.hint(str(error))
            return
        if not steps:
            self._desk.hint(f"there is a point of {category.name} already")
            return
        timing = {"release_ns": pointer.at_ns, **(window_stamp(pointer) or {})}
        for kind, payload in steps:
            if kind == "click":
                payload = {**payload, "time_ms": session.watch.elapsed_ms(drag.at_ns)}
            if self._desk.record(kind, payload, at_ns=drag.at_ns, timing=timing) is None:
                return
            if kind == "click":
                self.clicked(str(payload["uid"]))
        session.watch.start(drag.at_ns)
        session.hint = "moved" if selected else ""
        session.selected = None
        self._on_changed()

    def clicked(self, uid: str) -> None:
        """A new click is safe."""

"""One click on every object, and clicks on regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_pointanno._controllers.modes.clicking import Clicking
from napari_pointanno._controllers.modes.taking_over import suggested_at
from napari_pointanno.keymap import Action
from pointanno.errors import InputError
from pointanno.protocols import Mask, SinglePoint, make_protocol
from pointanno.protocols.registry import SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_pointanno.keymap import KeyInput, PointerInput
    from pointanno.dataset import Category
    from pointanno.protocols import Step


class SinglePointMode(Clicking):
    """A click makes a point; a click on a point selects it, and the next one moves it."""

    name: ClassVar[str] = SinglePoint.name
    _pointer: tuple[float, float] | None = None

    def prompt(self) -> str:
        """Click every thing once, stuff anywhere."""
        category = self.session.category
        assert category is not None
        return f"Click every {category.name}, once" if category.isthing else f"Click on {category.name}, anywhere on it"

    def hovered(self, pointer: PointerInput) -> None:
        """The object under the pointer may be taken over."""
        self._pointer = self._desk.canvas.transform().to_picture(pointer.x, pointer.y)

    def forget_image(self) -> None:
        """The pointer is over another picture."""
        self._pointer = None

    def key(self, key: KeyInput) -> bool:
        """Take the suggested mask under the pointer over, with the clicks that it comes from."""
        if key.action is not Action.CONFIRM:
            return False
        session, annotations = self.session, self.session.annotations
        if annotations is None or not session.can_annotate:
            return False
        try:
            found = suggested_at(self._desk, self._pointer)
            kind, payload = self._masks().accept(
                annotations, found.category_id, found.rle, suggested_by=found.suggested_by, clicks=found.clicks
            )
        except InputError as error:
            self._desk.hint(str(error))
            return True
        if self._desk.record(kind, payload, at_ns=key.at_ns) is not None:
            session.hint = f"{self.class_name(found.category_id)}: mask taken over"
            self._on_changed()
        return True

    def _masks(self) -> Mask:
        settings = self.session.project.settings
        made = make_protocol(Mask.name, {name: settings[name] for name in SHARED if name in settings})
        assert isinstance(made, Mask)
        return made

    def steps(self, category: Category, x: int, y: int, selected: str | None) -> Sequence[Step]:
        """What the protocol makes of a click."""
        session = self.session
        assert session.annotations is not None
        return self.protocol_as(SinglePoint).press(
            session.annotations, category, x, y, session.image_size, selected=selected
        )

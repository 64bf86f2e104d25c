"""One click on every object, and clicks on regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_pointanno._controllers.modes.clicking import Clicking
from pointanno.protocols import SinglePoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.dataset import Category
    from pointanno.protocols import Step


class SinglePointMode(Clicking):
    """A click makes a point; a click on a point selects it, and the next one moves it."""

    name: ClassVar[str] = SinglePoint.name

    def prompt(self) -> str:
        """Click every thing once, stuff anywhere."""
        category = self.session.category
        assert category is not None
        return f"Click every {category.name}, once" if category.isthing else f"Click on {category.name}, anywhere on it"

    def steps(self, category: Category, x: int, y: int, selected: str | None) -> Sequence[Step]:
        """What the protocol makes of a click."""
        session = self.session
        assert session.annotations is not None
        return self.protocol_as(SinglePoint).press(
            session.annotations, category, x, y, session.image_size, selected=selected
        )

"""Which suggested object a person takes over: the one under the pointer, of what is to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_pointanno.keymap import Action
from pointanno.coords import napari_to_index
from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.predicted import Predicted, Predictions


def suggestions(desk: Desk) -> Predictions | None:
    """What suggests masks of the shown image: its clicks if their masks are to be seen, else a model's preview."""
    image = desk.session.image
    if image is None:
        return None
    sources: list[Predictions | None] = [desk.instant, desk.predictions]
    return next((source for source in sources if source is not None and source.shows(image.id)), None)


def suggested_at(desk: Desk, pointer: tuple[float, float] | None) -> Predicted:
    """The suggested object under the pointer.

    Parameters
    ----------
    desk : Desk
    pointer : (row, column) in napari's positions, None if it has not been over the canvas

    Raises
    ------
    InputError
        If there is none, in words for the person.
    """
    session, source = desk.session, suggestions(desk)
    keymap, image = session.keymap, session.image
    if source is None or image is None:
        raise InputError(
            f"no prediction is shown: {keymap.text(Action.PREVIEW)} shows a model's, "
            f"{keymap.text(Action.INSTANT)} masks from clicks"
        )
    if pointer is None:
        raise InputError("point at a predicted object first")
    x, y = (int(n) for n in napari_to_index(pointer))
    found = source.segment_at(image.id, x, y)
    if found is None:
        raise InputError("nothing is predicted under the pointer")
    if found.category_id not in [category.id for category in session.categories]:
        raise InputError(f"class {found.category_id} of the prediction is not among the classes of the project")
    return found

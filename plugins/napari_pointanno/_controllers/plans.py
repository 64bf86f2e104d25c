"""How images are annotated: by which protocol, for all of them, those that are listed, or a named set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_pointanno._models.plan import ALL, LISTED, PlanState
from napari_pointanno.keymap import Action
from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.plan import PlanWish
    from pointanno.project import Event


class Plans:
    """Shows the image sets of the project and changes them.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after the plan of images has changed: the mode follows, and the list of images is read anew.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed
        self._shown: PlanState | None = None

    def show(self) -> None:
        """Show what there is; costs nothing where it is shown already."""
        session = self._desk.session
        sets = tuple(session.project.image_sets())
        number = 0 if session.image is None else session.image.image_set
        current = next((one.name for one in sets if one.number == number), "")
        settings = session.project.settings
        defaults = {"points_per_box": settings["points_per_box"]}
        state = PlanState(sets, current, session.pages.matching, session.pages.total, defaults)
        if state != self._shown:
            self._shown = state
            self._desk.view.show_plan(state)

    def apply(self, wish: PlanWish) -> None:
        """Say how images are annotated, as one event."""
        session = self._desk.session
        project = session.project
        ids = None
        if wish.images == ALL:
            ids = project.image_ids()
        elif wish.images == LISTED:
            ids = project.image_ids(session.pages.where)
        try:
            if not wish.name:
                raise InputError("image set, name: expected a name for these images. Type one")
            event = project.set_protocol(wish.name, wish.protocol, ids, **wish.options)
        except (InputError, OSError) as error:
            self._desk.view.notify(str(error))
            return
        self.follow(event)
        count = next((one.images for one in project.image_sets() if one.name == wish.name), 0)
        undo = session.keymap.text(Action.UNDO)
        self._desk.hint(f"{wish.name}: {count:,} images;  {undo} takes that back")

    def follow(self, event: Event) -> None:
        """Go on as the sets say now; `event` changed them, or was undone or redone."""
        session = self._desk.session
        if event.kind == "image_set" and session.image is not None:
            session.image = session.project.image(session.image.id)
            session.planned = session.project.protocol_of(session.image.id)
            self._on_changed()
            self.show()

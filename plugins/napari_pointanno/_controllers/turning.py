"""Undo and redo: take a change back, or make it again, and go where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._controllers.images import Images
    from napari_pointanno._controllers.plans import Plans
    from pointanno.project import Event


class Turning:
    """Turns the journal of the project back and forth.

    Parameters
    ----------
    desk : Desk
    images : Images
    plans : Plans
    """

    def __init__(self, desk: Desk, images: Images, plans: Plans) -> None:
        self._desk = desk
        self._images = images
        self._plans = plans

    def undo(self, at_ns: int) -> None:
        """Take the newest change back and go where it was."""
        if self._may_turn("undo"):
            self._after_history(self._desk.recorder.undo(at_ns), "undone")

    def redo(self, at_ns: int) -> None:
        """Make again what was undone last and go where it is."""
        if self._may_turn("redo"):
            self._after_history(self._desk.recorder.redo(at_ns), "redone")

    def _may_turn(self, kind: str) -> bool:
        """Whether there is anything to undo or redo, in a study within its present part; says so, if not."""
        project, guide = self._desk.session.project, self._desk.guide
        if not (project.can_undo if kind == "undo" else project.can_redo):
            self._desk.hint(f"nothing to {kind}")
            return False
        if guide is not None and not guide.may_turn(project.next_turn(kind)):
            self._desk.hint(f"nothing to {kind} in this part of the study")
            return False
        return True

    def _after_history(self, event: Event | None, done: str) -> None:
        """Go where something was undone or redone and show it; None is a failure that was told already."""
        if event is None:
            return
        desk, session = self._desk, self._desk.session
        desk.mode.after_history(event)
        if event.image_id is not None:
            self._images.navigation.go_to_image(event.image_id)
        else:
            self._images.project_changed()
            self._plans.follow(event)
        session.reload_categories()
        session.hint = f"{done}: {event.kind.replace('_', ' ')}"
        desk.refresh()
        if desk.guide is not None:
            desk.guide.after_history(now_ns())

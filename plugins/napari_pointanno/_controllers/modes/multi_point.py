"""Several clicks inside of every object and on every region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from napari_pointanno._controllers.modes.base import WHITE
from napari_pointanno._controllers.modes.clicking import Clicking
from napari_pointanno.drawing import Cross, Sketch
from napari_pointanno.keymap import Action
from pointanno.coords import index_to_napari
from pointanno.protocols import MultiPoint, TargetProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.session import Drag
    from napari_pointanno.keymap import KeyInput, PointerInput
    from pointanno.dataset import Category
    from pointanno.project import Event
    from pointanno.protocols import AskPoint, Step


class MultiPointMode(Clicking):
    """Clicks go to the target that was clicked on last, until it has all of them or the person ends it.

    The target follows from the annotations, so a restart goes on with it. Only two choices are remembered here: an
    older target that the person went back to, and that the next click shall begin another one.
    """

    name: ClassVar[str] = MultiPoint.name

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        super().__init__(desk, on_changed)
        self._back_at: str | None = None
        """A click of an older target that the person goes on with."""
        self._apart = False
        """The next click on a thing begins another one."""
        self._ending: str | None = None
        """A click of the target that is complete with the first click on the next."""
        self._arrived = True

    def enter(self) -> None:
        """Go on with what is there."""
        self._forget()

    def forget_image(self) -> None:
        """What was chosen belongs to the image before."""
        self._forget()

    def after_history(self, event: Event) -> None:
        """Go on with what is there now."""
        self._forget()

    def _forget(self) -> None:
        self._back_at = self._ending = None
        self._apart, self._arrived = False, True

    # ------------------------------------------------------------------ the target

    def protocol(self) -> MultiPoint:
        """The state machine of this mode."""
        return self.protocol_as(MultiPoint)

    def target(self) -> TargetProgress | None:
        """Where the next click of the current class belongs; None if it begins a target."""
        annotations, category = self.session.annotations, self.session.category
        if annotations is None or category is None:
            return None
        targets = self.protocol().targets(annotations)
        back = _of_click(targets, self._back_at)
        if back is not None and back.category_id == category.id:
            return back
        if not category.isthing:
            return next((target for target in targets if target.category_id == category.id), None)
        if self._apart:
            return None
        last = self._last_thing(targets)
        return last if last is not None and last.category_id == category.id else None

    def _last_thing(self, targets: Sequence[TargetProgress]) -> TargetProgress | None:
        """The thing with the newest click of all, unless it is complete."""
        assert self.session.annotations is not None
        newest = next((click for click in reversed(self.session.annotations.clicks) if click.isthing), None)
        last = None if newest is None else _of_click(targets, newest.uid)
        return None if last is None or last.is_done else last

    def ask(self) -> AskPoint | None:
        """No point is asked; whoever comes to an image with an open thing goes on with its class."""
        annotations, category = self.session.annotations, self.session.category
        if self._arrived and annotations is not None and category is not None:
            self._arrived = False
            last = self._last_thing(self.protocol().targets(annotations)) if category.isthing else None
            if last is not None:
                self.session.category_id = last.category_id
        return None

    # ------------------------------------------------------------------ what is shown

    def prompt(self) -> str:
        """Click inside of one target, and how to get to the next."""
        category, target, keymap = self.session.category, self.target(), self.session.keymap
        assert category is not None
        total = self.protocol().points_per_target
        if target is None or target.placed == 0:
            where = f"inside a {category.name}" if category.isthing else f"on {category.name}"
            return f"Click {total} times {where}" if total > 1 else f"Click {where}"
        again = f"Click inside this {category.name} again" if category.isthing else f"Click on {category.name} again"
        if target.is_done:
            return f"{again}, or on another point of it to move that"
        another = f" · {keymap.text(Action.NEW_OBJECT)} another {category.name}" if category.isthing else ""
        return f"{again}   {keymap.text(Action.CONFIRM)} ends it{another}"

    def progress(self) -> str:
        """Clicks on the target, such as "7/20"."""
        target = self.target()
        return f"{0 if target is None else target.placed}/{self.protocol().points_per_target}"

    def sketch(self) -> Sketch:
        """The clicks of the target, and beside the last of them how many there are."""
        target = self.target()
        if target is None:
            return Sketch()
        crosses = []
        for number, click in enumerate(target.clicks, 1):
            row, column = index_to_napari((click.x, click.y)).tolist()
            crosses.append(Cross(row, column, WHITE, self.progress() if number == target.placed else ""))
        return Sketch(crosses=tuple(crosses))

    # ------------------------------------------------------------------ inputs

    def steps(self, category: Category, x: int, y: int, selected: str | None) -> Sequence[Step]:
        """What the protocol makes of a click."""
        session, protocol, target = self.session, self.protocol(), self.target()
        annotations = session.annotations
        assert annotations is not None
        if selected is not None:
            return protocol.press(annotations, category, x, y, session.image_size, selected=selected)
        if target is not None:
            return protocol.press(annotations, category, x, y, session.image_size, prefer=target.uid)
        steps: list[Step] = []
        ending = _of_click(protocol.targets(annotations), self._ending)
        if ending is not None and not ending.is_done:
            steps.append(protocol.finish_target(annotations, prefer=ending.uid))
        # targets that were left open long ago wait until somebody goes back to them
        waiting = replace(annotations, clicks=tuple(replace(click, closed=True) for click in annotations.clicks))
        return [*steps, *protocol.press(waiting, category, x, y, session.image_size)]

    def clicked(self, uid: str) -> None:
        """From here on the clicks belong to the target of this one."""
        category, target = self.session.category, self.target()
        if category is None or not category.isthing:
            return
        self._apart, self._ending = False, None
        if target is not None and target.placed + 1 == target.total:
            self._back_at = None  # that was its last one

    def click_on(self, uid: str, drag: Drag, pointer: PointerInput) -> bool:
        """Go on with the target of a click; a click of the present target is selected, to be moved."""
        session = self.session
        assert session.annotations is not None
        protocol, present = self.protocol(), self.target()
        found = _of_click(protocol.targets(session.annotations), uid)
        if session.selected is not None or found is None or (present is not None and _has(present, uid)):
            return False
        self._desk.record("select", {"uid": uid, "target": True}, at_ns=drag.at_ns)
        self._back_at, self._apart, self._ending = uid, False, None
        session.category_id = found.category_id
        name = self.class_name(found.category_id)
        session.hint = f"{name} {found.placed}/{found.total}: click inside it;  a click on one of its points moves that"
        self._on_changed()
        return True

    def key(self, key: KeyInput) -> bool:
        """End the target, or begin another thing."""
        if key.action is Action.CONFIRM:
            self._finish(key.at_ns)
        elif key.action is Action.NEW_OBJECT:
            self._begin_another()
        else:
            return False
        return True

    def _finish(self, at_ns: int) -> None:
        """The present target has enough clicks."""
        session, target = self.session, self.target()
        if target is None or session.annotations is None:
            self._desk.hint("no target is open: click on one first")
            return
        if not target.is_done:
            step = self.protocol().finish_target(session.annotations, prefer=target.uid)
            if self._desk.record(*step, at_ns=at_ns) is None:
                return
        self._back_at, session.selected = None, None
        name = self.class_name(target.category_id)
        session.hint = f"{name} done with {target.placed} of {target.total} clicks"
        self._on_changed()

    def _begin_another(self) -> None:
        category, target = self.session.category, self.target()
        if category is None or not category.isthing:
            name = "stuff" if category is None else category.name
            self._desk.hint(f"{name} is stuff: all clicks on it count as one region")
            return
        self._ending = target.uid if target is not None and not target.is_done else self._ending
        self._back_at, self._apart, self.session.selected = None, True, None
        self.session.hint = f"the next click begins another {category.name}"
        self._on_changed()

    def cancel(self, at_ns: int) -> bool:
        """Leave the target without ending it; after "another one" go on with the one before."""
        if self._apart and self._ending is not None:
            self._apart, self._ending = False, None
            self.session.hint = "the target goes on"
        elif self._back_at is not None or (not self._apart and self.target() is not None):
            self._back_at, self._apart = None, True
            self.session.hint = "target left as it is; click on one of its points to go on"
        else:
            return False
        self._on_changed()
        return True

    def to_delete(self) -> str | None:
        """The whole present target."""
        target = self.target()
        return None if target is None else target.uid

    def delete_step(self, uid: str, *, pointed: bool) -> Step:
        """One click if the person pointed at it, else the whole target."""
        return super().delete_step(uid, pointed=pointed) if pointed else self.protocol().delete_target(uid)

    def reclassed(self) -> str | None:
        """The thing that is clicked on, or the target that the person went back to."""
        category, target = self.session.category, self.target()
        if target is None or category is None:
            return None
        return target.uid if category.isthing or self._back_at is not None else None

    def reclass_step(self, uid: str, category_id: int) -> Step:
        """The clicks of a target have one class."""
        return self.protocol().reclass_target(uid, category_id)


def _of_click(targets: Sequence[TargetProgress], uid: str | None) -> TargetProgress | None:
    return next((target for target in targets if _has(target, uid)), None)


def _has(target: TargetProgress, uid: str | None) -> bool:
    return any(click.uid == uid for click in target.clicks)

"""From the state of a sitting and its mode to what is seen on the overlay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_pointanno._controllers.modes.base import WHITE, dots_of, frame_of
from napari_pointanno.drawing import Dot, Drawing, Frame
from napari_pointanno.keymap import Action
from pointanno.coords import index_to_napari

if TYPE_CHECKING:
    from napari_pointanno._controllers.modes.base import Mode
    from napari_pointanno._models.session import Session


def prompt(session: Session, mode: Mode) -> str:
    """What is to be done, in words, for the dock and the head of the canvas."""
    if session.page is not None:
        return f"{session.page.title}: read the page over the picture"
    if session.image is None:
        return "Open or create a project"
    if not session.readable:
        on = session.keymap.text(Action.DONE if session.is_led else Action.NEXT)
        return f"This picture cannot be read. {on} goes on"
    if session.obstacle:
        return session.obstacle
    if session.category is None:
        return "Add a class first"
    return mode.prompt()


def compose(session: Session, mode: Mode) -> Drawing:
    """Everything that the overlay shows."""
    if session.page is not None:
        return Drawing(page=session.page)
    headline = "" if session.asked is not None else prompt(session, mode)
    if session.obstacle:
        return Drawing(headline=headline, hint=session.hint, key_sheet=session.key_sheet, paused=session.paused)
    frames: list[Frame] = []
    dots: tuple[Dot, ...] = ()
    for uid in session.fresh.boxes:
        fresh = session.box(uid)
        if fresh is not None:
            frames.append(frame_of(fresh, session.colors.get(fresh.category_id, WHITE)))
            dots += dots_of(fresh)
    sketch = mode.sketch()
    question = sketch.question
    if question is not None and not session.look.near_point:
        headline, question = question.text, replace(question, text="")
    frames += sketch.frames
    selected = None
    click = session.click(session.selected)
    if click is not None:
        row, column = index_to_napari((click.x, click.y)).tolist()
        selected = (row, column)
    box = session.box(session.selected)
    if box is not None and session.asked is None:
        frames.append(frame_of(box, WHITE))
    return Drawing(
        question=question,
        dots=(*dots, *sketch.dots),
        frames=tuple(frames),
        paths=sketch.paths,
        discs=sketch.discs,
        crosses=sketch.crosses,
        selected=selected,
        headline=headline,
        hint=session.hint,
        key_sheet=session.key_sheet,
        paused=session.paused,
        fresh=session.fresh.points,
    )

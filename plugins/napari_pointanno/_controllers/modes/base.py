"""What every way of annotating offers, and what those share that ask about points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from napari_pointanno.drawing import Dot, Frame, Sketch
from pointanno.coords import box_to_napari_corners, index_to_napari
from pointanno.protocols import make_protocol
from pointanno.protocols.registry import SHARED

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.session import Drag, Session
    from napari_pointanno._models.tools import Tool
    from napari_pointanno.keymap import KeyInput, PointerInput
    from napari_pointanno.palette import Color
    from pointanno.project import BoxAnnotation, Event, ImageAnnotations
    from pointanno.protocols import AskPoint, Step

WHITE: Color = (255, 255, 255)

P = TypeVar("P")


class Mode(ABC):
    """A way of annotating.

    It keeps no annotations, only what may be lost at any moment: a stroke that goes on, a box that the person left.
    The order of calls: `enter` when the person chooses it, `forget_image` whenever another image is shown,
    `leave` before another mode begins or the session ends.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        To be called after an event is safe: reads the annotations again, asks and draws anew.
    """

    name: ClassVar[str]
    """As in `pointanno.protocols.PROTOCOLS`, where it is one of them."""

    follows_plan: ClassVar[bool] = True
    """Whether an image whose set asks for another way of annotating ends this one."""

    is_blind: ClassVar[bool] = False
    """Whether nothing may be seen of what other people annotated."""

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed

    @property
    def session(self) -> Session:
        """The state of the sitting."""
        return self._desk.session

    # ------------------------------------------------------------------ life

    def enter(self) -> None:  # noqa: B027
        """The person has chosen this mode."""

    def leave(self) -> None:  # noqa: B027
        """Another mode begins, or the session ends: drop what is not finished, leave nothing on the canvas."""

    def forget_image(self) -> None:  # noqa: B027
        """Another image is shown: drop what belongs to the one before."""

    def after_history(self, event: Event) -> None:  # noqa: B027
        """An event was undone or redone."""

    # ------------------------------------------------------------------ what is asked and shown

    def read(self, image_id: int) -> ImageAnnotations:
        """The annotations that this mode shows and changes."""
        return self.session.lens(self.session.project.annotations(image_id))

    def ask(self) -> AskPoint | None:
        """The point to ask about now; called after annotations were read and only where one can annotate."""
        return None

    @abstractmethod
    def prompt(self) -> str:
        """What is to be done, in words; only called with an image that can be annotated and a class."""

    def progress(self) -> str:
        """How far the current object is, such as "4/10"; "" for nothing."""
        return ""

    def sketch(self) -> Sketch:
        """What the overlay shows for this mode."""
        return Sketch()

    def focus(self) -> tuple[float, float, float, float] | None:
        """The part of the picture to look at, XYXY; None leaves the camera to the person."""
        asked = self.session.asked
        box = None if asked is None else self.session.box(asked.box_uid)
        return None if box is None else box.box.xyxy

    def open_object(self) -> str | None:
        """Uid of the object that the overlay draws, so that the layers leave it out."""
        return None if self.session.asked is None else self.session.asked.box_uid

    def skipped(self) -> None:
        """The box that was asked about was left out."""
        self._on_changed()

    # ------------------------------------------------------------------ inputs

    @property
    def drags(self) -> bool:
        """Whether moving with the button down means something now; otherwise such a press is ignored."""
        return False

    @property
    def busy(self) -> str:
        """Why a press means nothing now, in words; "" if it does."""
        return ""

    @abstractmethod
    def click(self, drag: Drag, pointer: PointerInput) -> None:
        """The button went down and up at one place, where nothing else was hit."""

    def drag_started(self, drag: Drag) -> None:  # noqa: B027
        """The button went down; only if `drags`."""

    def drag_moved(self, drag: Drag) -> None:
        """The pointer moved with the button down; only if `drags`."""
        self._desk.redraw()

    def drag_finished(self, drag: Drag, pointer: PointerInput) -> None:  # noqa: B027
        """The button went up; only if `drags`, also where the pointer hardly moved."""

    def hovered(self, pointer: PointerInput) -> None:  # noqa: B027
        """The pointer moved with no button down."""

    def key(self, key: KeyInput) -> bool:
        """Take a key; False leaves it to the session."""
        return False

    def done(self, at_ns: int) -> bool:
        """The person is done with the image; False lets it be declared complete."""
        return False

    def unfinished(self) -> str:
        """Why the person cannot be done with the image yet, in words; "" if nothing is half done."""
        return ""

    def cancel(self, at_ns: int) -> bool:
        """Escape: drop or leave what goes on, never delete; False if there was nothing."""
        return False

    def click_on(self, uid: str, drag: Drag, pointer: PointerInput) -> bool:
        """The button went down and up on a point that is there; False leaves it to the session, which selects it."""
        return False

    def to_delete(self) -> str | None:
        """What Delete means if nothing is selected or under the pointer."""
        return None

    def reclassed(self) -> str | None:
        """The object that gets the class a person picks now, if nothing is selected."""
        return None

    def delete_step(self, uid: str, *, pointed: bool) -> Step:
        """The event that deletes an object; `pointed` tells that the person chose it, not the mode."""
        return "delete", {"uid": uid}

    def reclass_step(self, uid: str, category_id: int) -> Step:
        """The event that gives an object another class."""
        return "reclass", {"uid": uid, "category_id": category_id}

    # ------------------------------------------------------------------ tools in the dock

    def tools(self) -> tuple[Tool, ...]:
        """Buttons that the dock shows for this mode, in their present state."""
        return ()

    def use_tool(self, name: str, at_ns: int) -> None:  # noqa: B027
        """A button of `tools` was pressed."""

    # ------------------------------------------------------------------ shared

    def protocol_as(self, kind: type[P]) -> P:
        """The protocol of this mode: with the options of the image's set, else the project's settings."""
        planned = self.session.planned
        if isinstance(planned, kind):
            return planned
        settings = self.session.project.settings
        made = make_protocol(self.name, {name: settings[name] for name in SHARED if name in settings})
        assert isinstance(made, kind)
        return made

    def class_name(self, category_id: int) -> str:
        """Name of a class."""
        return next((one.name for one in self.session.categories if one.id == category_id), "object")

    def color(self, category_id: int | None) -> Color:
        """Colour of a class."""
        return self.session.colors.get(category_id or 0, WHITE)


def dots_of(box: BoxAnnotation) -> tuple[Dot, ...]:
    """The answered points of a box."""
    return tuple(
        dot_at(point, value) for point, value in zip(box.point_coords, box.answers, strict=True) if value is not None
    )


def dot_at(point: Any, value: str) -> Dot:
    """An answered point (x, y) in napari positions."""
    row, column = index_to_napari(point).tolist()
    return Dot(row, column, value)


def frame_of(box: BoxAnnotation, color: Color) -> Frame:
    """A box's outline in napari positions."""
    corners = box_to_napari_corners(box.box.xyxy).tolist()
    return Frame((corners[0][0], corners[0][1]), (corners[2][0], corners[2][1]), color)

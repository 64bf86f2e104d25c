"""The state of one sitting at one project, and what of it is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_pointanno._models.stopwatch import Stopwatch
from napari_pointanno.drawing import Dot, Drawing, Frame, Fresh, Question
from napari_pointanno.palette import Color, category_colors
from pointanno.coords import box_to_napari_corners, index_to_napari
from pointanno.protocols import AskPoint, BoxPoints, SinglePoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_pointanno._models.image_pages import ImagePages
    from pointanno.dataset import Category
    from pointanno.project import BoxAnnotation, Click, ImageAnnotations, Project, ProjectImage

SINGLE_POINT, BOX_POINTS = "single_point", "box_points"

HIT_RADIUS = 6.0
"""Canvas pixels within which a click means an existing point."""

DRAG_THRESHOLD = 4.0
"""Canvas pixels of movement beyond which a press is no click."""


@dataclass(frozen=True, slots=True)
class Drag:
    """A press that goes on; canvas pixels and napari (row, column)."""

    start_canvas: tuple[float, float]
    start_world: tuple[float, float]
    at_ns: int
    now_canvas: tuple[float, float]
    now_world: tuple[float, float]

    @property
    def distance(self) -> float:
        """Canvas pixels between press and pointer."""
        return float(np.hypot(*np.subtract(self.now_canvas, self.start_canvas)))


@dataclass(slots=True)
class Session:
    """Mutable state; changed by controllers only."""

    project: Project
    pages: ImagePages
    categories: list[Category] = field(default_factory=list)
    colors: dict[int, Color] = field(default_factory=dict)
    mode: str = SINGLE_POINT
    category_id: int | None = None
    row: int = 0
    image: ProjectImage | None = None
    annotations: ImageAnnotations | None = None
    readable: bool = False
    obstacle: str = ""
    """Why a click on the canvas would not mean the pixel under it, in words."""
    fresh: Fresh = field(default_factory=Fresh)
    """What the overlay draws until the layers catch up."""
    asked: AskPoint | None = None
    """The point on the screen, in box mode."""
    left_boxes: set[str] = field(default_factory=set)
    """Unfinished boxes that the person left by Esc; asked again when the image is shown anew."""
    drag: Drag | None = None
    selected: str | None = None
    hovered: str | None = None
    paused: bool = False
    key_sheet: bool = False
    hint: str = ""
    watch: Stopwatch = field(default_factory=Stopwatch)

    def reload_categories(self) -> None:
        """Read the classes; the first becomes current if the current one is gone."""
        self.categories = self.project.categories()
        self.colors = category_colors(self.categories)
        ids = [category.id for category in self.categories]
        if self.category_id not in ids:
            self.category_id = ids[0] if ids else None

    def reload_annotations(self) -> None:
        """Read the current image's annotations and what is to be asked next."""
        if self.image is None:
            self.annotations, self.asked = None, None
            return
        self.annotations = self.project.annotations(self.image.id)
        uids = {click.uid for click in self.annotations.clicks} | {box.uid for box in self.annotations.boxes}
        if self.selected not in uids:
            self.selected = None
        if self.hovered not in uids:
            self.hovered = None
        self.asked = None
        if self.mode == BOX_POINTS and self.can_annotate:
            ask = self.box_points().ask(self.open_annotations())
            self.asked = ask if isinstance(ask, AskPoint) else None

    @property
    def can_annotate(self) -> bool:
        """Whether a position of the canvas means a pixel of the picture."""
        return self.readable and not self.obstacle

    def open_annotations(self) -> ImageAnnotations:
        """The annotations without boxes that the person left."""
        assert self.annotations is not None
        return replace(
            self.annotations, boxes=tuple(box for box in self.annotations.boxes if box.uid not in self.left_boxes)
        )

    def box_points(self) -> BoxPoints:
        """The protocol of box mode with this project's settings."""
        settings = self.project.settings
        return BoxPoints(settings["points_per_box"], settings["seed"])

    def single_point(self) -> SinglePoint:
        """The protocol of point mode."""
        return SinglePoint()

    @property
    def category(self) -> Category | None:
        """The current class."""
        return next((category for category in self.categories if category.id == self.category_id), None)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the current image."""
        assert self.image is not None
        return self.image.height, self.image.width

    def box(self, uid: str | None) -> BoxAnnotation | None:
        """A box of the current image."""
        boxes = self.annotations.boxes if self.annotations else ()
        return next((box for box in boxes if box.uid == uid), None)

    def click(self, uid: str | None) -> Click | None:
        """A click of the current image."""
        clicks = self.annotations.clicks if self.annotations else ()
        return next((click for click in clicks if click.uid == uid), None)

    def prompt(self) -> str:
        """The question in words, for the dock and the head of the canvas."""
        if self.image is None:
            return "Open or create a project"
        if not self.readable:
            return "This picture cannot be read. N goes on"
        if self.obstacle:
            return self.obstacle
        name = self.category.name if self.category else None
        if name is None:
            return "Add a class first"
        if self.asked is not None:
            return f"Is the ring on the {self._asked_name()}?"
        if self.mode == BOX_POINTS:
            return f"Draw a box around a {name}"
        assert self.category is not None
        return f"Click every {name}, once" if self.category.isthing else f"Click on {name}, anywhere on it"

    def _asked_name(self) -> str:
        assert self.asked is not None
        names = {category.id: category.name for category in self.categories}
        return names.get(self.asked.category_id, "object").upper()

    def drawing(self) -> Drawing:
        """What the overlay shows now."""
        if self.obstacle:
            return Drawing(headline=self.prompt(), hint=self.hint, key_sheet=self.key_sheet, paused=self.paused)
        frames: list[Frame] = []
        question: Question | None = None
        dots: tuple[Dot, ...] = ()
        color = self.colors.get(self.category_id or 0, (255, 255, 255))
        for uid in self.fresh.boxes:
            fresh = self.box(uid)
            if fresh is not None:
                frames.append(_frame_of(fresh, self.colors.get(fresh.category_id, (255, 255, 255))))
                dots += _dots(fresh)
        if self.asked is not None:
            box = self.box(self.asked.box_uid)
            assert box is not None
            tint = self.colors.get(box.category_id, (255, 255, 255))
            frames.append(_frame_of(box, tint))
            dots += _dots(box)
            row, column = index_to_napari((self.asked.x, self.asked.y)).tolist()
            text = f"{self._asked_name()}?   F yes · J no · U unsure   {self.asked.index + 1}/{self.asked.total}"
            question = Question(row, column, text, (255, 255, 255))
        if self.drag is not None and self.mode == BOX_POINTS and self.asked is None:
            frames.append(
                Frame(self.drag.start_world, self.drag.now_world, color, self.category.name if self.category else "")
            )
        selected = None
        click = self.click(self.selected)
        if click is not None:
            row, column = index_to_napari((click.x, click.y)).tolist()
            selected = (row, column)
        selected_box = self.box(self.selected)
        if selected_box is not None and self.asked is None:
            frames.append(_frame_of(selected_box, (255, 255, 255)))
        headline = "" if self.asked is not None else self.prompt()
        return Drawing(
            question, dots, tuple(frames), selected, headline, self.hint, self.key_sheet, self.paused, self.fresh.points
        )


def _dots(box: BoxAnnotation) -> tuple[Dot, ...]:
    """The answered points of a box."""
    return tuple(
        _dot(point, value) for point, value in zip(box.point_coords, box.answers, strict=True) if value is not None
    )


def _dot(point: NDArray[np.int32], value: str) -> Dot:
    """An answered point in napari positions."""
    row, column = index_to_napari(point).tolist()
    return Dot(row, column, value)


def _frame_of(box: BoxAnnotation, color: Color) -> Frame:
    """A box's outline in napari positions."""
    corners = box_to_napari_corners(box.box.xyxy).tolist()
    return Frame((corners[0][0], corners[0][1]), (corners[2][0], corners[2][1]), color)

"""The state of one sitting at one project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_pointanno._models.question_look import QuestionLook
from napari_pointanno._models.stopwatch import Stopwatch
from napari_pointanno.drawing import Fresh, Page
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.palette import Color, category_colors

if TYPE_CHECKING:
    from napari_pointanno._models.image_pages import ImagePages
    from napari_pointanno.keymap import KeyMap
    from pointanno.dataset import Category
    from pointanno.project import BoxAnnotation, Click, ImageAnnotations, Project, ProjectImage
    from pointanno.protocols import AskPoint, Protocol

SINGLE_POINT, BOX_POINTS, MULTI_POINT, MASK = "single_point", "box_points", "multi_point", "mask"
REVIEW, SECOND_LOOK = "review", "second_look"

MODE_TITLES = {
    SINGLE_POINT: "One point",
    MULTI_POINT: "Several points",
    BOX_POINTS: "Box + points",
    MASK: "Mask",
    REVIEW: "Review",
    SECOND_LOOK: "Second opinion",
}
"""Ways of annotating as the dock offers them, in this order."""

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


def everything(annotations: ImageAnnotations) -> ImageAnnotations:
    """Nothing is hidden."""
    return annotations


@dataclass(slots=True)
class Session:
    """Mutable state; changed by controllers only."""

    project: Project
    pages: ImagePages
    categories: list[Category] = field(default_factory=list)
    colors: dict[int, Color] = field(default_factory=dict)
    digits: dict[int, int] = field(default_factory=dict)
    """Digit to the class that its key chooses; 0 is the key of the search."""
    keymap: KeyMap = DEFAULT_KEYS
    """The keys in force, for prompts."""
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
    """The point that is asked about on the screen."""
    planned: Protocol | None = None
    """How the current image is to be annotated, if its set has a protocol."""
    drag: Drag | None = None
    selected: str | None = None
    hovered: str | None = None
    paused: bool = False
    practice: bool = False
    """Whether a known answer is told as soon as it was asked."""
    gold_version: int = 0
    """Changes when known answers were imported."""
    page: Page | None = None
    """What stands instead of the picture, in a study."""
    lens: Callable[[ImageAnnotations], ImageAnnotations] = everything
    """What a study lets be seen of the annotations of an image."""
    is_led: bool = False
    """Whether a study leads through the images."""
    hides_gold: bool = False
    """Whether known answers are not asked on this image."""
    fixed_zoom: float | None = None
    """Canvas pixels for each pixel of the picture, whatever is shown; None to fit it."""
    is_still: bool = False
    """Whether the camera stays where it is while points are asked."""
    key_sheet: bool = False
    hint: str = ""
    watch: Stopwatch = field(default_factory=Stopwatch)
    look: QuestionLook = field(default_factory=QuestionLook)

    def reload_categories(self) -> None:
        """Read the classes; the first becomes current if the current one is gone."""
        self.categories = self.project.categories()
        self.colors = category_colors(self.categories)
        self.digits = {digit: one for digit, one in self.project.digits().items() if digit}
        ids = [category.id for category in self.categories]
        if self.category_id not in ids:
            self.category_id = ids[0] if ids else None

    def take_annotations(self, annotations: ImageAnnotations | None) -> None:
        """Hold what was read of the current image; what is selected or hovered goes if it is not among it."""
        self.annotations, self.asked = annotations, None
        if annotations is None:
            return
        uids = {click.uid for click in annotations.clicks} | {box.uid for box in annotations.boxes}
        if self.selected not in uids:
            self.selected = None
        if self.hovered not in uids:
            self.hovered = None

    @property
    def can_annotate(self) -> bool:
        """Whether a position of the canvas means a pixel of the picture."""
        return self.readable and not self.obstacle and self.page is None

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

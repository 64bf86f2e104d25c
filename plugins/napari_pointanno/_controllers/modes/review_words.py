"""An item of a review as it lies on its image: what it is, in words and on the overlay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from napari_pointanno._controllers.modes.base import WHITE, frame_of
from napari_pointanno.drawing import Frame, Question, Sketch
from napari_pointanno.keymap import Action
from pointanno.coords import index_to_napari

if TYPE_CHECKING:
    from napari_pointanno._models.session import Session
    from pointanno.project import BoxAnnotation, Click
    from pointanno.project.review_list import ReviewItem

ANSWER_WORDS = {"object": "yes", "background": "no", "unsure": "unsure", "skip": "skipped"}


@dataclass(frozen=True, slots=True)
class ItemOnImage:
    """An item with the box or click that it is about, both None if they are gone."""

    item: ReviewItem
    box: BoxAnnotation | None
    click: Click | None

    @property
    def is_image(self) -> bool:
        """Whether it is about the whole image."""
        return not self.item.uid

    @property
    def is_only_second(self) -> bool:
        """Whether only the second opinion has it."""
        return self.item.place is not None and self.click is None

    @property
    def is_there(self) -> bool:
        """Whether what it is about is still there."""
        return self.box is not None or self.click is not None or self.is_image or self.is_only_second

    @property
    def point(self) -> int | None:
        """Index of the point of a box, None for a whole object."""
        point = self.item.point
        return point if self.box is not None and point is not None and point < len(self.box.answers) else None

    @property
    def answer(self) -> str | None:
        """What holds now."""
        return None if self.box is None or self.point is None else self.box.answers[self.point]

    @property
    def place(self) -> tuple[int, int] | None:
        """Pixel (x, y) of the point or click."""
        if self.box is not None and self.point is not None:
            x, y = self.box.point_coords[self.point].tolist()
            return x, y
        if self.click is not None:
            return self.click.x, self.click.y
        return self.item.place

    @property
    def category_id(self) -> int | None:
        """Class of the object."""
        if self.box is not None:
            return self.box.category_id
        return self.click.category_id if self.click is not None else self.item.category_id


class Words(NamedTuple):
    """The item at the head of the canvas and in the dock, and beside its place."""

    headline: str
    question: str


def words_of(here: ItemOnImage, session: Session) -> Words:
    """What the item is, why it is shown, and what the keys do."""
    item, keys = here.item, session.keymap
    enter, later, delete = (keys.text(one) for one in (Action.CONFIRM, Action.SKIP, Action.REJECT))
    name = _name(here.category_id, session)
    why = _why(item, session)
    if not here.is_there:
        return Words(f"What was to be reviewed here is gone.  {enter} goes on", "")
    if here.is_image:
        return Words(f"This image is flagged{why}.  {enter} takes the flag off · {later} leaves it", "")
    if here.is_only_second:
        question = (
            f"{name}?   {keys.text(Action.OBJECT)} take it over · {keys.text(Action.BACKGROUND)} no · {later} later"
        )
        return Words(f"Only the second opinion has this {name}", question)
    if here.point is not None:
        was = ANSWER_WORDS.get(here.answer or "", "not answered")
        question = f"{name.upper()}?   {keys.answers()}   was {was}"
        return Words(f"Is the ring on the {name}?  {enter} keeps: {was}{why}", question)
    what = "box" if here.box is not None else "click"
    question = f"{name.upper()}   {enter} right · {delete} delete · {later} later"
    return Words(f"Is this {what} right: {name}{why}?  A digit changes the class", question)


def sketch_of(here: ItemOnImage, session: Session) -> Sketch:
    """A ring on the point or click, the box as a frame."""
    if not here.is_there or here.is_image:
        return Sketch()
    words = words_of(here, session)
    color = session.colors.get(here.category_id or 0, WHITE)
    frames: tuple[Frame, ...] = ()
    if here.box is not None:
        frame = frame_of(here.box, color)
        text = "" if here.point is not None else words.question
        frames = (Frame(frame.corner, frame.opposite, color, text),)
    if here.place is None:
        return Sketch(frames=frames)
    row, column = index_to_napari(here.place).tolist()
    return Sketch(Question(row, column, words.question, WHITE), frames=frames)


def _why(item: ReviewItem, session: Session) -> str:
    """Why the item is shown, as the end of a sentence."""
    parts = []
    if item.reason == "fast" and item.time_ms is not None:
        parts.append(f"in {item.time_ms} ms")
    if item.reason in ("disagreement", "model"):
        who = "second opinion" if item.reason == "disagreement" else "model"
        if item.category_id is not None and item.place is None:
            parts.append(f"{who}: {_name(item.category_id, session)}")
        elif item.other == "nothing":
            parts.append(f"{who}: nothing here")
        elif item.other is not None:
            parts.append(f"{who}: {ANSWER_WORDS.get(item.other, item.other)}")
    if item.note:
        parts.append(item.note)
    return f" ({', '.join(parts)})" if parts else ""


def _name(category_id: int | None, session: Session) -> str:
    return next((one.name for one in session.categories if one.id == category_id), "object")

"""A second look at what was annotated: one item after the other, confirmed, changed, deleted or put off."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from napari_pointanno._controllers.modes.answering import ANSWERS
from napari_pointanno._controllers.modes.base import Mode
from napari_pointanno._controllers.modes.review_words import ItemOnImage, sketch_of, words_of
from napari_pointanno._controllers.review_sources import PREVIEW, ReviewSources
from napari_pointanno._models.review_queue import CHANGE, CONFIRM, DELETE, LATER, Key, ReviewQueue, key_of
from napari_pointanno._models.session import REVIEW
from napari_pointanno.drawing import Sketch
from napari_pointanno.keymap import Action
from pointanno.coords import napari_to_index
from pointanno.errors import InputError
from pointanno.project.review_list import EVERYTHING, ReviewPage
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._controllers.review_sources import Reader
    from napari_pointanno._models.review_queue import ReviewFilter
    from napari_pointanno._models.session import Drag
    from napari_pointanno.keymap import KeyInput, PointerInput
    from pointanno.project import Event
    from pointanno.project.review_list import ReviewItem

VERDICTS = {Action.CONFIRM: CONFIRM, Action.REJECT: DELETE, Action.DELETE: DELETE, Action.SKIP: LATER}
SURROUNDINGS = 24
"""Pixels around a click that are shown at least."""


class ReviewMode(Mode):
    """Goes through the items of a filter; the original of what is changed stays in the record."""

    name: ClassVar[str] = REVIEW
    follows_plan: ClassVar[bool] = False

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        super().__init__(desk, on_changed)
        self.sources = ReviewSources(desk.session.project)
        self.queue = ReviewQueue()
        self.filter = ""
        self._filters: list[ReviewFilter] = []
        self._reader: Reader | None = None
        self._after = -1
        self._is_reading = False
        self._turn = 0
        """Changes when what is still being read is wanted no more."""
        self._taken: dict[str, Key] = {}
        """Clicks taken over from the second opinion, and the items that they settled."""

    # ------------------------------------------------------------------ life

    def enter(self) -> None:
        """Begin with the first filter that has anything, or go on where one was."""
        self._desk.view.review.show(True)
        self._count(is_first=not self.filter)
        if self.filter:
            self._go()

    def leave(self) -> None:
        """Nothing is read any more."""
        self._turn += 1
        self._is_reading = False
        self._desk.view.review.show_item("", "")
        self._desk.view.review.show(False)

    def after_history(self, event: Event) -> None:
        """Go back to the item whose review was undone or redone."""
        image_id, uid = event.image_id, str(event.payload.get("uid", ""))
        if image_id is None:
            return
        if uid in self._taken:
            self.queue.take_back(self._taken[uid])
        elif event.kind == "review":
            self.queue.take_back((image_id, uid, event.payload.get("point")))
        elif event.kind == "flag":
            self.queue.take_back((image_id, uid, None))

    # ------------------------------------------------------------------ filters

    def choose(self, key: str) -> None:
        """Review the items of another filter, from the first one on."""
        session = self.session
        try:
            reader = self.sources.reader(key, session.image)
        except InputError as error:
            self._desk.view.notify(str(error))
            return
        self.filter, self._reader = key, reader
        self._turn += 1
        self._is_reading, self._after = False, -1
        self._taken.clear()
        self.queue = ReviewQueue(next((one.count for one in self._filters if one.key == key), None))
        self._desk.record("mode_set", {"mode": self.name, "filter": key.partition(":")[0]}, at_ns=now_ns())
        self._count()
        self._read_on()
        if self.queue.current is None:
            self._on_changed()

    def take_file(self, path: str) -> None:
        """Review against a file of predictions."""
        if path:
            self.choose(self.sources.add_file(path))

    def preview_shown(self) -> None:
        """The preview has another prediction: whoever reviews against it goes on with that."""
        if self.filter == PREVIEW and self._desk.mode is self:
            self.choose(PREVIEW)

    def _count(self, *, is_first: bool = False) -> None:
        """Count what waits, in the background, and show it; the first time go to the first filter with anything."""
        turn, image = self._turn, self.session.image
        self._desk.view.review.show_filters(self._filters, self.filter)

        def done(result: Any) -> None:
            if turn != self._turn:
                return
            if isinstance(result, Exception):
                if not isinstance(result, (InputError, OSError)):
                    raise result
                self._desk.view.notify(str(result))
                return
            self._filters = result
            if is_first:
                self.choose(next((one.key for one in result if one.count and one.key != EVERYTHING), EVERYTHING))
            else:
                self._desk.view.review.show_filters(result, self.filter)

        self._desk.background(lambda: self.sources.filters(image), done)

    def _read_on(self) -> None:
        """Read more items in the background, if they will be needed soon."""
        if self._is_reading or self._reader is None or not self.queue.is_short:
            return
        self._is_reading = True
        turn, after, reader = self._turn, self._after, self._reader

        def work() -> ReviewPage:
            page = reader(after)
            while not page.items and page.after is not None and turn == self._turn:
                page = reader(page.after)
            return page

        def done(result: Any) -> None:
            if turn == self._turn:
                self._take(result)

        self._desk.background(work, done)

    def _take(self, result: Any) -> None:
        """Items were found, or reading failed."""
        self._is_reading = False
        was_empty = self.queue.current is None
        if isinstance(result, ReviewPage):
            self._after = -1 if result.after is None else result.after
            self.queue.add(result.items, is_last=result.after is None)
        else:
            self.queue.add((), is_last=True)
            if not isinstance(result, (InputError, OSError)):
                raise result
            self._desk.view.notify(str(result))
            self.sources.forget_file(self.filter)
            self._count()
        self._read_on()
        if was_empty and self._desk.mode is self:
            self._go()
        else:
            self._tell()

    # ------------------------------------------------------------------ from item to item

    def _go(self) -> None:
        """Show the current item."""
        item = self.queue.current
        if item is None:
            self.session.watch.stop()
            if self.queue.is_complete:
                self._count()
            self._on_changed()
            return
        self.session.watch.stop()
        self.session.hint = ""
        if self.session.image is None or self.session.image.id != item.image_id:
            self._desk.go_to(item.image_id)
        else:
            self._on_changed()
        self._watch(item)

    def _step(self, delta: int) -> None:
        if self.queue.step(delta):
            self._read_on()
            self._go()
        elif self.queue.current is None and delta > 0:
            self._desk.hint(self.queue.summary())
        else:
            self._desk.hint("this is the last item" if delta > 0 else "this is the first item")

    def _watch(self, item: ReviewItem) -> None:
        """Note when the item has become visible: from there the verdict is timed."""
        key = key_of(item)

        def shown(at_ns: int, swapped: bool) -> None:
            current = self.queue.current
            if self._desk.mode is not self or current is None or key_of(current) != key:
                return
            self.session.watch.start(at_ns)
            facts = {"uid": item.uid, "reason": item.reason, **self._desk.frame(swapped)}
            if item.point is not None:
                facts["point"] = item.point
            self._desk.record("item_shown", facts, at_ns=at_ns)

        self._desk.canvas.when_shown(shown)

    @property
    def here(self) -> ItemOnImage | None:
        """The current item with what it is about, if its image is shown."""
        item, session = self.queue.current, self.session
        if item is None or session.image is None or session.image.id != item.image_id or session.annotations is None:
            return None
        return ItemOnImage(item, session.box(item.uid), session.click(item.uid))

    # ------------------------------------------------------------------ what is shown

    def ask(self) -> None:
        """No point is asked as in other modes; the object of the item counts as selected."""
        here = self.here
        if here is not None and here.is_there:
            self.session.selected = here.item.uid or None
        self._tell()

    def _tell(self) -> None:
        self._desk.view.review.show_item(self.prompt(), self.progress())

    def prompt(self) -> str:
        """What the item is, or how the review stands."""
        keymap = self.session.keymap
        if self.queue.current is None:
            return self.queue.summary() if self.queue.is_complete else "Looking for what waits for this review …"
        here = self.here
        if here is None:
            return f"Review: {keymap.text(Action.CONFIRM)} goes back to item {self.queue.progress()}"
        return words_of(here, self.session).headline

    def progress(self) -> str:
        """Which of the items is shown."""
        return self.queue.progress()

    def sketch(self) -> Sketch:
        """The item and what was said about it."""
        here = self.here
        return Sketch() if here is None else sketch_of(here, self.session)

    def focus(self) -> tuple[float, float, float, float] | None:
        """The box of the item, or the surroundings of its click."""
        here = self.here
        if here is None:
            return None
        if here.box is not None:
            return here.box.box.xyxy
        if here.place is None:
            return None
        x, y = here.place
        height, width = self.session.image_size
        reach = max(SURROUNDINGS, min(height, width) // 8)
        return max(0, x - reach), max(0, y - reach), min(width, x + reach + 1), min(height, y + reach + 1)

    # ------------------------------------------------------------------ inputs

    def key(self, key: KeyInput) -> bool:
        """Verdicts, answers and classes of the current item; the keys of images go from item to item."""
        action = key.action
        if action in (Action.NEXT, Action.PREVIOUS):
            self._step(1 if action is Action.NEXT else -1)
        elif action in VERDICTS:
            self._with_item(lambda here: self._decide(here, VERDICTS[action], key.at_ns, key.key))
        elif action in ANSWERS:
            self._with_item(lambda here: self._answer(here, ANSWERS[action], key))
        elif action is Action.CLASS:
            self._with_item(lambda here: self._reclass(here, key))
        elif action in (Action.ABSENT, Action.RESAMPLE):
            self._desk.hint("not in a review")
        else:
            return False
        return True

    def decide(self, verdict: str) -> None:
        """A button of the dock."""
        self._with_item(lambda here: self._decide(here, verdict, now_ns(), "button"))

    def step(self, delta: int) -> None:
        """A button of the dock."""
        self._step(delta)

    def click(self, drag: Drag, pointer: PointerInput) -> None:
        """A click beside the click that is reviewed moves it there."""

        def move(here: ItemOnImage) -> None:
            if here.click is None:
                self._desk.hint("only a click can be moved; answer by keys")
                return
            x, y = (int(n) for n in napari_to_index(drag.start_world))
            height, width = self.session.image_size
            if 0 <= x < width and 0 <= y < height:
                self._write(here, CHANGE, drag.at_ns, "click", x=x, y=y)
            else:
                self._desk.hint("this is outside of the picture")

        self._with_item(move)

    def _with_item(self, act: Callable[[ItemOnImage], None]) -> None:
        """Do something about the current item; if another image is shown, go back to the item first."""
        here = self.here
        if here is None:
            if self.queue.current is None:
                self._desk.hint(self.prompt())
            else:
                self._go()
        elif not self.session.can_annotate:
            self._desk.hint(self.session.obstacle or "this picture cannot be read")
        elif not here.is_there:
            self.queue.say(here.item, LATER)
            self._read_on()
            self._go()
            self._desk.hint("what was to be reviewed there is gone")
        else:
            act(here)

    def _decide(self, here: ItemOnImage, verdict: str, at_ns: int, key: str) -> None:
        if here.is_image:
            self._decide_flag(here, verdict, at_ns)
        elif here.is_only_second and verdict == DELETE:
            self._write(here, CONFIRM, at_ns, key)  # the first opinion has nothing there, and so it stays
        else:
            self._write(here, verdict, at_ns, key)

    def _decide_flag(self, here: ItemOnImage, verdict: str, at_ns: int) -> None:
        """A flag on a whole image is taken off, or stays."""
        if verdict == LATER:
            self._went_on(here, LATER)
        elif verdict == DELETE:
            self._desk.hint("an image cannot be deleted here")
        elif self._desk.record("flag", {"flagged": False}, at_ns=at_ns) is not None:
            self._went_on(here, CONFIRM)

    def _answer(self, here: ItemOnImage, value: str, key: KeyInput) -> None:
        if here.point is not None:
            if here.answer == value:
                self._write(here, CONFIRM, key.at_ns, key.key)
            else:
                self._write(here, CHANGE, key.at_ns, key.key, value=value)
        elif here.is_only_second and value == "object":
            self._take_over(here, key)
        elif here.is_only_second and value == "background":
            self._write(here, CONFIRM, key.at_ns, key.key)
        elif value == "object" and not here.is_image:
            self._write(here, CONFIRM, key.at_ns, key.key)
        else:
            self._desk.hint(f"{self.session.keymap.text(Action.REJECT)} deletes it, a digit changes its class")

    def _take_over(self, here: ItemOnImage, key: KeyInput) -> None:
        """The second opinion is right: what it clicked becomes a click of the project."""
        assert here.place is not None
        uid = uuid.uuid4().hex
        x, y = here.place
        payload = {"uid": uid, "category_id": here.item.category_id, "x": x, "y": y}
        payload |= {"provenance": "suggested+accepted", "suggested_by": "second opinion"}
        payload["time_ms"] = self.session.watch.elapsed_ms(key.at_ns)
        if self._desk.record("click", payload, at_ns=key.at_ns) is not None:
            self._taken[uid] = key_of(here.item)
            self._went_on(here, CHANGE)

    def _reclass(self, here: ItemOnImage, key: KeyInput) -> None:
        session = self.session
        category_id = session.digits.get(key.digit or 0)
        category = next((one for one in session.categories if one.id == category_id), None)
        if category is None:
            self._desk.hint(f"no class has the key {key.digit}")
        elif here.category_id is None or here.is_only_second:
            self._desk.hint("this has no class to change")
        elif here.category_id == category.id:
            self._desk.hint(f"it is {category.name} already; {session.keymap.text(Action.CONFIRM)} confirms it")
        else:
            self._write(here, CHANGE, key.at_ns, key.key, whole=True, category_id=category.id)

    def _write(
        self, here: ItemOnImage, verdict: str, at_ns: int, key: str, *, whole: bool = False, **change: Any
    ) -> None:
        """Make a review durable and go on; one about the object of a point stays at the point."""
        elapsed = self.session.watch.elapsed_ms(at_ns)
        payload: dict[str, Any] = {"uid": here.item.uid, "verdict": verdict, "time_ms": elapsed, **change}
        if here.point is not None and not whole:
            payload["point"] = here.point
        if self._desk.record("review", payload, at_ns=at_ns, timing={"key": key, "shown": elapsed is not None}) is None:
            return
        if whole and here.point is not None:
            self.session.hint = "class changed; now the answer"
            self._on_changed()
        else:
            self._went_on(here, verdict)

    def _went_on(self, here: ItemOnImage, verdict: str) -> None:
        self.queue.say(here.item, verdict)
        self._read_on()
        self._go()

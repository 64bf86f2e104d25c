"""Everything about images that a key or the dock asks for: which one, which of them are listed, what is said of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from napari_pointanno._controllers.desk import Desk
from napari_pointanno._controllers.image_facts import ImageFacts
from napari_pointanno._controllers.navigation import Navigation
from napari_pointanno._controllers.opening import Opening
from napari_pointanno._views.annotate_view import AnnotateView
from napari_pointanno.keymap import Action, KeyInput
from pointanno.images import is_there
from pointanno.timing.clock import now_ns

TOLD_AT_ONCE = 3
"""More pictures that are missing are counted."""


class Images:
    """Navigation and facts of one session.

    Parameters
    ----------
    desk : Desk
    opening : Opening
        Looks for pictures that are not where they were.
    on_chosen : callable
        Called when an image is chosen, before anything of it is shown.
    on_shown : callable
        Called after another image was put on the canvas.
    on_changed : callable
        Called after an event about the image is safe.
    """

    def __init__(
        self,
        desk: Desk,
        opening: Opening,
        on_chosen: Callable[[], None],
        on_shown: Callable[[], None],
        on_changed: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._opening = opening
        self._on_chosen, self._on_shown, self._on_changed = on_chosen, on_shown, on_changed
        self._is_missing = False
        self._is_closed = False
        self.navigation = Navigation(desk, self._chosen, self._shown)
        self.facts = ImageFacts(desk, on_changed, lambda: self.navigation.step(1))

    def close(self) -> None:
        """The session ends."""
        self._is_closed = True
        self.navigation.close()

    def clear(self) -> None:
        """Take back what the dock shows of this session."""
        self.facts.close()
        self._desk.view.show_missing("")

    def commands(self, at_ns: int) -> dict[Action, Callable[[], object]]:
        """What keys about images do."""
        return {
            Action.NEXT: lambda: self.navigation.step(1),
            Action.PREVIOUS: lambda: self.navigation.step(-1),
            Action.NEXT_UNLABELLED: self.navigation.next_unlabelled,
            Action.GO_TO: self._desk.view.focus_image_search,
            Action.DONE: lambda: self.done(at_ns),
            Action.COMPLETE: self.facts.ask_complete,
            Action.FLAG: self.facts.ask_flag,
            Action.SKIP: self.facts.ask_skip,
        }

    def key(self, key: KeyInput) -> bool:
        """Take a key if a question about the image waits for it."""
        return self.facts.key(key)

    def done(self, at_ns: int) -> None:
        """Things and stuff are complete; go on."""
        session = self._desk.session
        if self._desk.guide is not None:
            self._desk.guide.done(at_ns)
            return
        if self._desk.mode.done(at_ns):
            return
        if not self.facts.declare(True, True, at_ns):
            return
        self._desk.show_now()
        if session.row + 1 < len(session.pages):
            self.navigation.step(1)
        else:
            self._desk.hint("done: this was the last image")

    def project_changed(self) -> None:
        """Something changed that may concern every image: read the rows of the list anew."""
        self._desk.session.pages.forget()
        self._desk.view.refresh_rows()
        self._on_changed()

    def relocate(self, folder: str) -> None:
        """The pictures are in this folder now."""
        project = self._desk.session.project

        def found(problems: list[str]) -> None:
            if self._is_closed:
                return
            pages, view = self._desk.session.pages, self._desk.view
            pages.forget()
            pages.unreadable.clear()
            view.refresh_rows()
            self._is_missing = False
            view.show_missing("")
            for sentence in problems[:TOLD_AT_ONCE]:
                view.notify(sentence)
            if len(problems) > TOLD_AT_ONCE:
                view.notify(f"{len(problems) - TOLD_AT_ONCE:,} more pictures are missing or others than before")
            self.navigation.go(self._desk.session.row)
            self._desk.canvas.take_focus()

        self._opening.relocate(project, folder, found)

    def _chosen(self) -> None:
        self.facts.close()
        self._on_chosen()

    def _shown(self) -> None:
        session = self._desk.session
        image = session.image
        is_missing = image is not None and not session.readable and not is_there(image.path)
        if is_missing != self._is_missing:
            self._is_missing = is_missing
            self._desk.view.show_missing(str(session.project.images_folder) if is_missing else "")
        self._on_shown()


class WithImages(Protocol):
    """Calls `act` with the images of the session, if there is one; the keyboard goes to the canvas, unless `keep`.

    What is not for `always` is refused while a study runs.
    """

    def __call__(self, act: Callable[[Images], object], *, keep: bool = False, always: bool = False) -> None: ...


def connect_images(view: AnnotateView, act: WithImages) -> None:
    """Let the dock ask."""
    view.row_chosen.connect(lambda row: act(lambda images: images.navigation.go(row)))
    view.next_requested.connect(lambda: act(lambda images: images.navigation.step(1)))
    view.previous_requested.connect(lambda: act(lambda images: images.navigation.step(-1)))
    view.unlabelled_requested.connect(lambda: act(lambda images: images.navigation.next_unlabelled()))
    view.image_sought.connect(lambda text: act(lambda images: images.navigation.seek(text)))
    view.done_requested.connect(lambda: act(lambda images: images.done(now_ns()), always=True))
    view.complete_chosen.connect(
        lambda things, stuff: act(lambda images: images.facts.complete(things, stuff, now_ns()))
    )
    # the search line and the line for a reason of one's own keep the keyboard
    view.filter_chosen.connect(lambda where: act(lambda images: images.navigation.filter(where), keep=True))
    view.strip_digit.connect(lambda digit: act(lambda images: images.facts.choose(digit), keep=True))
    view.relocate_requested.connect(lambda folder: act(lambda images: images.relocate(folder), keep=True))
    view.strip_left.connect(lambda: act(lambda images: images.facts.close()))
    view.strip_words.connect(lambda text: act(lambda images: images.facts.words(text)))

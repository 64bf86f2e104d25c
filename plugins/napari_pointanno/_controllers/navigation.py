"""Which image is shown: next, back, unlabelled, and what happens when one cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_pointanno._controllers.desk import Desk
from napari_pointanno._models.image_filters import end_of_list
from pointanno.errors import InputError
from pointanno.project.image_list import EVERY_IMAGE
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from pointanno.project.image_list import ImageFilter


class Navigation:
    """Moves through the images of a project.

    Parameters
    ----------
    desk : Desk
    on_chosen : callable
        Called when the image is chosen, before anything of it is shown.
    on_shown : callable
        Called after another image was put on the canvas.
    """

    def __init__(self, desk: Desk, on_chosen: Callable[[], None], on_shown: Callable[[], None]) -> None:
        self._desk = desk
        self._on_chosen = on_chosen
        self._on_shown = on_shown

    def close(self) -> None:
        """Stop reading ahead."""
        self._desk.pictures.close()

    def step(self, delta: int) -> None:
        """Next (+1) or previous (-1) image; stays at the ends and says so."""
        pages = self._desk.session.pages
        row = self._desk.session.row + delta
        if 0 <= row < len(pages):
            self.go(row)
        else:
            self._desk.hint(end_of_list(delta > 0, pages.matching, pages.total))

    def next_unlabelled(self) -> None:
        """The next image of the list without anything on it."""
        pages = self._desk.session.pages
        row = pages.next_unlabelled(self._desk.session.row)
        if row is not None:
            self.go(row)
        elif pages.where == EVERY_IMAGE:
            self._desk.hint("every image carries annotations")
        else:
            self._desk.hint("no other image of this list is unlabelled")

    def go_to_image(self, image_id: int) -> None:
        """Show an image by its id, if it is not shown already, whether it passes the filter or not."""
        session = self._desk.session
        if session.image is None or session.image.id != image_id:
            self.go(session.pages.let_in(image_id))

    def filter(self, where: ImageFilter) -> None:
        """List other images; the one that is shown stays in view."""
        session, view = self._desk.session, self._desk.view
        try:
            session.pages.select(where, keep=session.image)
        except InputError as error:  # an image set that is gone
            view.notify(str(error))
        view.show_filter(session.pages.where)
        if session.image is not None:
            session.row = session.pages.index_at(session.image.position) or 0
            self._desk.show_now()

    def seek(self, text: str) -> None:
        """Go to the first image that the search found, or with "#12" to the twelfth of the project.

        A search that found one image only is over then; one that found several goes on filtering the list.
        """
        session = self._desk.session
        pages = session.pages
        if text.startswith("#"):
            self._go_to_place(text[1:].strip())
        elif text and not pages.matching:
            self._desk.hint(f"no image of this list has {text!r} in its name")
            self.filter(replace(pages.where, text=""))
        elif text:
            first = pages.row(1 if pages.is_guest(0) else 0)
            if pages.matching == 1:
                self.filter(replace(pages.where, text=""))
            self.go_to_image(first.id)

    def _go_to_place(self, number: str) -> None:
        session = self._desk.session
        self._desk.view.show_filter(session.pages.where)  # the number leaves the search line
        found = session.project.images_at([int(number) - 1]) if number.isdecimal() and len(number) < 16 else []
        if found:
            self.go_to_image(found[0].id)
        else:
            self._desk.hint(f"there is no image {number!r}: the images have the numbers 1 to {session.pages.total:,}")

    def go(self, row: int) -> None:
        """Show the image of a row."""
        desk, session = self._desk, self._desk.session
        desk.canvas.forget_shown()
        before, image = session.image, session.pages.row(row)
        if before is not None and before.id != image.id and session.pages.let_go(before):
            row = session.pages.index_at(image.position) or 0  # rows have moved up
        session.row, session.image = row, image
        session.drag = None
        session.selected = session.hovered = None
        session.planned = desk.planned(image.id)
        desk.mode.forget_image()
        self._on_chosen()
        session.hint = ""
        session.watch.stop()
        desk.forget_view()
        desk.record("image_load_start", {}, at_ns=now_ns())
        refused = desk.pictures.show(image)
        session.readable = not refused
        if refused:
            session.pages.unreadable.add(image.id)
            desk.view.notify(refused)
        else:
            session.pages.unreadable.discard(image.id)
        desk.refresh()
        self._on_shown()
        self.show_again()
        for neighbour in (row + 1, row - 1):
            if 0 <= neighbour < len(session.pages):
                desk.pictures.prefetch(session.pages.row(neighbour).path)

    def show_again(self) -> None:
        """Note when the picture is on the screen."""
        session = self._desk.session
        if session.image is None or not session.readable:
            return
        image_id = session.image.id
        self._desk.canvas.when_shown(lambda at_ns, swapped: self._shown(image_id, at_ns, swapped))

    def _shown(self, image_id: int, at_ns: int, swapped: bool) -> None:
        """The picture is on the screen: from here the first item is timed, unless a point already is."""
        session = self._desk.session
        if session.image is None or session.image.id != image_id:
            return
        if not session.watch.running:
            session.watch.start(at_ns)
        self._desk.record("image_shown", self._desk.frame(swapped), at_ns=at_ns)

"""Which image is shown: next, back, unlabelled, and what happens when one cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from napari_pointanno._controllers.desk import Desk
from napari_pointanno._models.image_cache import ImageCache
from napari_pointanno.view_transform import view_of_picture
from pointanno.errors import InputError
from pointanno.timing.clock import now_ns


class Navigation:
    """Moves through the images of a project.

    Parameters
    ----------
    desk : Desk
    on_shown : callable
        Called after another image was put on the canvas.
    """

    def __init__(self, desk: Desk, on_shown: Callable[[], None]) -> None:
        self._desk = desk
        self._on_shown = on_shown
        self._cache = ImageCache()

    def close(self) -> None:
        """Stop reading ahead."""
        self._cache.close()

    def step(self, delta: int) -> None:
        """Next (+1) or previous (-1) image; stays at the ends and says so."""
        row = self._desk.session.row + delta
        if 0 <= row < len(self._desk.session.pages):
            self.go(row)
        else:
            self._desk.hint("this is the last image" if delta > 0 else "this is the first image")

    def next_unlabelled(self) -> None:
        """The next image without anything on it."""
        row = self._desk.session.pages.next_unlabelled(self._desk.session.row)
        if row is None:
            self._desk.hint("every image carries annotations")
        else:
            self.go(row)

    def go_to_image(self, image_id: int) -> None:
        """Show an image by its id, if it is not shown already."""
        session = self._desk.session
        if session.image is not None and session.image.id == image_id:
            return
        row = session.pages.index_of(image_id)
        if row is not None:
            self.go(row)

    def go(self, row: int) -> None:
        """Show the image of a row."""
        desk, session = self._desk, self._desk.session
        desk.canvas.forget_shown()
        session.row, session.image = row, session.pages.row(row)
        image = session.image
        session.drag = None
        session.selected = session.hovered = None
        session.left_boxes.clear()
        session.hint = ""
        session.watch.stop()
        desk.forget_view()
        desk.record("image_load_start", {}, at_ns=now_ns())
        try:
            array = self._cache.read(image.path)
        except (InputError, OSError) as error:
            session.readable = False
            session.pages.unreadable.add(image.id)
            desk.layers.clear()
            desk.view.notify(str(error))
        else:
            session.readable = array.shape[:2] == (image.height, image.width)
            if session.readable:
                session.pages.unreadable.discard(image.id)
                desk.layers.show_image(array, image.file_name)
                # napari would fit all layers: those that still show the image before, and the person's own
                camera = desk.viewer.scene.camera
                center, zoom = view_of_picture((image.height, image.width), desk.canvas.transform().canvas_size)
                camera.center, camera.zoom = (0.0, *center), zoom
            else:
                session.pages.unreadable.add(image.id)
                desk.layers.clear()
                desk.view.notify(
                    f"{image.path}: the picture is {array.shape[1]} x {array.shape[0]} pixels, but the project expects "
                    f"{image.width} x {image.height}; put the original picture back"
                )
        desk.refresh()
        self._on_shown()
        if session.readable:
            desk.canvas.when_shown(lambda at_ns, swapped: self._shown(image.id, at_ns, swapped))
        for neighbour in (row + 1, row - 1):
            if 0 <= neighbour < len(session.pages):
                self._cache.prefetch(session.pages.row(neighbour).path)

    def _shown(self, image_id: int, at_ns: int, swapped: bool) -> None:
        """The picture is on the screen: from here the first item is timed, unless a point already is."""
        session = self._desk.session
        if session.image is None or session.image.id != image_id:
            return
        if not session.watch.running:
            session.watch.start(at_ns)
        self._desk.record("image_shown", self._desk.frame(swapped), at_ns=at_ns)

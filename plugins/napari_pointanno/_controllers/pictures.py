"""Reading the picture of an image and putting it on the canvas, whatever kind it is of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_pointanno._controllers.background import Background
from napari_pointanno._controllers.desk import Desk
from napari_pointanno._models.image_cache import ImageCache
from napari_pointanno._models.picture_look import Limits, limits_of
from napari_pointanno._models.shown_picture import ShownPicture, sample_of
from napari_pointanno._views.annotate_view import AnnotateView
from napari_pointanno.allocation import return_large_blocks
from napari_pointanno.napari_versions import camera_of
from napari_pointanno.view_transform import view_of_picture
from pointanno.errors import InputError
from pointanno.images import to_rgb8

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pointanno.project import ProjectImage

PART_S = 0.5
"""Seconds of reading after which more of a very large picture becomes visible."""


class Pictures:
    """Shows one picture after the other, and its channels as the person chose them.

    Parameters
    ----------
    desk : Desk
    background : callable
        Reads what takes long.
    """

    def __init__(self, desk: Desk, background: Background) -> None:
        self._desk = desk
        self._background = background
        return_large_blocks()
        self._cache = ImageCache()
        self._shown: ShownPicture | None = None
        self._visible: dict[tuple[str, ...], tuple[bool, ...]] = {}
        self._limits: dict[tuple[str, ...], dict[int, Limits]] = {}

    def close(self) -> None:
        """Stop reading."""
        self._shown = None
        self._cache.close()

    def pixels(self) -> NDArray[np.uint8] | None:
        """The picture as it is shown, (H, W, 3) uint8; None for one that is read part by part, or if there is none."""
        picture = self._shown
        if picture is None or not isinstance(picture.levels[0], np.ndarray):
            return None
        return to_rgb8(picture.levels[0])

    def prefetch(self, path: Path) -> None:
        """Read a picture ahead."""
        self._cache.prefetch(path)

    def show(self, image: ProjectImage) -> str:
        """Put the picture of an image on the canvas, all of it in view.

        Returns
        -------
        str
            Why it cannot be shown, in words; "" if it is. Then nothing is shown.
        """
        desk, self._shown = self._desk, None
        try:
            picture = self._cache.read(image.path)
        except (InputError, OSError) as error:
            return self._refuse(str(error))
        except MemoryError:
            return self._refuse(
                f"{image.path}: there is not enough memory to read the picture whole, and its compression allows "
                "nothing else; save it as a tiled TIFF or as OME-Zarr"
            )
        if picture.image_size != image.image_size:
            height, width = picture.image_size
            return self._refuse(
                f"{image.path}: the picture is {width} x {height} pixels, but the project expects "
                f"{image.width} x {image.height}; put the original picture back"
            )
        self._shown = picture
        self._restore_look(picture)
        desk.layers.picture.show(picture, image.file_name)
        desk.view.show_channels(picture.look.channels)
        # napari would fit all layers: those that still show the image before, and the person's own
        view, camera = desk.canvas.transform(), camera_of(desk.viewer)
        center, zoom = view_of_picture(image.image_size, view.canvas_size, view.placement)
        if desk.session.fixed_zoom is not None:
            zoom = desk.session.fixed_zoom / view.placement.pixel
        camera.center, camera.zoom = (0.0, *center), zoom
        self._read_on(picture)
        return ""

    def show_channel(self, index: int, visible: bool) -> None:
        """Show or hide a channel; the last visible one stays."""
        picture = self._shown
        if picture is None or index >= len(picture.look.channels):
            return
        look = picture.look.with_channel(index, visible=visible)
        if not any(channel.visible for channel in look.channels):
            self._desk.view.show_channels(picture.look.channels)
            return
        picture.set_look(look)
        self._after_look(picture)

    def show_only(self, index: int) -> None:
        """Show one channel alone, in grey."""
        picture = self._shown
        if picture is not None and index < len(picture.look.channels):
            picture.set_look(picture.look.only(index))
            self._after_look(picture)

    def set_limits(self, index: int, low: float, high: float) -> None:
        """Values of a channel that become black and the full colour; equal ones ask for those of the picture."""
        picture = self._shown
        if picture is None or index >= len(picture.look.channels):
            return
        limits = (low, high)
        own = self._limits.setdefault(_names(picture), {})
        if high <= low:
            own.pop(index, None)
            limits = limits_of(sample_of(picture.picture)[:, index : index + 1], stretch=True)
        else:
            own[index] = limits
        picture.set_look(picture.look.with_channel(index, limits=limits))
        self._after_look(picture)

    def _refuse(self, sentence: str) -> str:
        self._desk.layers.clear()
        self._desk.view.show_channels(())
        return sentence

    def _restore_look(self, picture: ShownPicture) -> None:
        """What the person chose for pictures with the same channels."""
        look = picture.look
        if not look.channels:
            return
        names = _names(picture)
        for index, visible in enumerate(self._visible.get(names, ())):
            look = look.with_channel(index, visible=visible)
        for index, limits in self._limits.get(names, {}).items():
            look = look.with_channel(index, limits=limits)
        if look != picture.look:
            picture.set_look(look)

    def _after_look(self, picture: ShownPicture) -> None:
        self._visible[_names(picture)] = tuple(channel.visible for channel in picture.look.channels)
        self._desk.layers.picture.draw_again()
        self._desk.view.show_channels(picture.look.channels)

    def _read_on(self, picture: ShownPicture) -> None:
        """Read the overview of a very large picture part by part, each visible as soon as it is there."""
        overview = picture.overview
        if overview is None or overview.complete or picture is not self._shown:
            return

        def work() -> None:
            until = time.monotonic() + PART_S
            overview.fill(lambda: time.monotonic() < until and picture is self._shown)

        def done(failed: object) -> None:
            if picture is not self._shown:
                return
            if isinstance(failed, Exception):
                self._desk.view.notify(f"the overview of the picture could not be read ({failed}); zoom in to see it")
                return
            self._desk.layers.picture.draw_again()
            if not overview.complete:
                self._desk.hint(f"reading the overview: {overview.progress:.0%}")
                self._read_on(picture)
            else:
                self._desk.hint("")

        self._background(work, done)


def connect_channels(view: AnnotateView, with_pictures: Callable[[Callable[[Pictures], None]], None]) -> None:
    """Let the channel bar of the dock act on the pictures of the session, if there is one."""
    view.channel_shown.connect(lambda index, on: with_pictures(lambda one: one.show_channel(index, on)))
    view.channel_alone.connect(lambda index: with_pictures(lambda one: one.show_only(index)))
    view.channel_limits.connect(lambda index, low, high: with_pictures(lambda one: one.set_limits(index, low, high)))


def _names(picture: ShownPicture) -> tuple[str, ...]:
    return tuple(channel.name for channel in picture.look.channels)

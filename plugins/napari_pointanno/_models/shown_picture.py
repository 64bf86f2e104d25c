"""A picture as napari gets it: one array, or levels that are read where one looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_pointanno._models.lazy_levels import LazyLevel, Overview, ThinnedOut, Tiles, overview_step
from napari_pointanno._models.picture_look import Look, first_look
from pointanno.picture_info import PictureInfo
from pointanno.pictures import Picture, open_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pointanno.images import PixelSource

LARGEST_SIDE, LARGEST_AREA = 8192, 40_000_000
"""A picture in memory beyond this is drawn from thinned-out levels: one texture of it would be slow or impossible."""

READ_AT_ONCE_BYTES = 48 * 2**20
"""An overview that needs no more than this to be read is there before the picture is shown."""

SAMPLE_SIDE, SAMPLE_WINDOW = 512, 128


class ShownPicture:
    """A picture with its look.

    Parameters
    ----------
    picture : Picture
    look : Look, optional
        By default the first look of the picture.

    Attributes
    ----------
    levels : (H, W) values or (H, W, 3) bytes, finest first
        What napari draws: one array, or several `LazyLevel`.
    overview : Overview or None
        The coarsest level where it is not read yet; somebody has to `fill` it.
    """

    def __init__(self, picture: Picture, look: Look | None = None) -> None:
        self.picture = picture
        self.look = first_look(sample_of(picture), picture.info) if look is None else look
        self.overview: Overview | None = None
        sources, self._is_lazy = self._sources()
        if self._is_lazy:
            self.levels: list[Any] = [LazyLevel(one, self._render, rgb=self.look.rgb) for one in sources]
        else:
            self.levels = [self._whole()]

    @classmethod
    def open(cls, path: Path) -> ShownPicture:
        """The picture of a file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        return cls(open_picture(path))

    @classmethod
    def of_array(cls, array: NDArray[Any], *, is_color: bool = True) -> ShownPicture:
        """A picture that is in memory already."""
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[..., 0]
        return cls(Picture((array,), PictureInfo(is_color=is_color and array.ndim == 3 and array.shape[2] in (3, 4))))

    @property
    def info(self) -> PictureInfo:
        """What the file says about it."""
        return self.picture.info

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.picture.shape[0], self.picture.shape[1]

    @property
    def is_multiscale(self) -> bool:
        """Whether napari is to choose among levels."""
        return self._is_lazy

    @property
    def nbytes(self) -> int:
        """Memory that is held whether anything is shown or not."""
        drawn = self.levels[0]
        own = isinstance(drawn, np.ndarray) and not np.may_share_memory(drawn, self.picture.levels[0])
        return self.picture.nbytes + (drawn.nbytes if own else 0)

    def set_look(self, look: Look) -> None:
        """Show the same values in another way; whoever draws `levels` has to draw them anew."""
        self.look = look
        if not self._is_lazy:
            self.levels = [self._whole()]

    def close(self) -> None:
        """Stop reading and give files back."""
        if self.overview is not None:
            self.overview.stop()
        self.picture.close()

    def _render(self, values: NDArray[Any]) -> NDArray[Any]:
        return self.look.render(values)

    def _whole(self) -> NDArray[Any]:
        array = self.picture.levels[0]
        assert isinstance(array, np.ndarray)
        return self.look.render(array)

    def _sources(self) -> tuple[list[PixelSource], bool]:
        """Levels in the values of the file, finest first."""
        finest = self.picture.levels[0]
        if isinstance(finest, np.ndarray):
            if max(finest.shape[:2]) <= LARGEST_SIDE and finest.shape[0] * finest.shape[1] <= LARGEST_AREA:
                return [finest], False
            return [finest, *(ThinnedOut(finest, step) for step in _steps(overview_step(finest)))], True
        levels: list[PixelSource] = [Tiles(level) for level in self.picture.levels]
        coarsest = self.picture.levels[-1]
        overview = Overview(coarsest)
        levels += [ThinnedOut(coarsest, step) for step in _steps(overview.step)[:-1]]
        if overview.step == 1:
            levels.pop()  # the overview is this level itself
        levels.append(overview)
        size = coarsest.shape[0] * coarsest.shape[1] * int(np.prod(coarsest.shape[2:], dtype=np.int64))
        if size * coarsest.dtype.itemsize <= READ_AT_ONCE_BYTES:
            overview.fill()
        else:
            self.overview = overview
        return levels, True


def _steps(last: int) -> list[int]:
    """2, 4, ... up to the last one."""
    steps = []
    step = 2
    while step <= last:
        steps.append(step)
        step *= 2
    return steps


def sample_of(picture: Picture) -> NDArray[Any]:
    """Values of some pixels, (N, C), from which limits are taken; reads little of a large picture."""
    coarsest = picture.levels[-1]
    if isinstance(coarsest, np.ndarray):
        array = coarsest
        sample = array[:: max(1, array.shape[0] // SAMPLE_SIDE), :: max(1, array.shape[1] // SAMPLE_SIDE)]
    else:
        height, width = coarsest.shape[:2]
        tops = np.linspace(0, max(height - SAMPLE_WINDOW, 0), 4).astype(int).tolist()
        lefts = np.linspace(0, max(width - SAMPLE_WINDOW, 0), 4).astype(int).tolist()
        windows = [coarsest[y : y + SAMPLE_WINDOW, x : x + SAMPLE_WINDOW] for y in tops for x in lefts]
        sample = np.concatenate([window.reshape(-1, *window.shape[2:]) for window in windows])[None]
    return np.asarray(sample.reshape(-1, 1) if sample.ndim == 2 else sample.reshape(-1, sample.shape[2]))

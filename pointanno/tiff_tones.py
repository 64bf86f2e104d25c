"""How the stored numbers of a TIFF become what a person sees: palettes, inks, and black where others have white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_WHITE_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR, _LAB = 0, 2, 3, 5, 6, 8


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """A rule for the values of a page.

    Attributes
    ----------
    is_color : bool
        Whether the samples of a pixel are red, green and blue.
    palette : (2 ** bits, 3) uint8 or None
        Colour of each value.
    white : int or None
        The value that stands for black, where 0 stands for white.
    full : int or None
        The value of full ink of four-colour prints.
    """

    is_color: bool = False
    palette: NDArray[np.uint8] | None = None
    white: int | None = None
    full: int | None = None

    @classmethod
    def of_page(cls, page: Any, extent: Mapping[str, int], *, own_values: bool) -> Tone:
        """The rule of a page.

        Parameters
        ----------
        page : tifffile.TiffPage
        extent : length of each axis of the series
        own_values : bool
            The file is of a program that writes measurements with a palette to look at them by; they stay.
        """
        kind, samples, bits = int(page.photometric), extent.get("S", 1), int(page.bitspersample)
        whole = np.dtype(page.dtype).kind in "bu"
        single = samples == 1 and extent.get("C", 1) == 1
        if kind == _PALETTE and single and not own_values and page.colormap is not None and bits <= 8:
            table = np.asarray(page.colormap).T
            return cls(is_color=True, palette=(table >> 8 if table.max() > 255 else table).astype(np.uint8))
        if kind == _WHITE_IS_ZERO and samples == 1 and whole:
            return cls(white=255 if page.dtype == np.bool_ else 2**bits - 1)
        if kind == _INKS and samples == 4 and whole and "C" not in extent:
            return cls(is_color=True, full=2**bits - 1)
        return cls(is_color=kind in (_RGB, _INKS, _YCBCR, _LAB) and samples in (3, 4) and extent.get("C", 1) == 1)

    def channels(self, stored: int) -> int:
        """Number of channels that are returned."""
        return 3 if self.palette is not None or self.full is not None else stored

    def dtype(self, stored: np.dtype[Any]) -> np.dtype[Any]:
        """Type of the values that are returned."""
        return np.dtype(np.uint8) if self.palette is not None else stored

    def __call__(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Values as seen, (H, W) or (H, W, C)."""
        if self.palette is not None:
            return np.asarray(self.palette[np.minimum(stored, len(self.palette) - 1)])
        if self.white is not None:
            return np.asarray(self.white - stored)
        if self.full is not None:
            paper = self.full - stored.astype(np.uint64)
            seen = (paper[..., :3] * paper[..., 3:] + self.full // 2) // self.full
            return np.asarray(seen.astype(stored.dtype))
        return stored

"""What a preview offers to those who take it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Predicted:
    """A predicted object or region.

    Attributes
    ----------
    category_id : int
    rle : compressed run-length code of its mask
    suggested_by : run and checkpoint of the model
    clicks : uids of the clicks that it comes from
    """

    category_id: int
    rle: Mapping[str, Any]
    suggested_by: str
    clicks: tuple[str, ...] = ()


class Predictions(Protocol):
    """The prediction that is shown, if one is."""

    on: bool
    """Whether predictions are shown at all."""

    def shows(self, image_id: int) -> bool:
        """Whether the prediction of this image is to be seen."""

    def segment_at(self, image_id: int, x: int, y: int) -> Predicted | None:
        """What is predicted at a pixel of an image; None if that is nothing, or not to be seen."""

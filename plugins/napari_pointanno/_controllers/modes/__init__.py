"""Ways of annotating: each decides what clicks, drags and keys mean and what is asked."""

from napari_pointanno._controllers.modes.base import Mode
from napari_pointanno._controllers.modes.box_points import BoxPointsMode
from napari_pointanno._controllers.modes.mask import MaskMode
from napari_pointanno._controllers.modes.multi_point import MultiPointMode
from napari_pointanno._controllers.modes.review import ReviewMode
from napari_pointanno._controllers.modes.second_look import SecondLookMode
from napari_pointanno._controllers.modes.single_point import SinglePointMode

MODES: tuple[type[Mode], ...] = (SinglePointMode, MultiPointMode, BoxPointsMode, MaskMode, ReviewMode, SecondLookMode)
"""All there are."""

__all__ = [
    "MODES",
    "BoxPointsMode",
    "MaskMode",
    "Mode",
    "MultiPointMode",
    "ReviewMode",
    "SecondLookMode",
    "SinglePointMode",
]

"""How images are annotated: what the dock shows of it and what a person asks for, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from napari_pointanno._models.session import BOX_POINTS, MASK, MODE_TITLES, MULTI_POINT, SINGLE_POINT

if TYPE_CHECKING:
    from pointanno.project.image_list import ImageSet

ALL, LISTED, SET = "all", "listed", "set"
"""Images that a plan is for: all, those that the list shows now, or those of a set that is there."""

EVERYTHING: Final = "all images"
"""Name of the set that holds what no other set took."""

PLANNED: Final = (SINGLE_POINT, MULTI_POINT, BOX_POINTS, MASK)
"""Ways of annotating that an image set can ask for."""


@dataclass(frozen=True, slots=True)
class PlanWish:
    """What a person asks for: `options` are arguments of the protocol, `images` is `ALL`, `LISTED` or `SET`."""

    name: str
    protocol: str
    options: Mapping[str, Any]
    images: str


@dataclass(frozen=True, slots=True)
class PlanState:
    """What there is.

    Attributes
    ----------
    sets : the image sets of the project
    current : name of the set of the image that is shown, "" for none
    listed : images that the list shows now
    total : images of the project
    """

    sets: tuple[ImageSet, ...] = ()
    current: str = ""
    listed: int = 0
    total: int = 0
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the project that hold where a set says nothing."""

    @property
    def current_set(self) -> ImageSet | None:
        """The set of the image that is shown."""
        return next((one for one in self.sets if one.name == self.current), None)


def words_of(protocol: str, options: Mapping[str, Any]) -> str:
    """A protocol with its options, such as "Box + points, 5 points, extreme points"."""
    said = [MODE_TITLES.get(protocol, protocol)]
    if "points_per_target" in options:
        said.append(f"{options['points_per_target']} each")
    if "points_per_box" in options:
        said.append(f"{options['points_per_box']} points")
    said += [_WORDS[name][options[name]] for name in ("draw", "order") if options.get(name) in _WORDS[name]]
    if options.get("exclusive") is False:
        said.append("objects may overlap")
    return ", ".join(one for one in said if one)


_WORDS = {
    "draw": {"drag": "", "extreme": "extreme points", "none": "given boxes"},
    "order": {"image": "", "class": "class by class", "shuffled": "shuffled"},
}

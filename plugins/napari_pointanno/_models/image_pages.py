"""The images of a project that pass a filter, a page at a time, so that a list of a hundred thousand opens at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from pointanno.project.image_list import EVERY_IMAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointanno.project import Project, ProjectImage
    from pointanno.project.image_list import ImageFilter

PAGE, PAGES_KEPT = 128, 24


class ImagePages:
    """Rows of the image list: the images that passed the filter when it was set.

    Rows do not jump under the hands of whoever works on them: an image that no longer passes stays until another one
    is shown (`let_go`), and one that does not pass may be a guest for as long as it is shown (`let_in`).

    Parameters
    ----------
    project : Project
    """

    changing = Signal(int, int)
    """A row and what is about to happen: 1 it is added, -1 it is removed, 0 all rows become others."""
    changed = Signal(int, int)
    """The same, after it has happened."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pages: OrderedDict[int, list[ProjectImage]] = OrderedDict()
        self._places = project.image_places()
        self._guest = -1
        self.total = len(self._places)
        self.where = EVERY_IMAGE
        self.is_blind = False
        """Whether rows tell nothing of what was annotated."""
        self.unreadable: set[int] = set()
        """Images that could not be read in this session."""

    def __len__(self) -> int:
        return len(self._places)

    @property
    def matching(self) -> int:
        """Rows without the guest."""
        return len(self._places) - (self._guest >= 0)

    def row(self, index: int) -> ProjectImage:
        """The image in a row."""
        page, offset = divmod(index, PAGE)
        if page not in self._pages:
            self._pages[page] = self._project.images_at(self._places[page * PAGE : (page + 1) * PAGE])
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        self._pages.move_to_end(page)
        image = self._pages[page][offset]
        return blinded(image) if self.is_blind else image

    def is_guest(self, index: int) -> bool:
        """Whether the image in a row is there only because it is shown."""
        return bool(self._places[index] == self._guest)

    def number_of(self, index: int) -> int | None:
        """Which of the images that pass the filter lies in a row, from 1; None for the guest."""
        return None if self.is_guest(index) else index + 1 - (0 <= self._guest < int(self._places[index]))

    def index_at(self, place: int) -> int | None:
        """Row of the image at a place of the project, None if it is not in the list."""
        index = int(np.searchsorted(self._places, place))
        return index if index < len(self._places) and self._places[index] == place else None

    def index_of(self, image_id: int) -> int | None:
        """Row of an image, None if it is not in the list."""
        return self.index_at(self._project.image(image_id).position)

    def refresh(self, index: int) -> None:
        """Read one row again; the rest of its page stays."""
        page, offset = divmod(index, PAGE)
        images = self._pages.get(page)
        if images is not None:
            images[offset] = self._project.image(images[offset].id)

    def forget(self) -> None:
        """Read every row again when it is looked at; which images the list has stays."""
        self._pages.clear()

    def select(self, where: ImageFilter, keep: ProjectImage | None = None) -> None:
        """Show the images that pass another filter.

        Parameters
        ----------
        where : ImageFilter
        keep : ProjectImage or None
            The image that is shown; it stays in the list whether it passes or not.

        Raises
        ------
        InputError
            If the filter names an image set that is not there; the list is as before then.
        """
        places = self._project.image_places(where)
        self.changing.emit(0, 0)
        self.where, self._places, self._guest = where, places, -1
        self._pages.clear()
        if keep is not None and self.index_at(keep.position) is None:
            self._guest = keep.position
            self._places = np.insert(places, int(np.searchsorted(places, keep.position)), keep.position)
        self.changed.emit(0, 0)

    def let_in(self, image_id: int) -> int:
        """Row of an image, which becomes a guest if the list does not have it."""
        place = self._project.image(image_id).position
        index = int(np.searchsorted(self._places, place))
        if self.index_at(place) is None:
            self.changing.emit(index, 1)
            self._guest = place
            self._places = np.insert(self._places, index, place)
            self._drop_pages(index)
            self.changed.emit(index, 1)
        return index

    def let_go(self, image: ProjectImage) -> bool:
        """Another image is shown now: remove this one if it does not pass the filter any more."""
        index = self.index_at(image.position)
        if index is None or self._project.passes(image, self.where):
            return False
        self.changing.emit(index, -1)
        self._places = np.delete(self._places, index)
        if image.position == self._guest:
            self._guest = -1
        self._drop_pages(index)
        self.changed.emit(index, -1)
        return True

    def next_unlabelled(self, after: int) -> int | None:
        """First row after `after`, round the end, on which nothing was done; None if the list has no such image."""
        if self.where.state not in (None, "unlabelled"):
            return None
        place = int(self._places[after]) if 0 <= after < len(self) else -1
        found = self._project.next_image(replace(self.where, state="unlabelled"), after=place)
        return None if found is None or found.position == place else self.let_in(found.id)

    def counts(self) -> Mapping[str, int]:
        """Images by state and by what they need."""
        return self._project.counts()

    def image_sets(self) -> list[str]:
        """Names of the image sets of the project."""
        return [one.name for one in self._project.image_sets()]

    def touched(self) -> int:
        """Number of images of the project on which anything was done, or that are to be left out."""
        counts = self._project.counts()
        return counts["images"] - counts["unlabelled"]

    def _drop_pages(self, index: int) -> None:
        """Rows from this one on have moved."""
        for page in [page for page in self._pages if page >= index // PAGE]:
            del self._pages[page]


def blinded(image: ProjectImage) -> ProjectImage:
    """The image as somebody may see it who gives a blind second opinion: only whether that is given."""
    is_given = image.second_pass == "done" or None
    return replace(
        image, clicks=0, boxes=0, answers=0, flags=0, unsure=0, fast=0, later=0, disagreements=0,
        complete_things=is_given, complete_stuff=is_given, state="complete" if is_given else "unlabelled",
    )  # fmt: skip


def is_complete(image: ProjectImage) -> bool:
    """Whether the person declared the image done."""
    return bool(image.complete_things) or bool(image.complete_stuff)


def is_touched(image: ProjectImage) -> bool:
    """Whether anything was done on the image, or it is to be left out."""
    return image.state != "unlabelled"

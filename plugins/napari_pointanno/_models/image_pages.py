"""The images of a project, a page at a time, so that a list of ten thousand opens at once."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pointanno.project import Project, ProjectImage

PAGE, PAGES_KEPT = 128, 24


class ImagePages:
    """Rows of the image list.

    Parameters
    ----------
    project : Project
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pages: OrderedDict[int, list[ProjectImage]] = OrderedDict()
        self._count = project.image_count()
        self.unreadable: set[int] = set()
        """Images that could not be read in this session."""

    def __len__(self) -> int:
        return self._count

    def row(self, index: int) -> ProjectImage:
        """The image in a row."""
        page, offset = divmod(index, PAGE)
        if page not in self._pages:
            self._pages[page] = self._project.images(start=page * PAGE, count=PAGE)
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        self._pages.move_to_end(page)
        return self._pages[page][offset]

    def index_of(self, image_id: int) -> int | None:
        """Row of an image: looked for in the pages at hand first, then in all."""
        for page, images in self._pages.items():
            for offset, image in enumerate(images):
                if image.id == image_id:
                    return page * PAGE + offset
        for page in range((self._count + PAGE - 1) // PAGE):
            for offset, image in enumerate(self._project.images(start=page * PAGE, count=PAGE)):
                if image.id == image_id:
                    return page * PAGE + offset
        return None

    def refresh(self, index: int) -> None:
        """Read one row again; the rest of its page stays."""
        page, offset = divmod(index, PAGE)
        images = self._pages.get(page)
        if images is not None:
            images[offset] = self._project.image(images[offset].id)

    def next_unlabelled(self, after: int) -> int | None:
        """First row after `after`, round the end, with no annotation and not declared complete."""
        for step in range(1, self._count + 1):
            index = (after + step) % self._count
            image = self.row(index)
            if not is_touched(image):
                return index
        return None

    def touched(self) -> int:
        """Number of images with anything on them."""
        total = 0
        for start in range(0, self._count, PAGE):
            total += sum(is_touched(image) for image in self._project.images(start=start, count=PAGE))
        return total


def is_complete(image: ProjectImage) -> bool:
    """Whether the person declared the image done."""
    return bool(image.complete_things) or bool(image.complete_stuff)


def is_touched(image: ProjectImage) -> bool:
    """Whether the image carries an annotation or was declared done."""
    return bool(image.clicks or image.boxes) or is_complete(image)

"""Which box is asked about next when the order reaches across images."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from pointanno.project import Project

PAGE = 64


class BoxQueue:
    """Open boxes of a project in the order of a protocol.

    Parameters
    ----------
    project : Project
    order : "image", "class" or "shuffled"
        By image no list is made: the next image is looked for from where the person is.
    """

    def __init__(self, project: Project, order: str) -> None:
        self._project = project
        self.order = order
        self._waiting: list[tuple[int, str]] | None = None

    def next(self, after: int, left: Collection[str] = ()) -> tuple[int, str] | None:
        """Image and uid of the next open box, None if there is none any more.

        Parameters
        ----------
        after : int
            Place (`ProjectImage.position`) of the image that is shown; only the order by image begins there.
        left : collection of str
            Boxes that are not to be asked about now.
        """
        return self._next_image(after, left) if self.order == "image" else self._next_in_list(left)

    def _next_image(self, after: int, left: Collection[str]) -> tuple[int, str] | None:
        for first, end in ((after + 1, None), (0, after + 1)):
            start = first
            while page := self._project.images(start=start, count=PAGE):
                for image in page:
                    if end is not None and image.position >= end:
                        return None
                    uid = self._open_in(image.id, left) if image.boxes and image.skipped is None else None
                    if uid is not None:
                        return image.id, uid
                start = page[-1].position + 1
        return None

    def _next_in_list(self, left: Collection[str]) -> tuple[int, str] | None:
        for _ in range(2):  # a second time for what came in since the list was made
            if not self._waiting:
                found = self._project.open_boxes(self.order)
                self._waiting = [one for one in reversed(found) if one[1] not in left]
            while self._waiting:
                image_id, uid = self._waiting[-1]
                if uid not in left and self._is_open(image_id, uid):
                    return image_id, uid
                self._waiting.pop()
        return None

    def _open_in(self, image_id: int, left: Collection[str]) -> str | None:
        boxes = self._project.annotations(image_id).boxes
        waiting = (box.uid for box in boxes if not box.iscrowd and box.next_point is not None)
        return next((uid for uid in waiting if uid not in left), None)

    def _is_open(self, image_id: int, uid: str) -> bool:
        boxes = self._project.annotations(image_id).boxes
        return any(box.uid == uid and box.next_point is not None for box in boxes)

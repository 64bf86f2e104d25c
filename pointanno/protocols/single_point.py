"""One click per target: things get one click for each object, stuff any number of clicks."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.protocols.questions import AskClick, Step

if TYPE_CHECKING:
    from pointanno.dataset import Category
    from pointanno.project.records import Click, ImageAnnotations

SELECT_RADIUS = 6.0
"""Pixels (on the screen, if the caller converts) within which a press means the click that is there."""


class SinglePoint:
    """Asks for clicks, one after the other, until the person says that the image is complete.

    It holds no state: everything follows from the annotations of the image. Each click becomes an instance of
    its own; the project numbers them.
    """

    name = "single_point"

    def ask(self, annotations: ImageAnnotations) -> AskClick:
        """What to do next; there is always room for another click."""
        return AskClick(placed=len(annotations.clicks))

    def is_done(self, annotations: ImageAnnotations) -> bool:
        """Whether things and stuff were declared complete."""
        return annotations.complete is not None and all(annotations.complete.values())

    def find(self, annotations: ImageAnnotations, x: float, y: float, radius: float = SELECT_RADIUS) -> Click | None:
        """The click nearest to a pixel, None if none lies within `radius` (inclusive); of two, the newer one."""
        best, best_distance = None, radius
        for click in annotations.clicks:
            distance = math.hypot(click.x - x, click.y - y)
            if distance <= best_distance:
                best, best_distance = click, distance
        return best

    def press(
        self,
        annotations: ImageAnnotations,
        category: Category,
        x: int,
        y: int,
        image_size: tuple[int, int],
        *,
        selected: str | None = None,
        uid: str | None = None,
    ) -> list[Step]:
        """What a press on a pixel means.

        Parameters
        ----------
        annotations : of the image
        category : the class that is picked
        x, y : int
            Pixel indices.
        image_size : (height, width)
        selected : str or None
            Uid of the click that is selected; it is moved then.
        uid : str or None
            Uid of the new click; a fresh one by default.

        Returns
        -------
        list of (kind, payload)
            Empty if nothing changes: the class was clicked at this very pixel before (a double click), or the
            selected click is there already.

        Raises
        ------
        InputError
            If the pixel lies outside of the image.
        """
        height, width = image_size
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(
                f"The click at pixel ({x}, {y}) lies outside of the image of {width} x {height} pixels and was not "
                "taken. Click inside the image"
            )
        if selected is not None:
            there = any(click.uid == selected and (click.x, click.y) == (x, y) for click in annotations.clicks)
            return [] if there else [("move", {"uid": selected, "x": int(x), "y": int(y)})]
        if any((click.x, click.y, click.category_id) == (x, y, category.id) for click in annotations.clicks):
            return []
        new = uid or uuid.uuid4().hex
        return [("click", {"uid": new, "category_id": category.id, "x": int(x), "y": int(y)})]

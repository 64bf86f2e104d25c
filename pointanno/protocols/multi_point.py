"""Several clicks inside each target: n on every thing, and n on every class of stuff."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.protocols.questions import AskTarget, Step
from pointanno.protocols.single_point import SELECT_RADIUS, SinglePoint

if TYPE_CHECKING:
    from pointanno.dataset import Category
    from pointanno.project.records import Click, ImageAnnotations


@dataclass(frozen=True, slots=True)
class TargetProgress:
    """The clicks on one thing (same `instance`), or on one class of stuff (`instance` 0) of an image."""

    category_id: int
    isthing: bool
    instance: int
    clicks: tuple[Click, ...]
    total: int

    @property
    def uid(self) -> str:
        """Uid of a click, by which events name the target."""
        return self.clicks[-1].uid

    @property
    def placed(self) -> int:
        """Clicks that are there: k of n."""
        return len(self.clicks)

    @property
    def closed(self) -> bool:
        """Whether a person said that nothing more is to be clicked."""
        return any(click.closed for click in self.clicks)

    @property
    def is_done(self) -> bool:
        """Whether all clicks are there, or the person said that these are enough."""
        return self.closed or self.placed >= self.total


class MultiPoint:
    """Asks for n clicks on a target before the next target begins.

    It holds no state: which target is open follows from the annotations.

    Parameters
    ----------
    points_per_target : clicks on each thing and each class of stuff
    """

    name = "multi_point"

    def __init__(self, points_per_target: int = 10) -> None:
        if points_per_target < 1:
            raise InputError(f"points_per_target: expected at least 1, received {points_per_target}")
        self.points_per_target = points_per_target

    def targets(self, annotations: ImageAnnotations) -> list[TargetProgress]:
        """Targets in the order of their first clicks."""
        groups: dict[tuple[int, int], list[Click]] = {}
        for click in annotations.clicks:
            groups.setdefault((click.category_id, click.instance), []).append(click)
        return [
            TargetProgress(category_id, clicks[0].isthing, instance, tuple(clicks), self.points_per_target)
            for (category_id, instance), clicks in groups.items()
        ]

    def open_target(self, annotations: ImageAnnotations, *, prefer: str | None = None) -> TargetProgress | None:
        """The target that is clicked on now: that of the click `prefer`, else the open one with the newest click."""
        targets = self.targets(annotations)
        for target in targets:
            if prefer is not None and any(click.uid == prefer for click in target.clicks) and not target.is_done:
                return target
        place = {click.uid: number for number, click in enumerate(annotations.clicks)}
        open_targets = [target for target in targets if not target.is_done]
        return max(open_targets, key=lambda one: place[one.uid], default=None)

    def ask(self, annotations: ImageAnnotations, *, prefer: str | None = None) -> AskTarget:
        """What to do next: another click on the open target, else a first click on a new one."""
        finished = sum(target.is_done for target in self.targets(annotations))
        target = self.open_target(annotations, prefer=prefer)
        if target is None:
            return AskTarget(None, None, 0, 0, self.points_per_target, finished)
        return AskTarget(target.uid, target.category_id, target.instance, target.placed, target.total, finished)

    def is_done(self, annotations: ImageAnnotations) -> bool:
        """Whether no target is open, and things and stuff were declared complete."""
        complete = annotations.complete is not None and all(annotations.complete.values())
        return complete and self.open_target(annotations) is None

    def find(self, annotations: ImageAnnotations, x: float, y: float, radius: float = SELECT_RADIUS) -> Click | None:
        """The click nearest to a pixel, None if none lies within `radius`."""
        return SinglePoint().find(annotations, x, y, radius)

    def press(
        self,
        annotations: ImageAnnotations,
        category: Category,
        x: int,
        y: int,
        image_size: tuple[int, int],
        *,
        selected: str | None = None,
        prefer: str | None = None,
        new_target: bool = False,
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
        prefer : str or None
            Uid of a click of the target to go on with; it may be finished, and then gets one click more.
        new_target : bool
            Whether the click begins another thing although one is open; that one is then declared done.
        uid : str or None
            Uid of the new click; a fresh one by default.

        Returns
        -------
        list of (kind, payload)
            Empty if nothing changes: the target was clicked at this very pixel before.

        Raises
        ------
        InputError
            If the pixel lies outside of the image, or a thing is open and another class is picked.
        """
        if selected is not None:
            return SinglePoint().press(annotations, category, x, y, image_size, selected=selected)
        steps: list[Step] = []
        target = self._target_for(annotations, category, prefer)
        if new_target and category.isthing and target is not None:
            steps.append(("target_done", {"uid": target.uid, "done": True}))
            target = None
        there = () if target is None else target.clicks
        if any((click.x, click.y) == (x, y) for click in there):
            return []
        kind, payload = _click(category, x, y, image_size, uid)
        if target is not None and category.isthing:
            payload["instance"] = target.instance
        return [*steps, (kind, payload)]

    def finish_target(self, annotations: ImageAnnotations, *, prefer: str | None = None) -> Step:
        """The event that says that the open target has enough clicks.

        Raises
        ------
        InputError
            If no target is open.
        """
        target = self.open_target(annotations, prefer=prefer)
        if target is None:
            raise InputError("There is no open target on this image. Click on one first")
        return "target_done", {"uid": target.uid, "done": True}

    def reopen_target(self, uid: str) -> Step:
        """The event that takes back that the target of a click has enough clicks."""
        return "target_done", {"uid": uid, "done": False}

    def reclass_target(self, uid: str, category_id: int) -> Step:
        """The event that gives all clicks of a target another class."""
        return "reclass", {"uid": uid, "category_id": category_id, "whole_target": True}

    def delete_target(self, uid: str) -> Step:
        """The event that deletes all clicks of a target."""
        return "delete", {"uid": uid, "whole_target": True}

    def _target_for(
        self, annotations: ImageAnnotations, category: Category, prefer: str | None
    ) -> TargetProgress | None:
        """The target that a click of this class belongs to, None for a new one."""
        if prefer is not None:
            named = next(
                (one for one in self.targets(annotations) if any(click.uid == prefer for click in one.clicks)), None
            )
            if named is not None and named.category_id == category.id:
                return named
        if not category.isthing:
            return next((one for one in self.targets(annotations) if one.category_id == category.id), None)
        target = self.open_target(annotations)
        if target is None or not target.isthing:
            return next(
                (
                    one
                    for one in reversed(self.targets(annotations))
                    if one.category_id == category.id and not one.is_done
                ),
                None,
            )
        if target.category_id != category.id:
            raise InputError(
                f"The target has {target.placed} of {target.total} clicks and is of another class. Finish it first, or "
                "declare it done"
            )
        return target


def _click(
    category: Category, x: int, y: int, image_size: tuple[int, int], uid: str | None
) -> tuple[str, dict[str, Any]]:
    """The event of a click inside of the image."""
    height, width = image_size
    if not (0 <= x < width and 0 <= y < height):
        raise InputError(
            f"The click at pixel ({x}, {y}) lies outside of the image of {width} x {height} pixels and was not "
            "taken. Click inside the image"
        )
    return "click", {"uid": uid or uuid.uuid4().hex, "category_id": category.id, "x": int(x), "y": int(y)}

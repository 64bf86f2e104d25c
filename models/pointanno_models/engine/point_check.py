"""Agreement with the answers: the validation that costs no masks.

A point counts as right if the mask of its annotated box says what the annotator said. On pictures that are not
trained on this is a measure of the network; on training pictures it tells how far the network follows the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.dataset import IGNORED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from pointanno.dataset import Image, Instance, PointDataset
    from pointanno_models.engine.system import System


def spread_evenly(count: int, limit: int) -> list[int]:
    """Which of `count` things are used if at most `limit` may be (0 for all): always the same ones."""
    used = count if limit == 0 else min(limit, count)
    return [int(place) for place in np.linspace(0, count - 1, used).round()]


def answered_instances(dataset: PointDataset) -> dict[int, list[Instance]]:
    """By picture: objects with a box of at least a pixel and an answered point."""
    things = {category.id for category in dataset.categories if category.isthing}
    of_image: dict[int, list[Instance]] = {}
    for instance in dataset.instances:
        box = instance.box
        is_usable = not instance.iscrowd and box.x1 - box.x0 >= 1 and box.y1 - box.y0 >= 1
        if is_usable and instance.category_id in things and bool((instance.points.labels != IGNORED).any()):
            of_image.setdefault(instance.image_id, []).append(instance)
    return of_image


class PointCheck:
    """Point accuracy on a fixed selection of pictures.

    Parameters
    ----------
    dataset : PointDataset
    images : Path
        Folder of the pictures.
    limit : int
        Pictures used, spread evenly over those with answers; 0 for all.
    is_held_out : bool
        Whether these pictures take no part in the training.
    """

    def __init__(self, dataset: PointDataset, images: Path, *, limit: int, is_held_out: bool) -> None:
        self.is_held_out = is_held_out
        self._images = images
        self._of_image = answered_instances(dataset)
        with_answers = [image for image in dataset.images if image.id in self._of_image]
        self._pictures: tuple[Image, ...] = tuple(
            with_answers[place] for place in spread_evenly(len(with_answers), limit)
        )
        self._is_known = True

    def __len__(self) -> int:
        return len(self._pictures)

    def __call__(self, system: System, network: nn.Module, *, is_stop_asked: Callable[[], bool]) -> float | None:
        """Share of right points; None if a stop was asked for, or the system has no masks of given boxes."""
        import torch

        from pointanno.images import opened_image
        from pointanno_models.data.records import plane_of

        right = counted = 0
        for picture in self._pictures if self._is_known else ():
            if is_stop_asked():
                return None
            with opened_image(self._images / picture.file_name, plane_of(picture)) as image, torch.no_grad():
                found = system.point_accuracy(network, image, self._of_image[picture.id])
            if found is None:
                self._is_known = False
                return None
            right, counted = right + found[0], counted + found[1]
        return right / counted if counted else None

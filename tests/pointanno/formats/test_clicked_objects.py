from __future__ import annotations

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points, Target
from pointanno.formats.clicked_objects import clicked_objects, medoid


def _points(*coords: tuple[int, int], labels: tuple[int, ...] = ()) -> Points:
    return Points.answered(np.array(coords), np.array(labels or (1,) * len(coords)), source="click")


def test_one_object_for_a_box_its_links_and_all_clicks_of_one_number() -> None:
    box = Box(0, 0, 9, 9)
    dataset = PointDataset(
        images=(Image(1, "a.png", 20, 20),),
        categories=(Category(1, "cell", True), Category(2, "ground", False)),
        instances=(
            Instance(1, 1, 1, box, _points((1, 1), (2, 2), (3, 3), labels=(1, 0, -1))),
            Instance(2, 1, 1, box, _points((4, 4)), iscrowd=True),
            Instance(3, 1, 1, box, _points((5, 5), labels=(0,))),
        ),
        targets=(
            Target(1, 1, 1, True, 1, _points((1, 1), (6, 6)), linked_annotation_id=1),
            Target(2, 1, 1, True, 2, _points((7, 7)), linked_annotation_id=2),  # of the crowd
            Target(3, 1, 1, True, 3, _points((8, 8))),
            Target(4, 1, 1, True, 3, _points((8, 9))),
            Target(5, 1, 2, False, 0, _points((0, 10))),
            Target(6, 1, 2, False, 0, _points((0, 11))),
        ),
    )
    found = [(one.category_id, one.instance, one.points.coords.tolist()) for one in clicked_objects(dataset)]
    assert found == [(1, 1, [[1, 1], [6, 6]]), (1, 2, [[8, 8], [8, 9]]), (2, 0, [[0, 10], [0, 11]])]


@pytest.mark.parametrize(
    ("coords", "index"),
    [
        ([(3, 4)], 0),
        ([(0, 0), (10, 0), (4, 0)], 2),  # sums 14, 16, 10
        ([(0, 0), (0, 2)], 0),  # equal sums: the first
        ([(0, 0), (0, 9), (9, 0), (3, 3)], 3),
    ],
)
def test_the_medoid_is_the_point_nearest_to_all_others(coords: list[tuple[int, int]], index: int) -> None:
    assert medoid(_points(*coords)) == index

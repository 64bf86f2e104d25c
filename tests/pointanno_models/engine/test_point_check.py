from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points
from pointanno_models.engine.point_check import PointCheck, answered_instances, spread_evenly


def instance(number: int, image_id: int, labels: list[int], **fields: Any) -> Instance:
    points = Points.answered(np.zeros((len(labels), 2)), np.array(labels), source="test")
    return Instance(number, image_id, fields.pop("category_id", 1), Box(0, 0, 4, 4), points, **fields)


def dataset(*instances: Instance, count: int = 4) -> PointDataset:
    images = tuple(Image(number, f"{number}.png", 6, 6) for number in range(1, count + 1))
    return PointDataset(images, (Category(1, "cell", True), Category(2, "sky", False)), instances)


class Known:
    """A system whose answer for a picture is its brightness: so many right, always ten counted."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def point_accuracy(self, network: Any, image: Any, instances: list[Instance]) -> tuple[int, int] | None:
        self.asked.append([given.id for given in instances])
        value = int(np.asarray(image[0:1, 0:1]).max())
        return None if value == 255 else (value, 10)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number, value in ((1, 10), (2, 3), (3, 255), (4, 8)):
        PillowImage.fromarray(np.full((6, 6), value, np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


def test_only_answered_objects_are_asked() -> None:
    found = answered_instances(
        dataset(
            instance(1, 1, [1, 0]),
            instance(2, 1, [-1, -1]),
            instance(3, 2, [1], iscrowd=True),
            instance(4, 2, [1], category_id=2),
            instance(5, 3, [-1, 0]),
        )
    )
    assert {key: [given.id for given in value] for key, value in found.items()} == {1: [1], 3: [5]}


def test_accuracy_is_that_of_all_points_together(pictures: Path) -> None:
    """10 of 10 and 3 of 10 and 8 of 10: 0.7."""
    given = dataset(instance(1, 1, [1]), instance(2, 2, [0]), instance(3, 4, [1]))
    check, system = PointCheck(given, pictures, limit=0, is_held_out=True), Known()
    never: Any = lambda: False  # noqa: E731
    assert len(check) == 3
    assert check(system, None, is_stop_asked=never) == pytest.approx(0.7)  # type: ignore[arg-type]
    assert system.asked == [[1], [2], [3]]


def test_the_same_few_pictures_each_time(pictures: Path) -> None:
    assert spread_evenly(10, 3) == [0, 4, 9] and spread_evenly(3, 0) == [0, 1, 2] and spread_evenly(2, 5) == [0, 1]
    given = dataset(instance(1, 1, [1]), instance(2, 2, [0]), instance(3, 4, [1]))
    check, system = PointCheck(given, pictures, limit=2, is_held_out=False), Known()
    for _ in range(2):
        check(system, None, is_stop_asked=lambda: False)  # type: ignore[arg-type]
    assert system.asked == [[1], [3]] * 2


def test_nothing_to_say(pictures: Path) -> None:
    system: Any = Known()
    unknown = PointCheck(dataset(instance(1, 3, [1]), instance(2, 4, [1])), pictures, limit=0, is_held_out=True)
    assert unknown(system, None, is_stop_asked=lambda: False) is None  # type: ignore[arg-type]
    assert unknown(system, None, is_stop_asked=lambda: False) is None  # type: ignore[arg-type]
    assert system.asked == [[1]], "a system without such masks is not asked again"
    stopped = PointCheck(dataset(instance(1, 1, [1])), pictures, limit=0, is_held_out=True)
    assert stopped(system, None, is_stop_asked=lambda: True) is None  # type: ignore[arg-type]
    empty = PointCheck(dataset(), pictures, limit=0, is_held_out=True)
    assert len(empty) == 0 and empty(system, None, is_stop_asked=lambda: False) is None  # type: ignore[arg-type]

"""Training records of data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points
from pointanno_models.data.records import records_from_dataset


def test_pictures_with_different_numbers_of_points_share_their_slots(tmp_path: Path) -> None:
    """Batches put the points of several pictures beside each other, and their losses are divided by all slots."""
    images, instances = [], []
    for number, count in ((1, 3), (2, 7)):
        name = f"{number}.png"
        (tmp_path / name).touch()
        images.append(Image(number, name, 20, 20))
        coords = np.stack([np.arange(count), np.arange(count)], axis=1).astype(np.int32)
        points = Points.answered(coords, np.ones(count), source="simulated")
        instances.append(Instance(id=number, image_id=number, category_id=5, box=Box(0, 0, 10, 10), points=points))
    dataset = PointDataset(
        images=tuple(images), categories=(Category(5, "cell", isthing=True),), instances=tuple(instances)
    )
    short, full = records_from_dataset(dataset, tmp_path, supervision="points")
    assert short.point_coords.shape == full.point_coords.shape == (1, 7, 2)
    assert short.point_labels.tolist() == [[1, 1, 1, -1, -1, -1, -1]]
    assert full.point_labels.tolist() == [[1] * 7]

"""Which pictures are learnt from, and what is a target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.dataset import (
    Box,
    Category,
    Image,
    Instance,
    MaskLabel,
    PointDataset,
    Points,
    Target,
)
from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle
from pointanno_models.psps.records import ClassOrder, records_from_dataset
from pointanno_models.psps.samples import paint_targets

CATEGORIES = (
    Category(9, "sky", False),
    Category(4, "car", True),
    Category(7, "cat", True),
    Category(2, "road", False),
)
"""Classes: car 0, cat 1, road 2, sky 3."""


def points(*coords: tuple[int, int], labels: tuple[int, ...] | None = None) -> Points:
    return Points.answered(np.array(coords), np.array(labels or (1,) * len(coords)), source="click")


def target(number: int, image: int, category: int, instance: int, given: Points, linked: int | None = None) -> Target:
    return Target(number, image, category, category in (4, 7), instance, given, linked)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2):
        Picture.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def dataset() -> PointDataset:
    done = {"things": True, "stuff": True}
    return PointDataset(
        images=tuple(Image(number, f"{number}.png", 20, 30, complete=done) for number in (1, 2)),
        categories=CATEGORIES,
        targets=(
            target(1, 1, 4, 1, points((3, 4), (5, 6), (0, 0), labels=(1, 1, 0))),
            target(2, 1, 4, 2, points((10, 4))),
            target(3, 1, 9, 0, points((20, 1))),
            target(4, 1, 9, 0, points((25, 2))),
            target(5, 2, 7, 1, points((8, 8))),
        ),
    )


def test_order_of_classes_is_things_first() -> None:
    order = ClassOrder.of(CATEGORIES)
    assert order.category_ids == (4, 7, 2, 9)
    assert (order.num_things, order.num_stuff) == (2, 2)
    assert order.labels() == {4: 0, 7: 1, 2: 2, 9: 3}


def test_clicks_become_targets(dataset: PointDataset, folder: Path) -> None:
    """Two cars, the first with two clicks and a negative point; two clicks on the sky are one target."""
    (first, second), notes = records_from_dataset(dataset, folder, supervision="points")
    assert notes == ()
    assert first.labels.tolist() == [0, 0, 3]
    assert first.target_ids.tolist() == [1, 2, 3]
    assert first.click_targets.tolist() == [0, 0, 1, 2, 2]
    assert first.click_coords.tolist() == [[3.5, 4.5], [5.5, 6.5], [10.5, 4.5], [20.5, 1.5], [25.5, 2.5]]
    assert second.labels.tolist() == [1]
    assert first.masks is None


def test_only_complete_pictures_are_learnt_from(dataset: PointDataset, folder: Path) -> None:
    images = list(dataset.images)
    images[1] = replace(images[1], complete={"things": True, "stuff": False})
    partly = replace(dataset, images=tuple(images))
    records, notes = records_from_dataset(partly, folder, supervision="points")
    assert [record.image_id for record in records] == [1]
    assert notes == (
        "1 of 2 pictures have clicks but are not declared complete and are left out: 2.png; declare them complete, or "
        "learn from all by --set data.all_pictures=true",
    )
    records, notes = records_from_dataset(partly, folder, supervision="points", all_pictures=True)
    assert len(records) == 2 and notes == ()


@pytest.mark.parametrize(
    ("complete", "exhaustive", "skipped", "is_learnt"),
    [
        ({"things": True, "stuff": True}, None, None, True),
        ({"things": False, "stuff": True}, True, None, False),
        ({"things": True}, None, None, False),  # the stuff is not said to be complete
        (None, True, None, True),  # the file says it of all pictures
        (None, False, None, False),
        (None, None, None, False),
        ({"things": True, "stuff": True}, True, "blurred", False),
    ],
)
def test_what_counts_as_complete(
    dataset: PointDataset,
    folder: Path,
    complete: dict[str, bool] | None,
    exhaustive: bool | None,
    skipped: str | None,
    is_learnt: bool,
) -> None:
    first = replace(dataset.images[0], complete=complete, skipped=skipped)
    changed = replace(dataset, images=(first, dataset.images[1]), exhaustive_things=exhaustive)
    records, _ = records_from_dataset(changed, folder, supervision="points")
    assert (1 in [record.image_id for record in records]) is is_learnt


def test_nothing_complete_is_refused_in_words(dataset: PointDataset, folder: Path) -> None:
    undeclared = replace(dataset, images=tuple(replace(image, complete=None) for image in dataset.images))
    with pytest.raises(InputError, match="none of the 2 pictures with clicks is declared complete"):
        records_from_dataset(undeclared, folder, supervision="points")
    with pytest.raises(InputError, match="no click to learn from"):
        records_from_dataset(replace(dataset, targets=()), folder, supervision="points")
    with pytest.raises(InputError, match="no masks to learn from"):
        records_from_dataset(dataset, folder, supervision="masks")
    with pytest.raises(InputError, match="no categories"):
        records_from_dataset(PointDataset((), ()), folder, supervision="points")
    with pytest.raises(InputError, match=r"1\.png: image 1 of the data set is not there"):
        records_from_dataset(dataset, folder / "elsewhere", supervision="points")


def test_points_in_boxes_are_clicks(dataset: PointDataset, folder: Path) -> None:
    """A box that a clicked object is linked with adds its points to that; any other is an object of its own."""
    given = points((12, 5), (1, 1), labels=(1, 0))
    boxes = (
        Instance(50, 1, 4, Box(9, 2, 14, 8), given),
        Instance(51, 1, 7, Box(0, 9, 5, 15), points((2, 12))),
        Instance(52, 1, 7, Box(0, 9, 5, 15), points((2, 13)), iscrowd=True),
        Instance(53, 1, 7, Box(0, 9, 5, 15), points((2, 13), labels=(0,))),
    )
    linked = replace(dataset.targets[1], linked_annotation_id=50)
    changed = replace(dataset, instances=boxes, targets=(dataset.targets[0], linked, *dataset.targets[2:]))
    (record, _), _ = records_from_dataset(changed, folder, supervision="points")
    assert record.labels.tolist() == [0, 0, 3, 1]
    assert record.click_coords[record.click_targets == 1].tolist() == [[10.5, 4.5], [12.5, 5.5]]
    assert record.click_coords[record.click_targets == 3].tolist() == [[2.5, 12.5]]
    (record, _), _ = records_from_dataset(changed, folder, supervision="points", box_points=False)
    assert record.labels.tolist() == [0, 0, 3]


def mask_of(rows: slice, columns: slice, source: str = "ground_truth") -> MaskLabel:
    mask = np.zeros((20, 30), bool)
    mask[rows, columns] = True
    return MaskLabel(mask_to_rle(mask), source)


def test_masks_become_targets(dataset: PointDataset, folder: Path) -> None:
    """Two regions of sky are one target; the small cat lies on the large car; the crowd is ignored."""
    box = Box(0, 0, 1, 1)
    instances = (
        Instance(1, 1, 7, box, points(), mask=mask_of(slice(5, 8), slice(5, 8))),
        Instance(2, 1, 9, box, points(), mask=mask_of(slice(0, 2), slice(0, 10))),
        Instance(3, 1, 4, box, points(), mask=mask_of(slice(4, 12), slice(4, 12))),
        Instance(4, 1, 9, box, points(), mask=mask_of(slice(0, 2), slice(20, 30))),
        Instance(5, 1, 4, box, points(), iscrowd=True, mask=mask_of(slice(15, 20), slice(0, 30))),
    )
    [record], _ = records_from_dataset(replace(dataset, instances=instances), folder, supervision="masks")
    assert record.labels.tolist() == [3, 0, 1]
    assert record.has_void and len(record.click_coords) == 0
    painted = paint_targets(record)
    assert painted[6, 6] == 3 and painted[4, 4] == 2
    assert painted[0, 0] == painted[0, 25] == 1 and painted[0, 15] == 0
    assert (painted[15:] == -1).all()


def test_an_object_without_a_mask_is_refused(dataset: PointDataset, folder: Path) -> None:
    bare = replace(dataset, instances=(Instance(8, 1, 4, Box(0, 0, 5, 5), points()),))
    with pytest.raises(InputError, match="annotation 8 of 1.png: --supervision masks needs a mask for every instance"):
        records_from_dataset(bare, folder, supervision="masks")

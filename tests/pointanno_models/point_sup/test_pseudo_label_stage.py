from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from pointanno.dataset import (
    DOUBTFUL_PSEUDO_LABEL,
    PSEUDO_LABEL,
    Box,
    Category,
    Image,
    Instance,
    MaskLabel,
    PointDataset,
    Points,
)
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.formats.rle import mask_to_rle, rle_area
from pointanno.formats.validate import validate_file
from pointanno.mask_patches import MaskPatch
from pointanno.runs.review import read_review
from pointanno_models.data.records import records_from_dataset
from pointanno_models.engine.system import StageContext
from pointanno_models.point_sup.pseudo_label_stage import PSEUDO_MASKS, instances_to_label, label_pictures
from pointanno_models.point_sup.pseudo_labels import PseudoMask


def instance(number: int, image_id: int, **fields: object) -> Instance:
    points = Points.answered(np.array([[3, 3], [4, 4]]), np.array([1, 0]), source="test")
    made = Instance(number, image_id, 1, Box(2, 2, 8, 8), points, area=36.0)
    return replace(made, **fields)  # type: ignore[arg-type]


def painted() -> MaskLabel:
    mask = np.zeros((16, 20), dtype=bool)
    mask[3:5, 3:6] = True
    return MaskLabel(mask_to_rle(mask), "painted")


DATASET = PointDataset(
    images=tuple(Image(number, f"{number}.png", 16, 20) for number in (1, 2, 3, 4)),
    categories=(Category(1, "cell", True),),
    instances=(
        instance(11, 1),
        instance(12, 1, mask=painted()),
        instance(13, 2),
        instance(14, 2, iscrowd=True),
        instance(15, 3),
        instance(16, 3),
    ),
)


class Maker:
    """Instance 13 contradicts half of its answers, 15 is empty; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, image: Image, instances: Sequence[Instance]) -> list[PseudoMask]:
        self.asked.append(image.id)
        return [
            PseudoMask(
                mask=MaskPatch((2, 2), np.full((6, 6), 1, np.uint8)),
                contradicted=int(made.id == 13),
                answered=2,
                is_empty=made.id == 15,
            )
            for made in instances
        ]


def context(folder: Path, *, stop_after: int = 100) -> tuple[StageContext, list[tuple[int, int]], list[str]]:
    told: list[tuple[int, int]] = []
    warnings: list[str] = []
    made = StageContext(
        folder=folder,
        dataset=DATASET,
        images=folder,
        device="cpu",
        seed=0,
        is_stop_asked=lambda: len(told) > stop_after,
        progress=lambda done, total: told.append((done, total)),
        warn=warnings.append,
    )
    return made, told, warnings


def test_files_say_which_masks_can_be_trusted(tmp_path: Path) -> None:
    given, told, warnings = context(tmp_path)
    maker = Maker()
    label_pictures(given, maker, max_disagreement=0.3)
    assert maker.asked == [1, 2, 3], "a picture without boxes is not asked"
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert "2 of 4 pseudo masks contradict more than 30%" in warnings[0]
    assert [path.name for path in sorted(tmp_path.iterdir())] == [PSEUDO_MASKS, "review.json"]

    found = read_dataset(tmp_path / PSEUDO_MASKS)
    masks = {made.id: made.mask for made in found.instances}
    assert all(mask is not None for mask in masks.values())
    assert {number: mask.source for number, mask in masks.items() if mask is not None} == {
        11: PSEUDO_LABEL, 12: "painted", 13: DOUBTFUL_PSEUDO_LABEL, 14: DOUBTFUL_PSEUDO_LABEL,
        15: DOUBTFUL_PSEUDO_LABEL, 16: PSEUDO_LABEL,
    }  # fmt: skip
    assert masks[12] is not None and rle_area(masks[12].rle) == 6, "what a person painted stays"
    assert [made.area for made in found.instances] == [36, 36, 36, 36, 36, 36]
    assert {image.id for image in found.images} == {1, 2, 3, 4}
    assert not [finding for finding in validate_file(tmp_path / PSEUDO_MASKS) if finding.severity == "error"]

    review = read_review(tmp_path / "review.json")
    assert (review.labelled, review.answered, review.contradicted) == (4, 8, 1)
    listed = [(item.annotation_id, item.file_name, item.share, item.is_empty) for item in review.doubtful]
    assert listed == [(15, "3.png", 1.0, True), (13, "2.png", 0.5, False)]
    assert [item.contradicted for item in review.doubtful] == [0, 1]


def test_doubtful_masks_are_not_learnt_from(tmp_path: Path) -> None:
    given, _, _ = context(tmp_path)
    label_pictures(given, Maker(), max_disagreement=0.3)
    for number in (1, 2, 3, 4):
        (tmp_path / f"{number}.png").touch()
    records = records_from_dataset(read_dataset(tmp_path / PSEUDO_MASKS), tmp_path, supervision="masks")
    known = {record.image_id: None if record.has_mask is None else record.has_mask.tolist() for record in records}
    # boxes of all of them are learnt; the crowd region is no object
    assert known == {1: None, 2: [False], 3: [False, True]}
    assert [len(record.boxes) for record in records] == [2, 1, 2]


@pytest.mark.parametrize(
    "end", [b"", b"torn", b"\0\0\0\n", b"{}\n", b"[]\n", b'{"image_id":3,"instances":[{"id":1}]}\n']
)
def test_goes_on_where_it_was_stopped(tmp_path: Path, end: bytes) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    label_pictures(context(whole)[0], Maker(), max_disagreement=0.3)
    given, told, _ = context(parts, stop_after=2)
    label_pictures(given, Maker(), max_disagreement=0.3)
    assert told[-1] == (2, 3) and not (parts / PSEUDO_MASKS).exists()
    lines = parts / "pictures.jsonl"
    is_torn = end == b"torn"
    if is_torn:  # killed while the second line was written
        lines.write_bytes(lines.read_bytes()[:-20])
    else:  # what a power failure may leave
        lines.write_bytes(lines.read_bytes() + end)
    maker = Maker()
    label_pictures(context(parts)[0], maker, max_disagreement=0.3)
    assert maker.asked == ([2, 3] if is_torn else [3])
    for name in (PSEUDO_MASKS, "review.json"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()
    again = Maker()
    given, told, _ = context(parts)
    label_pictures(given, again, max_disagreement=0.3)
    assert not again.asked and told == [(3, 3)]


def test_labels_that_teach_nothing_are_an_error(tmp_path: Path) -> None:
    def useless(image: Image, instances: Sequence[Instance]) -> list[PseudoMask]:
        return [PseudoMask(MaskPatch((2, 2), np.ones((6, 6), np.uint8)), 2, 2, False) for _ in instances]

    def empty(image: Image, instances: Sequence[Instance]) -> list[PseudoMask]:
        return [PseudoMask(MaskPatch((2, 2), np.ones((6, 6), np.uint8)), 0, 2, True) for _ in instances]

    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="train the first stage longer$"):  # accepting more would not help
        label_pictures(context(tmp_path / "empty")[0], empty, max_disagreement=1.0)
    with pytest.raises(InputError, match="not one of 4 pseudo masks agrees with its answers.*max_disagreement=1$"):
        label_pictures(context(tmp_path)[0], useless, max_disagreement=0.3)
    assert len(read_review(tmp_path / "review.json").doubtful) == 4
    label_pictures(context(tmp_path)[0], useless, max_disagreement=1.0)
    assert (tmp_path / PSEUDO_MASKS).exists()


def test_stuff_and_tiny_boxes_get_no_mask() -> None:
    dataset = replace(
        DATASET,
        categories=(Category(1, "cell", True), Category(2, "sky", False)),
        instances=(instance(1, 1, category_id=2), instance(2, 1, box=Box(2, 2, 2.5, 9)), instance(3, 1)),
    )
    assert [made.id for made in instances_to_label(dataset)[1]] == [3]


def test_a_damaged_review_is_named(tmp_path: Path) -> None:
    path = tmp_path / "review.json"
    path.write_bytes(orjson.dumps({"labelled": 3}))
    with pytest.raises(InputError, match="review.json: the review could not be read"):
        read_review(path)

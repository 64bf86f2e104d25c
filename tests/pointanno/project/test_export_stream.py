"""A file written image by image is the same as one written from memory; boxes are asked about in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset
from pointanno.formats.rle import mask_to_rle
from pointanno.formats.validate import has_errors, validate_file
from pointanno.project import Project


@pytest.mark.parametrize("seed", [1, 2])
def test_streamed_and_written_at_once_are_the_same(
    project: Project, person: Any, every_kind: list[str], pictures: Path, tmp_path: Path, seed: int
) -> None:
    someone = person(project, seed, every_kind)
    for _ in range(60):
        someone.act()
    project.close()
    with Project.open(project.path, annotator="second person") as opened:
        someone = person(opened, seed + 50, every_kind)
        for _ in range(30):
            someone.act()
        one, other = tmp_path / "one.json", tmp_path / "other.json"
        FORMATS["coco-point"].write(opened.dataset(with_events=True), one)
        counts = opened.write_coco_point(other)
        assert one.read_text().splitlines() == other.read_text().splitlines()
        assert not has_errors(validate_file(other))
        found = read_dataset(other)
        assert counts["images"] == 3 and counts["targets"] == len(found.targets)
        opened.write_coco_point(one, with_events=False, image_ids=[2])
        assert {image.id for image in read_dataset(one).images} == {2}
    with Project.create(tmp_path / "copy", images=pictures, coco=other, points_per_box=4) as copy:
        copy.write_coco_point(tmp_path / "again.json", with_events=False)
        opened_again = tmp_path / "third.json"
        with Project.open(project.path, writable=False) as reader:
            reader.write_coco_point(opened_again, with_events=False)
        theirs, ours = read_dataset(tmp_path / "again.json"), read_dataset(opened_again)
        assert theirs.images == ours.images and theirs.targets == ours.targets
        assert sorted(theirs.instances, key=lambda one: one.id) == sorted(ours.instances, key=lambda one: one.id)
        assert [one["id"] for one in theirs.sessions] == [one["id"] for one in ours.sessions]


def test_masks_of_things_and_stuff(project: Project, pictures: Path, tmp_path: Path) -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:15, 10:30] = True
    rle = mask_to_rle(mask)
    thing = {"uid": "a" * 32, "category_id": 1, "rle": rle, "source": "accepted_prediction", "suggested_by": "run 7"}
    project.record("mask", thing, image_id=1)
    project.record("mask", {"uid": "b" * 32, "category_id": 3, "rle": rle, "source": "painted"}, image_id=1)
    box = project.annotations(1).boxes[0]
    assert box.box.xyxy == (10, 5, 30, 15) and box.source == "mask" and project.image(1).boxes == 2
    file = tmp_path / "masks.json"
    project.write_coco_point(file)

    data = orjson.loads(file.read_bytes())
    [annotation], [region] = data["annotations"], data["stuff_masks"]
    assert (annotation["provenance"], annotation["suggested_by"]) == ("suggested+accepted", "run 7")
    assert annotation["area"] == 200.0 and annotation["point_status"] == ["pad"] * 4
    assert (region["category_id"], region["provenance"], region["segmentation"]) == (3, "manual", rle)
    assert not validate_file(file)
    panoptic = tmp_path / "panoptic.json"
    FORMATS["coco-panoptic"].write(project.dataset(), panoptic)
    with Project.create(tmp_path / "copy", images=pictures, coco=file, points_per_box=4) as copy:
        assert [one.mask for one in copy.annotations(1).boxes] == [one.mask for one in project.annotations(1).boxes]
        copy.write_coco_point(tmp_path / "again.json", with_events=False)
    project.write_coco_point(file, with_events=False)
    again = orjson.loads((tmp_path / "again.json").read_bytes())
    assert again["stuff_masks"][0]["segmentation"] == rle
    with pytest.raises(InputError, match="nothing but its mask"):
        project.record("mask", {"uid": "a" * 32, "rle": None}, image_id=1)
    empty = mask_to_rle(np.zeros((40, 60), dtype=bool))
    with pytest.raises(InputError, match="the mask is empty"):
        project.record("mask", {"uid": "a" * 32, "rle": empty}, image_id=1)


def test_extreme_points_and_finished_targets_reach_the_file(project: Project, pictures: Path, tmp_path: Path) -> None:
    extremes = [[5, 1], [1, 4], [5, 9], [9, 5]]
    payload = {"uid": "e" * 32, "category_id": 1, "box": [1, 1, 10, 10], "point_coords": [[3, 3]]}
    payload |= {"extreme_points": extremes, "extreme_times_ms": [700, 650, 800, None]}
    project.record("extreme", {"category_id": 1, "x": 5, "y": 1, "time_ms": 700}, image_id=1)
    assert len(project.annotations(1).extremes) == 1
    project.record("box", payload, image_id=1)
    assert project.annotations(1).extremes == () and project.annotations(1).boxes[0].extreme_points[1] == (1, 4)
    project.record("answer", {"uid": "e" * 32, "point": 0, "value": "object"}, image_id=1)
    for number in range(2):
        click = {"uid": str(number) * 32, "category_id": 1, "x": 20 + number, "y": 9, "instance": 1}
        project.record("click", click, image_id=1)
    project.record("target_done", {"uid": "0" * 32, "done": True}, image_id=1)
    file = tmp_path / "out.json"
    project.write_coco_point(file, with_events=False)
    found = read_dataset(file)
    assert found.instances[0].extra["extreme_points"] == extremes and found.instances[0].box_source == "extreme"
    [target] = found.targets
    assert len(target.points) == 2 and target.extra == {"done": True}
    with Project.create(tmp_path / "copy", images=pictures, coco=file, points_per_box=4) as copy:
        assert all(click.closed for click in copy.annotations(1).clicks[:1])
        copy.write_coco_point(tmp_path / "again.json", with_events=False)
    assert (tmp_path / "again.json").read_bytes() == file.read_bytes()


def test_boxes_are_asked_about_in_a_seeded_order(project: Project) -> None:
    for number in range(12):
        payload = {
            "uid": f"{number:032x}",
            "category_id": 1 + number % 2,
            "box": [0, 0, 9, 9],
            "point_coords": [[1, 1]],
        }
        project.record("box", payload, image_id=1 + number % 3)
    by_image = project.open_boxes()
    assert [image_id for image_id, _ in by_image] == [1] * 4 + [2] * 4 + [3] * 4
    by_class = [int(uid, 16) % 2 for _, uid in project.open_boxes("class")]
    assert by_class == [0] * 6 + [1] * 6
    shuffled = project.open_boxes("shuffled", seed=3)
    assert sorted(shuffled) == sorted(by_image) and shuffled != by_image
    assert shuffled == project.open_boxes("shuffled", seed=3) != project.open_boxes("shuffled", seed=4)
    image_id, uid = shuffled[0]
    project.record("answer", {"uid": uid, "point": 0, "value": "object"}, image_id=image_id)
    assert project.open_boxes("shuffled", seed=3) == shuffled[1:], "answered boxes leave, the others keep their order"
    image_id, uid = shuffled[1]
    project.record("skip_box", {"uid": uid, "reason": "blurred"}, image_id=image_id)
    assert project.open_boxes("shuffled", seed=3) == shuffled[2:]
    with pytest.raises(InputError, match="order: expected one of image, class, shuffled"):
        project.open_boxes("random")

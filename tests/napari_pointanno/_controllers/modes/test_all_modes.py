"""What all ways of annotating have in common: undo without limit, a sudden end, and the exported file."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.formats import read_dataset
from pointanno.formats.rle import rle_to_mask
from pointanno.formats.validate import validate_file
from pointanno.project import Project

KEYS = ("1", "2", "3", "4", "F", "J", "U", "R", "A", "S", "O", "Return", "Escape", "Delete", "Backspace", "=", "N", "B")


def _act(desktop: Any, rng: random.Random) -> None:
    """One thing that a person might do."""
    person = desktop.person
    here = (rng.randrange(2, 78), rng.randrange(2, 58))
    there = (rng.randrange(2, 78), rng.randrange(2, 58))
    choice = rng.random()
    if choice < 0.12:
        person.key(rng.choice("QWTM"))
    elif choice < 0.16 and desktop.session.mode == "box_points":
        desktop.controller.sitting.use_tool(rng.choice(("drag", "extreme", "none", "order")))
    elif choice < 0.45:
        person.click(*here)
    elif choice < 0.65:
        person.drag(*here, *there)
    elif choice < 0.68:
        person.press(*here)
        person.move(*there)
        person.key("Escape")
        person.release(*there)
    else:
        person.key(rng.choice(KEYS))


@pytest.mark.parametrize("seed", [0, 1])
def test_random_work_can_be_undone_and_redone_whole(desktop: Any, seed: int) -> None:
    project = desktop.project
    project.set_protocol("first", "multi_point", [1], points_per_target=3)
    rng = random.Random(seed)
    start, newest = project.projection_hash(), max(event.seq for event in project.events())
    for _ in range(120):
        _act(desktop, rng)
    desktop.person.click(40, 30)  # nothing is left to be redone that a Backspace took back
    kinds = {event.kind for event in project.events() if event.seq > newest}
    assert {"click", "mask", "box"} <= kinds
    end, steps = project.projection_hash(), 0
    while project.projection_hash() != start:
        assert project.can_undo
        desktop.person.key("Ctrl+Z")
        steps += 1
    for _ in range(steps):
        desktop.person.key("Ctrl+Shift+Z")
    assert project.projection_hash() == end
    project.rebuild()
    assert project.projection_hash() == end


def test_a_sudden_end_loses_no_click(desktop: Any, tmp_path: Path) -> None:
    """The files as they are while something goes on: what a power cut would leave."""
    person = desktop.person
    person.key("T")
    person.click(10, 10)
    person.click(14, 10)
    person.key("W")
    desktop.controller.sitting.use_tool("extreme")
    for place in ((30, 10), (20, 25), (33, 40)):
        person.click(*place)
    person.key("M")
    person.drag(60, 10, 70, 10)
    person.press(60, 40)
    person.move(70, 40)  # the button is down
    shutil.copytree(desktop.project.path, tmp_path / "left.pointanno")
    with Project.open(tmp_path / "left.pointanno") as left:
        there = left.annotations(1)
        assert len(there.clicks) == 2 and len({click.instance for click in there.clicks}) == 1
        assert [(one.x, one.y) for one in there.extremes] == [(30, 10), (20, 25), (33, 40)]
        (box,) = there.boxes
        assert box.mask is not None and not rle_to_mask(box.mask.rle)[35:].any()


def test_what_each_mode_makes_is_exported_and_read_again(desktop: Any, tmp_path: Path) -> None:
    """A few masks, boxes by extreme points and clicks in one file, as PointWSSIS wants them."""
    project, person = desktop.project, desktop.person
    first, second, third = (image.id for image in project.images())
    project.set_protocol("clicks", "multi_point", [first], points_per_target=3)
    project.set_protocol("boxes", "box_points", [second], draw="extreme")
    project.set_protocol("few", "mask", [third])
    desktop.controller.show_image(0)
    for place in ((10, 10), (14, 10), (12, 14), (40, 40)):
        person.click(*place)
    person.key("Return")
    person.key("3")
    person.click(70, 50)
    person.key("D")
    person.key("2")
    for place in ((30, 10), (20, 25), (33, 40), (50, 22)):
        person.click(*place)
    for key in "FJU":
        person.key(key)
    person.key("D")
    person.key("=")
    person.drag(10, 10, 40, 10)
    person.key("A")
    person.key("4")
    person.key("O")
    for place in ((10, 30), (70, 30), (70, 55), (10, 55)):
        person.click(*place)
    person.key("Return")
    made = rle_to_mask(project.annotations(third).boxes[1].mask.rle)
    path = tmp_path / "out.json"
    project.write_coco_point(path)
    assert validate_file(path, images=project.images_folder) == []
    written = json.loads(path.read_text())
    targets = [(one["category_id"], len(one["point_coords"])) for one in written["point_annotations"]]
    assert targets == [(1, 3), (1, 1), (3, 1)]
    (extreme,) = [one for one in written["annotations"] if one.get("extreme_points")]
    assert extreme["extreme_points"] == [[30, 10], [20, 25], [33, 40], [50, 22]]
    assert extreme["bbox"] == [20, 10, 31, 31] and extreme["point_labels"] == [1, 0, -1]
    masks = [one for one in written["annotations"] if "segmentation" in one]
    (region,) = written["stuff_masks"]
    assert [one["mask_source"] for one in (*masks, region)] == ["painted", "polygon"]
    np.testing.assert_array_equal(rle_to_mask(region["segmentation"]), made)
    again = Project.create(tmp_path / "again", images=project.images_folder, points_per_box=3)
    again.import_dataset(read_dataset(path))
    assert [box.mask is not None for box in again.annotations(third).boxes] == [True, True]
    assert again.annotations(second).boxes[0].extreme_points == ((30, 10), (20, 25), (33, 40), (50, 22))
    assert len(again.annotations(first).clicks) == 5
    back = tmp_path / "back.json"
    again.write_coco_point(back, with_events=False)
    repeated = json.loads(back.read_text())
    assert repeated["stuff_masks"][0]["segmentation"] == region["segmentation"]
    for name in ("point_coords", "segmentation", "extreme_points", "bbox"):
        assert [one.get(name) for one in repeated["annotations"]] == [one.get(name) for one in written["annotations"]]
    again.close()

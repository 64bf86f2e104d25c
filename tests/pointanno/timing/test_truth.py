"""Annotations beside masks of which everything is known.

The only cell covers pixels 10 to 19 of both axes; its box is (10, 10, 20, 20). Ground covers the rows from 100 on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.cli.main import main
from pointanno.dataset import Box, Category, Image, Instance, MaskLabel, PointDataset, Points
from pointanno.errors import InputError
from pointanno.formats import FORMATS
from pointanno.formats.rle import mask_to_rle
from pointanno.project import Project
from pointanno.timing.findings import Options, find
from pointanno.timing.report import render
from pointanno.timing.truth import box_iou, mask_iou, truth_of

CELL, GROUND = Category(1, "cell", True), Category(2, "ground", False)
NOTHING = Points.answered(np.zeros((0, 2)), np.zeros(0), source="imported")


def _instance(number: int, category_id: int, rows: slice, columns: slice) -> Instance:
    mask = np.zeros((200, 300), bool)
    mask[rows, columns] = True
    y, x = np.nonzero(mask)
    box = Box(float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
    rle = mask_to_rle(mask)
    return Instance(number, 7, category_id, box, NOTHING, mask=MaskLabel(rle, "ground_truth"), area=float(mask.sum()))


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """The classes have other numbers than in the project."""
    dataset = PointDataset(
        images=(Image(7, "elsewhere/a.png", 200, 300),),
        categories=(Category(5, "cell", True), Category(6, "ground", True)),
        instances=(
            _instance(1, 5, slice(10, 20), slice(10, 20)),
            _instance(2, 6, slice(100, 200), slice(0, 300)),
        ),
    )
    path = tmp_path / "truth.json"
    FORMATS["coco-instances"].write(dataset, path)
    return path


@pytest.fixture
def annotated(empty_project: Project, worker: Callable[[Project, int], Any]) -> Project:
    """Two boxes that mean the cell, one that means nothing, five clicks, a mask of half of the cell."""
    empty_project.add_category("ground", isthing=False)
    person = worker(empty_project, 0)
    person.begin("box_points")
    person.show(1)
    boxes = {"a": [10, 10, 20, 20], "b": [12, 10, 22, 20], "c": [60, 60, 80, 80]}
    coords = [[10, 10], [19, 19], [20, 15], [15, 15]]  # of which the third lies beside the cell
    given = {"a": ["object"] * 4, "b": ["object", "background", "background", "unsure"], "c": ["object"] * 4}
    for name, box in boxes.items():
        person.wait(2)
        payload = {"uid": name * 32, "category_id": 1, "box": box, "point_coords": coords}
        person.write("box", payload, typed=True)
        for point, value in enumerate(given[name]):
            person.wait(0.1)
            person.write("point_shown", {"uid": name * 32, "point": point, "swapped": True})
            person.wait(0.5)
            person.write("answer", {"uid": name * 32, "point": point, "value": value}, typed=True)
    for number, (category, x, y) in enumerate([(1, 15, 15), (1, 25, 19), (1, 19, 24), (2, 5, 150), (2, 5, 96)]):
        person.wait(1)
        person.write("click", {"uid": f"{number:032x}", "category_id": category, "x": x, "y": y}, typed=True)
    mask = np.zeros((200, 300), bool)
    mask[10:20, 10:17] = True
    person.wait(3)
    payload = {"uid": "d" * 32, "category_id": 1, "rle": mask_to_rle(mask), "source": "painted"}
    person.write("mask", payload, typed=True)
    person.end()
    return empty_project


def test_everything_is_compared(annotated: Project, truth: Path) -> None:
    """Box a: 3 of 4 right. Box b: of three that decide the second is wrong. Box c means nothing.

    Box overlaps: 1 and 80 / 120. Clicks: two of five on their class; the others are 6, 5 and 4 pixels away (the
    second one 6 columns beside, the third 5 rows below, the last 4 rows above). Mask: 70 of 100 pixels.
    """
    found = find(annotated, Options(warm_up=0, truth=truth))
    (row,) = [row for row in found.tables["agreement"] if row["against"] == "truth"]
    assert (row["answers"], row["share"]) == (7, 5 / 7)
    # 4 of object that are, 1 of background that is not; said object, is not: 1; said background, is: 1
    assert row["kappa"] == pytest.approx((5 / 7 - (5 * 5 + 2 * 2) / 49) / (1 - (5 * 5 + 2 * 2) / 49))
    rows = {row["what"]: row for row in found.tables["truth"]}
    assert (rows["box"]["n"], rows["box"]["matched"]) == (3, 2)
    assert rows["box"]["iou"] == pytest.approx((1 + 80 / 120) / 2)
    assert (rows["click"]["n"], rows["click"]["matched"], rows["click"]["on_class"]) == (5, 5, 2 / 5)
    assert rows["click"]["distance_of_others_px"] == 5
    assert (rows["mask"]["n"], rows["mask"]["iou"]) == (1, pytest.approx(0.7))
    page = render(found)
    assert "Ground truth" in page and "ground truth" in page and "nothing\ncan be told about accuracy" not in page
    assert {one["against"] for one in found.tables["speed_accuracy"]} == {"truth"}


def test_without_truth_nothing_is_said(annotated: Project) -> None:
    found = find(annotated, Options(warm_up=0))
    assert not found.tables["truth"] and "no ground truth was given" in render(found)


def test_answers_to_points_that_were_drawn_anew_are_left_out(annotated: Project, truth: Path) -> None:
    payload = {"uid": "a" * 32, "point_coords": [[11, 11], [12, 12], [13, 13], [14, 14]]}
    annotated.record("resample", payload, image_id=1)
    found = find(annotated, Options(warm_up=0, truth=truth))
    (row,) = [row for row in found.tables["agreement"] if row["against"] == "truth"]
    assert (row["answers"], row["share"]) == (3, 2 / 3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"instances": ()}, "expected objects with masks"),
        ({"categories": (Category(5, "boat", True), Category(6, "sea", True))}, "none has the name of a class"),
        ({"images": (Image(7, "b.png", 200, 300),)}, "none is among the pictures of the project"),
        ({"images": (Image(7, "a.png", 20, 30),)}, "the file says 30 x 20 pixels"),
    ],
)
def test_what_says_nothing_about_the_project_is_refused(
    change: dict[str, Any], sentence: str, empty_project: Project
) -> None:
    parts: dict[str, Any] = {
        "images": (Image(7, "a.png", 200, 300),),
        "categories": (Category(5, "cell", True), Category(6, "ground", True)),
        "instances": (_instance(1, 5, slice(10, 20), slice(10, 20)),),
    }
    with pytest.raises(InputError, match=sentence):
        truth_of(empty_project, PointDataset(**(parts | change)), "t.json")


def test_overlaps() -> None:
    assert box_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert box_iou((0, 0, 2, 2), (2, 0, 3, 2)) == 0
    one, other = np.zeros((2, 4, 4), bool)
    one[:2], other[1:] = True, True
    assert mask_iou(mask_to_rle(one), mask_to_rle(other)) == pytest.approx(4 / 16)
    nothing = mask_to_rle(np.zeros((4, 4), bool))
    assert mask_iou(nothing, nothing) == 0


def test_command_line(annotated: Project, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotated.close()
    out = tmp_path / "r.html"
    main(["study", str(annotated.path), "-o", str(out), "--truth", str(truth), "--warm-up", "0"])
    assert "distance of others px" in out.read_text(encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["study", str(annotated.path), "-o", str(out), "--truth", str(tmp_path / "no.json")])
    assert stop.value.code == 2 and "no.json" in capsys.readouterr().err

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.dataset import Box, Category, Image, PointDataset
from pointanno.errors import InputError
from pointanno.formats import points_csv, read_dataset, read_onto

Datasets = Callable[..., st.SearchStrategy[PointDataset]]

PICTURES = PointDataset(
    images=(Image(8, "in/a.png", 20, 30), Image(9, "b.png", 20, 30)),
    categories=(Category(5, "cell", True), Category(6, "ground", False)),
)


def test_every_point_is_a_row(tmp_path: Path, rich_dataset: PointDataset) -> None:
    points_csv.write(rich_dataset, tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == ",".join(points_csv.COLUMNS)
    assert lines[1] == "a.tif,100,128,cell,1,1,,,,2.0,4.0,10.0,12.0,0,6400,3,5,1,ok,812,random,0,anon-1,0,s"
    assert lines[3] == "a.tif,100,128,cell,1,1,,,,2.0,4.0,10.0,12.0,0,6400,4,7,-1,unsure,2310,suggested,,,0,s"
    assert lines[4].startswith("a.tif,100,128,debris,1,2,,,,2.4,4.1,5.6,7.0,1,,50,25,1,ok,")
    assert lines[6].startswith("a.tif,100,128,cell,1,,1,1,5,,,,,,,50,25,1,ok,")
    assert lines[7].startswith("a.tif,100,128,background,0,,2,0,,,,,,,,3,5,1,ok,812,")
    assert len(lines) == 1 + 5 + 4
    again = read_dataset(tmp_path / "a.csv")  # recognised, and complete by itself
    assert [one.points for one in again.targets] == [one.points for one in rich_dataset.targets]
    assert again.annotators == rich_dataset.annotators and again.sessions == rich_dataset.sessions
    assert again.instances[1].iscrowd and again.instances[0].box_time_ms == 6400


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_what_the_format_keeps_comes_back(
    tmp_path_factory: pytest.TempPathFactory, datasets: Datasets, data: st.DataObject
) -> None:
    dataset = data.draw(datasets())
    out = tmp_path_factory.mktemp("csv") / "a.csv"
    points_csv.write(dataset, out)
    kept = points_csv.narrow(dataset)
    again, skipped = points_csv.read_onto(out, dataset)
    assert skipped == ()
    assert (again.images, again.categories) == (kept.images, kept.categories)
    assert (again.instances, again.targets) == (kept.instances, kept.targets)
    alone = points_csv.read(out)
    points_csv.write(alone, out.with_name("b.csv"))
    assert out.with_name("b.csv").read_bytes() == out.read_bytes()


def test_four_columns_are_enough(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "class;x;y;file_name\ncell;3;4;a\ncell;5;6;in/a.png\nground;0;0;a\nground;1;0;a\nnew;2;2;b\nnew;2;2;zebra\n"
    )
    dataset, skipped = read_onto(tmp_path / "a.csv", PICTURES)
    assert [one.id for one in dataset.images] == [8, 9]  # two names of one picture
    assert dataset.categories == (*PICTURES.categories, Category(7, "new", True))
    assert [(one.image_id, one.category_id, one.instance, one.points.coords.tolist()) for one in dataset.targets] == [
        (8, 5, 1, [[3, 4]]),
        (8, 5, 2, [[5, 6]]),
        (8, 6, 0, [[0, 0], [1, 0]]),
        (9, 7, 1, [[2, 2]]),
    ]
    assert skipped == ("zebra: the project has no image of this name; its annotations are left out",)


def test_boxes_need_no_number_and_no_points(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "file_name,class,x,y,label,x0,y0,x1,y1\nb,cell,1,2,1,0,0,9,9\nb,cell,3,4,0,0,0,9,9\nb,cell,,,,1,1,9,9\n"
    )
    dataset, _ = points_csv.read_onto(tmp_path / "a.csv", PICTURES)
    first, second = dataset.instances
    assert (first.id, first.box, first.points.labels.tolist()) == (1, Box(0, 0, 9, 9), [1, 0])
    assert (second.id, len(second.points)) == (2, 0)


def test_masks_and_journal_are_what_it_drops(rich_dataset: PointDataset) -> None:
    kept = points_csv.narrow(rich_dataset)
    assert [one.mask for one in kept.instances] == [None] * 3 and kept.events == ()
    assert [image.id for image in kept.images] == [1]
    assert replace(kept.instances[0], points=rich_dataset.instances[0].points) == rich_dataset.instances[0]


HEADER = (
    "file_name,class,isthing,width,height,annotation_id,point_annotation_id,linked_annotation_id,"
    "x0,y0,x1,y1,x,y,label,status"
)
GOOD = "b,cell,1,30,20,1,,,0,0,9,9,1,2,1,ok"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",cell,,,,,,,,,,,1,2,,", "line 3, file_name: expected a text, but it is empty"),
        ("b,cell,,,,,,,,,,,30,2,,", "line 3, x: expected an integer from 0 to 29, but got '30'"),
        ("b,cell,,,,,,,,,,,1.5,2,,", "line 3, x: expected an integer"),
        ("b,cell,,,,,,,,,,,,,,", "line 3, x: expected an integer from 0 to 29, but it is empty"),
        ("b,cell,maybe,,,,,,,,,,1,2,,", "line 3, isthing: expected 1 for a thing or 0 for stuff"),
        ("b,cell,0,,,,,,,,,,1,2,,", "line 3, isthing: expected 1, which the class 'cell' has elsewhere"),
        ("b,cell,,31,20,,,,,,,,1,2,,", "line 3, width: expected 30 x 20 as for the same picture before"),
        ("b,cell,,,,1,,,,,,,1,2,,", "line 3, x0: expected the left edge of the box"),
        ("b,cell,,,,1,,,0,0,8,9,1,2,,", "line 3, annotation_id: expected a number of its own"),
        ("b,cell,,,,1,1,,0,0,9,9,1,2,,", "line 3, point_annotation_id: expected an empty cell"),
        ("b,cell,,,,,,7,,,,,1,2,,", "line 3, linked_annotation_id: expected an annotation_id of the table"),
        ("b,cell,,,,2,,,5,0,5,9,1,2,,", r"line 3, x1: expected an edge beyond 5\.0 and within the 30 pixels"),
        ("b,cell,,,,2,,,5,0,8,99,1,2,,", "line 3, y1: expected an edge"),
        ("b,cell,,,,,,,,,,,1,2,2,", "line 3, label: expected an integer from -1 to 1"),
        ("b,cell,,,,,,,,,,,1,2,1,skip", "line 3, label: expected -1 where the status is skip"),
        ("b,cell,,,,,,,,,,,1,2,,asleep", "line 3, status: expected one of ok, pad, skip, unsure"),
    ],
)
def test_broken_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{GOOD}\n{row}\n")
    with pytest.raises(InputError, match=message):
        points_csv.read_onto(tmp_path / "a.csv", PICTURES)


def test_without_sizes_the_pictures_are_needed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file_name,class,x,y\na,cell,1,2\n")
    with pytest.raises(InputError, match="line 2, width: expected the size of the picture"):
        read_dataset(tmp_path / "a.csv")


def test_names_of_people_stand_for_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "file_name,class,x,y,annotator_name\na,cell,1,2,ann\na,cell,1,3,ben\na,cell,1,4,ann\n"
    )
    dataset, _ = points_csv.read_onto(tmp_path / "a.csv", PICTURES)
    assert [one.points.annotator for one in dataset.targets] == [(0,), (1,), (0,)]
    assert dataset.annotators == ({"index": 0, "name": "ann"}, {"index": 1, "name": "ben"})
    (tmp_path / "a.csv").write_text(
        "file_name,class,x,y,annotator,annotator_name\na,cell,1,2,0,ann\na,cell,1,3,0,ben\n"
    )
    with pytest.raises(InputError, match="line 3, annotator_name: expected 'ann', which annotator 0 is called before"):
        points_csv.read_onto(tmp_path / "a.csv", PICTURES)

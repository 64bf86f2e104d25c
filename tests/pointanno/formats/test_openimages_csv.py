from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats import FORMATS, openimages_csv, read_onto

Datasets = Callable[..., st.SearchStrategy[PointDataset]]

HEADER = "ImageId,X,Y,Label,EstimatedYesNo,Source,YesVotes,NoVotes,UnsureVotes,TextLabel"
PICTURES = PointDataset(
    images=(Image(1, "a.jpg", 8, 10), Image(2, "b.jpg", 50, 100)),
    categories=(Category(1, "cat", True), Category(2, "sky", False)),
)


def test_a_row_for_each_answer(tmp_path: Path) -> None:
    points = Points(
        coords=np.array([[0, 0], [9, 7], [4, 1], [1, 1]], np.int32),
        labels=np.array([1, 0, -1, -1], np.int8),
        status=("ok", "ok", "unsure", "skip"),
        **dict.fromkeys(("times_ms", "annotator", "session"), (None,) * 4),
        source=("random",) * 4,
    )
    dataset = PointDataset(
        images=PICTURES.images,
        categories=PICTURES.categories,
        instances=(Instance(1, 1, 1, Box(0, 0, 10, 8), points),),
        targets=(Target(1, 2, 2, False, 0, Points.answered(np.array([[49, 24]]), np.array([1]), source="click")),),
    )
    openimages_csv.write(dataset, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        HEADER,
        "a,0.05,0.0625,cat,yes,random,1,0,0,cat",
        "a,0.95,0.9375,cat,no,random,0,1,0,cat",
        "a,0.45,0.1875,cat,unsure,random,0,0,1,cat",  # a skipped question is no answer
        "b,0.495,0.49,sky,yes,click,1,0,0,sky",
    ]
    again, skipped = read_onto(tmp_path / "a.csv", PICTURES)  # recognised
    assert skipped == () and again.categories == PICTURES.categories
    assert again.targets == openimages_csv.narrow(dataset).targets


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_what_the_format_keeps_comes_back(
    tmp_path_factory: pytest.TempPathFactory, datasets: Datasets, data: st.DataObject
) -> None:
    dataset = data.draw(datasets())
    out = tmp_path_factory.mktemp("oi") / "a.csv"
    openimages_csv.write(dataset, out)
    kept = openimages_csv.narrow(dataset)
    again, _ = openimages_csv.read_onto(out, dataset)
    seen, wanted = (
        [
            (t.image_id, t.category_id, t.instance, t.points.coords.tolist(), t.points.labels.tolist())
            for t in one.targets
        ]
        for one in (again, kept)
    )
    assert seen == wanted
    openimages_csv.write(again, out.with_name("b.csv"))
    first, second = (sorted(file.read_text().splitlines()) for file in (out, out.with_name("b.csv")))
    assert [line.split(",", 1)[1] for line in first] == [line.split(",", 1)[1] for line in second]


def test_published_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f"{HEADER}\n"
        "a,1.0,1.0,/m/01yrx,Yes,ih,2,1,0,cat\n"
        "a,0.3,0.5,/m/0abc,no,cc,,,,\n"
        "zebra,0.3,0.5,/m/0abc,no,cc,0,1,0,\n"
    )
    dataset, skipped = openimages_csv.read_onto(tmp_path / "a.csv", PICTURES)
    first, second = dataset.targets
    assert first.points.coords.tolist() == [[9, 7]]  # the far edge belongs to the last pixel
    assert (first.category_id, first.extra, first.points.source) == (1, {"open_images_votes": [2, 1, 0]}, ("ih",))
    assert second.points.coords.tolist() == [[3, 4]] and second.points.labels.tolist() == [0] and not second.extra
    assert dataset.categories[-1] == Category(3, "/m/0abc", True)
    assert skipped == ("zebra: the project has no image of this name; its annotations are left out",)
    openimages_csv.write(dataset, tmp_path / "b.csv")
    assert "a,0.95,0.9375,cat,yes,ih,2,1,0,cat" in (tmp_path / "b.csv").read_text()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1.1,0.5,cat,yes", r"line 2, X: expected a share of the picture from 0 to 1, but got '1\.1'"),
        ("a,0.5,-1,cat,yes", "line 2, Y: expected a share"),
        ("a,0.5,inf,cat,yes", "line 2, Y: expected a finite number"),
        ("a,0.5,0.5,,yes", "line 2, Label: expected a text, but it is empty"),
        ("a,0.5,0.5,cat,maybe", "line 2, EstimatedYesNo: expected one of yes, no, unsure, but got 'maybe'"),
        ("a,0.5,0.5,cat", "line 2: expected 5 cells"),
    ],
)
def test_broken_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "a.csv").write_text("ImageId,X,Y,Label,EstimatedYesNo\n" + row + "\n")
    with pytest.raises(InputError, match=message):
        openimages_csv.read_onto(tmp_path / "a.csv", PICTURES)


def test_without_pictures_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the sizes of the pictures; import it into a project"):
        FORMATS["openimages-csv"].read(tmp_path / "a.csv")

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats import FORMATS, bestie_txt, read_onto
from pointanno.formats.folder import LIST

Datasets = Callable[..., st.SearchStrategy[PointDataset]]

PICTURES = PointDataset(
    images=(Image(1, "a.jpg", 20, 30), Image(2, "b.jpg", 20, 30)),
    categories=(Category(9, "dog", True), Category(3, "sky", False), Category(5, "cat", True)),
)


def _points(*coords: tuple[int, int]) -> Points:
    return Points.answered(np.array(coords), np.ones(len(coords)), source="click")


def test_one_line_for_each_object_with_its_medoid(tmp_path: Path) -> None:
    dataset = PointDataset(
        images=PICTURES.images,
        categories=PICTURES.categories,
        instances=(Instance(1, 1, 9, Box(0, 0, 20, 9), _points((1, 1), (11, 1), (5, 1))),),
        targets=(Target(1, 1, 5, True, 1, _points((29, 19))), Target(2, 1, 3, False, 0, _points((4, 4)))),
    )
    bestie_txt.write(dataset, tmp_path / "out")
    # classes by id without stuff: cat is 0, dog is 1
    assert (tmp_path / "out" / "a.txt").read_text() == "5.0 1.0 1 1.0\n29.0 19.0 0 1.0\n"
    assert (tmp_path / "out" / "b.txt").read_text() == ""
    again, skipped = read_onto(tmp_path / "out", PICTURES)  # recognised
    assert skipped == () and again.categories == PICTURES.categories
    assert [(one.category_id, one.points.coords.tolist()) for one in again.targets] == [(9, [[5, 1]]), (5, [[29, 19]])]


def test_a_project_with_other_classes_knows_them_by_name(tmp_path: Path) -> None:
    bestie_txt.write(
        PointDataset(PICTURES.images, PICTURES.categories, targets=(Target(1, 1, 5, True, 1, _points((2, 3))),)),
        tmp_path / "out",
    )
    other = PointDataset(PICTURES.images, (Category(1, "dog", True),))
    again, _ = bestie_txt.read_onto(tmp_path / "out", other)
    assert [(one.id, one.name) for one in again.categories] == [(1, "dog"), (2, "cat")]
    assert again.targets[0].category_id == 2
    (tmp_path / "out" / LIST).unlink()  # a folder from elsewhere: the index counts the project's own things
    again, _ = bestie_txt.read_onto(tmp_path / "out", other)
    assert again.targets[0].category_id == 1


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_what_the_format_keeps_comes_back(
    tmp_path_factory: pytest.TempPathFactory, datasets: Datasets, data: st.DataObject
) -> None:
    dataset = data.draw(datasets())
    out = tmp_path_factory.mktemp("bestie") / "out"
    bestie_txt.write(dataset, out)
    kept = bestie_txt.narrow(dataset)
    assert bestie_txt.narrow(kept).targets == kept.targets
    again, _ = bestie_txt.read_onto(out, dataset)
    assert [(one.image_id, one.category_id, one.instance, one.points.coords.tolist()) for one in again.targets] == [
        (one.image_id, one.category_id, one.instance, one.points.coords.tolist()) for one in kept.targets
    ]


def test_positions_between_pixels_and_low_confidence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("3.9 0.5 0 0.7\n\n4 5 1 0.71\n")
    (tmp_path / "zebra.txt").write_text("anything")
    dataset, skipped = bestie_txt.read_onto(tmp_path, PICTURES)
    unsure, sure = dataset.targets
    assert unsure.points.coords.tolist() == [[3, 0]] and unsure.points.status == ("unsure",)
    assert unsure.extra == {"confidence": 0.7}  # what the published training drops is kept, but not learnt from
    assert sure.points.labels.tolist() == [1] and (sure.category_id, sure.instance) == (9, 2)
    assert skipped == ("zebra: the project has no image of this name; its annotations are left out",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 2 0", r"a\.txt, line 2: expected x, y, class index and confidence"),
        ("x 2 0 1", r"a\.txt, line 2, x: expected a number, but got 'x'"),
        ("30 2 0 1", r"line 2, x: 30 lies outside of the image, which has 30 pixels there"),
        ("1 -0.1 0 1", r"line 2, y: -0\.1 lies outside"),
        ("1 nan 0 1", r"line 2, y: expected a number"),
        ("1 2 2 1", r"line 2, class index: expected an index of the things \(0 = cat, 1 = dog\), but got '2'"),
        ("1 2 0.0 1", "line 2, class index"),
        ("1 2 0 1.5", "line 2, confidence: expected a number from 0 to 1"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(f"1 1 0 1.0\n{line}\n")
    with pytest.raises(InputError, match=message):
        bestie_txt.read_onto(tmp_path, PICTURES)


def test_other_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="import it into a project"):
        FORMATS["bestie-txt"].read(tmp_path)
    with pytest.raises(InputError, match=r"holds no \.txt files"):
        bestie_txt.read_onto(tmp_path, PICTURES)
    with pytest.raises(InputError, match="there is no such folder"):
        bestie_txt.read_onto(tmp_path / "none", PICTURES)
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"a\.txt: not a text in UTF-8"):
        bestie_txt.read_onto(tmp_path / "a.txt", PICTURES)
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "a.jpg.txt").write_text("")
    with pytest.raises(InputError, match=r"a\.jpg is meant by another file too"):
        bestie_txt.read_onto(tmp_path, PICTURES)


def test_what_the_published_loader_loses_is_told() -> None:
    coords = [(x + 1, y + 1) for x in range(13) for y in range(10)]
    targets = tuple(Target(n, 1, 5, True, n, _points(xy)) for n, xy in enumerate([(0, 3), *coords], start=1))
    dataset = PointDataset(PICTURES.images, PICTURES.categories, targets=targets)
    assert bestie_txt.warnings(bestie_txt.narrow(dataset)) == (
        "1 points lie in the first row or column; the published loader passes over such points",
        "an image has 131 points of one class, but the published loader holds 128",
    )

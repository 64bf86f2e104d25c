from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from pointanno.dataset import PointDataset
from pointanno.errors import InputError
from pointanno.formats import FORMATS, find_format, read_dataset
from pointanno.formats.registry import recognise


@pytest.mark.parametrize("name", ["coco-point", "pointsup", "coco-instances"])
def test_what_a_format_writes_is_recognised(tmp_path: Path, rich_dataset: PointDataset, name: str) -> None:
    path = tmp_path / "a.json"
    find_format(name).write(rich_dataset, path)
    read = read_dataset(path)
    assert read == FORMATS[name].read(path)
    assert len(read.instances) == 3


def test_a_data_set_without_annotations_is_one(tmp_path: Path, rich_dataset: PointDataset) -> None:
    empty = PointDataset(images=rich_dataset.images, categories=rich_dataset.categories)
    for name in ("coco-point", "coco-panoptic"):
        path = tmp_path / f"{name}.json"
        FORMATS[name].write(empty, path)
        assert len(read_dataset(path).images) == 2


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="choose one of coco-point, pointsup, coco-instances, coco-panoptic"):
        find_format("yolo")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"  \n", "the file is empty"),
        (b'{"images": [', "the JSON ends too early, after line 1"),
        (b'{"images": [1, 2', "the JSON ends too early"),
        (b'{"images"; 3}', r"line 1, column 10: not valid JSON"),
        (b"[]", "expected an object with images, annotations and categories, but got a list"),
        (b"3", "expected an object, but got a number"),
        (b"{}", "images is missing; expected a list"),
        (b'{"images": [], "categories": [], "annotations": 4}', "annotations must be a list, but is a number"),
        (b'{"images": [4], "categories": [], "annotations": []}', r"images\[0\]: expected an object, but got a number"),
        (b'{"images": [], "categories": [], "annotations": [[]]}', r"annotations\[0\]: expected an object"),
    ],
)
def test_every_way_to_be_broken_has_its_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_dataset(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_dataset(tmp_path / "none.json")
    with pytest.raises(InputError, match="this is a folder"):
        read_dataset(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path, instances_json: dict[str, Any]) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + orjson.dumps(instances_json))
    assert len(read_dataset(tmp_path / "a.json").instances) == 2


def test_folders_and_tables_are_recognised(tmp_path: Path, rich_dataset: PointDataset) -> None:
    for name in ("psps-png", "openimages-csv", "bestie-txt", "csv"):
        path = tmp_path / (f"{name}.csv" if name.endswith("csv") else name)
        FORMATS[name].write(FORMATS[name].narrow(rich_dataset), path)
        assert recognise(path) == name
        for file in (path / ".pointanno.json",) if path.is_dir() else ():
            file.unlink()
            assert recognise(path) == name  # also one that was made elsewhere
    assert recognise(tmp_path) is None  # texts further down do not count
    (tmp_path / "empty").mkdir()
    assert recognise(tmp_path / "empty") is recognise(tmp_path / "a.json") is recognise(tmp_path / "no.csv") is None


def test_what_a_format_keeps_is_all_that_it_writes(tmp_path: Path, rich_dataset: PointDataset) -> None:
    for name in ("psps-png", "openimages-csv", "bestie-txt", "csv"):
        chosen = FORMATS[name]
        for count, dataset in enumerate((rich_dataset, chosen.narrow(rich_dataset))):
            chosen.write(dataset, tmp_path / f"{name}{count}")
        first, second = (tmp_path / f"{name}{count}" for count in (0, 1))
        files = [file.relative_to(first) for file in first.rglob("*") if file.is_file()] if first.is_dir() else [Path()]
        assert files
        for file in files:
            assert (first / file).read_bytes() == (second / file).read_bytes()

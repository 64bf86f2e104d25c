"""Planes of stacks under names of their own, in files, projects and data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from pointanno.dataset import Image
from pointanno.errors import InputError
from pointanno.images import find_images, find_planes, is_there, open_image, read_image, read_size
from pointanno.planes import name_plane, picture_name, places, split_plane
from pointanno.project import Project

STACK = np.arange(2 * 3 * 20 * 30, dtype=np.uint16).reshape(2, 3, 20, 30)


@given(
    st.from_regex(r"[a-zA-Z0-9 _.-]{1,12}", fullmatch=True).filter(lambda name: name.strip(".") != ""),
    st.dictionaries(st.sampled_from("tzqm"), st.integers(0, 10**6), min_size=1),
)
def test_a_name_tells_its_plane(name: str, plane: dict[str, int]) -> None:
    file, told = split_plane(Path("folder") / name_plane(name, plane))
    assert (file, told) == (Path("folder") / name, plane)


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("embryo.tif", "embryo#t=0,z=4.tif"),
        ("day 1/embryo.ome.tif", "day 1/embryo.ome#t=0,z=4.tif"),
        ("plate.zarr/A/1/0", "plate.zarr/A/1/0#t=0,z=4"),
        (".hidden", ".hidden#t=0,z=4"),
    ],
)
def test_the_kind_of_the_file_is_told_by_the_end_of_the_name(file_name: str, expected: str) -> None:
    assert name_plane(file_name, {"z": 4, "t": 0}) == expected
    assert name_plane(file_name, {}) == file_name
    assert picture_name(Image(1, file_name, 1, 1, extra={"pointanno": {"plane": {"t": 0, "z": 4}}})) == expected


def test_a_file_that_has_such_a_name_is_meant_itself(tmp_path: Path) -> None:
    path = tmp_path / "image#1.png"
    PillowImage.new("L", (30, 20)).save(path)
    odd = tmp_path / "scan#z=3.png"
    PillowImage.new("L", (7, 5)).save(odd)
    assert read_size(path) == (20, 30)
    assert read_size(odd) == (5, 7)
    assert split_plane(odd) == (odd, {})


def test_places_come_in_the_order_of_the_file() -> None:
    assert list(places({"t": 2, "z": 2})) == [
        {"t": 0, "z": 0}, {"t": 0, "z": 1}, {"t": 1, "z": 0}, {"t": 1, "z": 1}
    ]  # fmt: skip
    assert list(places({})) == [{}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    tifffile.imwrite(made / "embryo.tif", STACK, ome=True, metadata={"axes": "TZYX"}, photometric="minisblack")
    PillowImage.fromarray(np.zeros((5, 6), np.uint8)).save(made / "one.png")
    return made


def test_every_plane_is_a_picture_with_its_own_pixels(folder: Path) -> None:
    file = find_images(folder)[0]
    found = list(find_planes(file))
    assert [plane for _, plane in found] == list(places({"t": 2, "z": 3}))
    for path, plane in found:
        assert is_there(path) and read_size(path) == (20, 30)
        assert np.array_equal(read_image(path), STACK[plane["t"], plane["z"]])
        assert np.array_equal(open_image(path)[3:5, 7:9], STACK[plane["t"], plane["z"], 3:5, 7:9])
    assert not is_there(folder / "gone#z=1.tif")


def test_a_plane_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no plane z = 3; the file has t: 2, z: 3"):
        read_size(folder / "embryo#t=0,z=3.tif")
    with pytest.raises(InputError, match="planes are read from TIFF files and Zarr folders only"):
        read_size(folder / "one#z=2.png")
    with pytest.raises(InputError, match="the picture is missing"):
        read_size(folder / "two#z=2.tif")


def test_a_project_has_one_image_for_each_plane(folder: Path, tmp_path: Path) -> None:
    with Project.create(tmp_path / "set", images=folder) as project:
        names = [image.file_name for image in project.images()]
        assert names == [f"embryo#t={t},z={z}.tif" for t in range(2) for z in range(3)] + ["one.png"]
        images = project.dataset().images
        assert images[4].extra == {"pointanno": {"plane": {"t": 1, "z": 1}}}
        assert images[0].sha256 == images[5].sha256 != images[6].sha256
        assert len({image.uid for image in project.images()}) == 7
        project.write_coco_point(tmp_path / "out.json")
        assert project.relocate(folder) == []
    with Project.create(tmp_path / "again", images=folder, coco=tmp_path / "out.json") as again:
        assert [image.file_name for image in again.images()] == names


def test_a_data_set_that_names_planes_beside_the_file_name_is_taken(folder: Path, tmp_path: Path) -> None:
    entries = ",".join(
        f'{{"id": {number}, "file_name": "embryo.tif", "height": 20, "width": 30, '
        f'"pointanno": {{"plane": {{"t": 1, "z": {number}}}}}}}'
        for number in (1, 2)
    )
    click = (
        '{"id": 1, "image_id": 2, "category_id": 1, "isthing": 1, "instance": 1, "linked_annotation_id": null, '
        '"point_coords": [[4, 7]], "point_labels": [1], "point_status": ["ok"], "point_times_ms": [null], '
        '"point_annotator": [null], "point_session": [null]}'
    )
    file = tmp_path / "given.json"
    file.write_text(
        f'{{"images": [{entries}], "categories": [{{"id": 1, "name": "cell", "isthing": 1}}], "annotations": [], '
        f'"point_annotations": [{click}], "pointanno": {{"format": "pointanno", "version": "1.0", '
        '"coordinate_convention": "pixel_index_xy"}}'
    )
    with Project.create(tmp_path / "set", images=folder, coco=file) as project:
        images = project.images()
        assert [image.file_name for image in images] == ["embryo#t=1,z=1.tif", "embryo#t=1,z=2.tif"]
        assert [(click.x, click.y) for click in project.annotations(images[1].id).clicks] == [(4, 7)]
        assert np.array_equal(read_image(images[1].path), STACK[1, 2])

"""OME-Zarr of both formats, plates, series and bare arrays: planes, windows, levels and what the metadata say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from pointanno.errors import InputError
from pointanno.images import find_images, find_planes, open_image, read_channels, read_image, read_size, read_stack
from pointanno.pictures import open_picture
from pointanno.project import Project
from pointanno.zarr_planes import ZarrPlane, open_zarr

VALUES = np.arange(2 * 3 * 2 * 40 * 50, dtype=np.uint16).reshape(2, 3, 2, 40, 50)
AXES = [
    {"name": "t", "type": "time"},
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "micrometer"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]
OMERO = {
    "channels": [
        {"label": "DAPI", "color": "0000FF", "window": {"start": 10, "end": 4000, "min": 0, "max": 65535}},
        {"label": "actin", "color": "00FF00"},
        {"color": "nonsense", "window": {"start": 5}},
    ]
}


def write_ome_zarr(
    path: Path, values: np.ndarray[Any, Any] = VALUES, *, version: str = "0.5", axes: Any = AXES, levels: int = 2
) -> Path:
    """A picture with levels that are thinned out by two."""
    group = zarr.open_group(str(path), mode="w", zarr_format=3 if version == "0.5" else 2)
    datasets = []
    ndim = values.ndim
    for level in range(levels):
        step = 2**level
        part = values[..., ::step, ::step]
        array = group.create_array(str(level), shape=part.shape, chunks=(1,) * (ndim - 2) + (16, 16), dtype=part.dtype)
        array[:] = part
        scale = [1.0] * (ndim - 2) + [0.5 * step, 0.25 * step]
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if level == 0:
            transforms.append({"type": "translation", "translation": [0.0] * (ndim - 2) + [7.0, 3.0]})
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    multiscales: list[dict[str, Any]] = [{"version": version, "datasets": datasets}]
    if axes is not None:
        multiscales[0]["axes"] = axes
    own: dict[str, Any] = {"multiscales": multiscales, "omero": OMERO}
    group.attrs.update({"ome": {"version": version, **own}} if version == "0.5" else own)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_planes_are_read_with_their_channels_last(tmp_path: Path, version: str) -> None:
    path = write_ome_zarr(tmp_path / "embryo.zarr", version=version)
    assert find_images(tmp_path) == [path]
    assert read_stack(path) == {"t": 2, "z": 2}
    assert read_channels(path) == 3
    for one, plane in find_planes(path):
        wanted = VALUES[plane["t"], :, plane["z"]].transpose(1, 2, 0)
        assert read_size(one) == (40, 50)
        assert np.array_equal(read_image(one), wanted)
        assert np.array_equal(ZarrPlane(open_zarr(path), plane)[3:38, 15:17], wanted[3:38, 15:17])
    assert [one.name for one, _ in find_planes(path)][-1] == "embryo#t=1,z=1.zarr"


def test_the_metadata_say_size_origin_and_channels(tmp_path: Path) -> None:
    info = open_picture(write_ome_zarr(tmp_path / "embryo.ome.zarr")).info
    assert (info.pixel_size, info.origin, info.unit) == ((0.5, 0.25), (7.0, 3.0), "micrometer")
    assert not info.is_color
    assert [(one.name, one.color, one.limits) for one in info.channels] == [
        ("DAPI", (0, 0, 255), (10.0, 4000.0)),
        ("actin", (0, 255, 0), None),
        ("", None, None),
    ]


def test_axes_that_nobody_named_are_the_last_of_tczyx(tmp_path: Path) -> None:
    path = write_ome_zarr(tmp_path / "old.zarr", version="0.4", axes=None)
    assert open_zarr(path).axes == ("t", "c", "z", "y", "x")
    assert open_picture(path).info.pixel_size is None  # a size without unit is none


def test_a_large_picture_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ome_zarr(tmp_path / "embryo.zarr")
    monkeypatch.setattr("pointanno.images.LARGE_BYTES", 100)
    monkeypatch.setattr("pointanno.pictures.IN_MEMORY_BYTES", 100)
    assert isinstance(open_image(path), ZarrPlane)
    picture = open_picture(path.with_name("embryo#t=1,z=0.zarr"))
    assert [level.shape for level in picture.levels] == [(40, 50, 3), (20, 25, 3)]
    assert np.array_equal(picture.levels[1][2:9, 4:6], VALUES[1, :, 0, ::2, ::2].transpose(1, 2, 0)[2:9, 4:6])


def test_a_level_that_is_coarser_in_depth_gives_the_plane_at_the_same_height(tmp_path: Path) -> None:
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    fine = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8)
    for name, part in (("0", fine), ("1", fine[::2, ::2, ::2])):
        group.create_array(name, shape=part.shape, dtype=part.dtype)[:] = part
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]
    picture = open_zarr(tmp_path / "a.zarr")
    assert np.array_equal(ZarrPlane(picture, {"z": 3}, 1)[:, :], fine[2, ::2, ::2])


def test_plates_and_series_hold_several_pictures(tmp_path: Path) -> None:
    plate = zarr.open_group(str(tmp_path / "plate.zarr"), mode="w", zarr_format=2)
    plate.attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "B/2"}]}
    for well in ("A/1", "B/2"):
        plate.require_group(well).attrs["well"] = {"images": [{"path": "0"}]}
        write_ome_zarr(tmp_path / "plate.zarr" / well / "0", VALUES[0, 0], version="0.4", axes=AXES[2:])
    series = zarr.open_group(str(tmp_path / "series.zarr"), mode="w", zarr_format=2)
    series.attrs["bioformats2raw.layout"] = 3
    for number in (0, 1):
        write_ome_zarr(tmp_path / "series.zarr" / str(number), VALUES[0, 0, 0], version="0.4", axes=AXES[3:])
    with Project.create(tmp_path / "set", images=tmp_path) as project:
        assert [image.file_name for image in project.images()] == [
            "plate.zarr/A/1/0#z=0", "plate.zarr/A/1/0#z=1", "plate.zarr/B/2/0#z=0", "plate.zarr/B/2/0#z=1",
            "series.zarr/0", "series.zarr/1",
        ]  # fmt: skip
        assert np.array_equal(read_image(project.images()[3].path), VALUES[0, 0, 1])


def test_a_zarr_folder_may_itself_be_the_folder_of_the_images(tmp_path: Path) -> None:
    path = write_ome_zarr(tmp_path / "embryo.zarr")
    with Project.create(tmp_path / "set", images=path) as project:
        assert project.images()[0].file_name == "embryo#t=0,z=0.zarr"
        assert project.images_folder == tmp_path
        assert np.array_equal(read_image(project.images()[1].path), VALUES[0, :, 1].transpose(1, 2, 0))
    with Project.open(tmp_path / "set") as project:
        assert project.skipped == [] and project.relocate(tmp_path) == []


def test_a_bare_array_is_a_picture_too(tmp_path: Path) -> None:
    rgb = np.arange(6 * 7 * 3, dtype=np.uint8).reshape(6, 7, 3)
    for name, values in (("rgb", rgb), ("grey", rgb[..., 0]), ("stack", np.stack([rgb[..., 0]] * 5))):
        zarr.create_array(str(tmp_path / f"{name}.zarr"), shape=values.shape, dtype=values.dtype)[:] = values
    assert np.array_equal(read_image(tmp_path / "rgb.zarr"), rgb)
    assert open_picture(tmp_path / "rgb.zarr").info.is_color
    assert np.array_equal(read_image(tmp_path / "grey.zarr"), rgb[..., 0])
    assert read_stack(tmp_path / "stack.zarr") == {"z": 5}


def test_what_is_no_picture_is_said_in_words(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "empty.zarr"), mode="w", zarr_format=2)
    with pytest.raises(InputError, match=r"empty\.zarr.*no picture"):
        list(find_planes(tmp_path / "empty.zarr"))
    with pytest.raises(InputError, match=r"empty\.zarr.*incomplete"):
        read_size(tmp_path / "empty.zarr")
    write_ome_zarr(tmp_path / "a.zarr")
    with pytest.raises(InputError, match="there is no plane z = 2"):
        read_size(tmp_path / "a#z=2.zarr")
    (tmp_path / "a.zarr" / "zarr.json").write_text("{")
    with pytest.raises(InputError, match="no readable Zarr folder"):
        read_size(tmp_path / "a.zarr")
    with pytest.raises(InputError, match="none of the 2 pictures can be used"):
        Project.create(tmp_path / "set", images=tmp_path)

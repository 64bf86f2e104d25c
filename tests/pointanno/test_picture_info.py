"""What files say besides pixels, and TIFF tones: palettes, inks, white as zero."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from pointanno.images import read_channels, read_image
from pointanno.picture_info import checked_size
from pointanno.pictures import open_picture
from pointanno.tiff_planes import TiffPlane

GREY = np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)


def _ome(path: Path, **metadata: Any) -> Path:
    tifffile.imwrite(
        path, np.stack([GREY] * 2), ome=True, photometric="minisblack", metadata={"axes": "CYX", **metadata}
    )
    return path


def test_ome_tells_size_and_channels(tmp_path: Path) -> None:
    units = {"PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm"}
    channels = {"Channel": {"Name": ["DAPI", "actin"], "Color": [0x0000FFFF, -1]}}
    info = open_picture(_ome(tmp_path / "a.ome.tif", PhysicalSizeX=65, PhysicalSizeY=80, **units, **channels)).info
    assert (info.pixel_size, info.unit, info.is_color) == ((80.0, 65.0), "nanometer", False)
    assert [(one.name, one.color) for one in info.channels] == [("DAPI", (0, 0, 255)), ("actin", None)]


def test_imagej_tells_size_and_limits(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack([GREY] * 2),
        imagej=True,
        resolution=(4.0, 2.0),
        metadata={"axes": "CYX", "unit": "um", "Ranges": (1.0, 100.0, 2.0, 900.0)},
    )
    info = open_picture(tmp_path / "a.tif").info
    assert (info.pixel_size, info.unit) == ((0.5, 0.25), "micrometer")
    assert [one.limits for one in info.channels] == [(1.0, 100.0), (2.0, 900.0)]


def test_dots_per_inch_are_no_physical_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY, resolution=(72, 72), resolutionunit="INCH")
    PillowImage.fromarray(GREY.astype(np.uint8)).save(tmp_path / "b.jpg", dpi=(72, 72))
    assert open_picture(tmp_path / "a.tif").info.pixel_size is None
    assert open_picture(tmp_path / "b.jpg").info.pixel_size is None


@pytest.mark.parametrize(
    "given", [(0, 1, "um"), ("x", 1, "um"), (1, 1, "parsec"), (float("nan"), 1, "um"), (1, None, "um")]
)
def test_a_size_that_is_none_is_left_out(given: tuple[Any, Any, str]) -> None:
    assert checked_size(*given) == (None, "")


def test_palettes_become_colour_but_not_those_of_measurements(tmp_path: Path) -> None:
    table = (np.arange(256)[None] * np.array([[1], [2], [3]]) % 256).astype(np.uint16) * 257
    indices = (GREY % 256).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=table, tile=(16, 16))
    wanted = np.asarray(PillowImage.open(tmp_path / "a.tif").convert("RGB"))
    assert np.array_equal(read_image(tmp_path / "a.tif"), wanted)
    assert np.array_equal(TiffPlane(tmp_path / "a.tif")[3:20, 5:9], wanted[3:20, 5:9])
    assert (read_channels(tmp_path / "a.tif"), open_picture(tmp_path / "a.tif").info.is_color) == (3, True)
    tifffile.imwrite(tmp_path / "b.tif", indices, imagej=True, colormap=table)
    assert np.array_equal(read_image(tmp_path / "b.tif"), indices)


def test_inks_become_light_as_pillow_does_it(tmp_path: Path) -> None:
    inks = np.random.default_rng(0).integers(0, 256, (40, 30, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    wanted = np.asarray(PillowImage.open(tmp_path / "a.tif").convert("RGB")).astype(int)
    found = read_image(tmp_path / "a.tif")
    assert found.shape == (40, 30, 3)
    assert np.abs(found - wanted).max() <= 1
    PillowImage.fromarray(inks, mode="CMYK").save(tmp_path / "b.jpg", quality=95)
    assert read_image(tmp_path / "b.jpg").shape == (40, 30, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_where_zero_is_white_the_picture_is_not_negative(tmp_path: Path, dtype: Any) -> None:
    values = (GREY % 200).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite")
    assert np.array_equal(read_image(tmp_path / "a.tif"), np.iinfo(dtype).max - values)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = GREY % 3 == 0
    PillowImage.fromarray(bits).save(tmp_path / "a.png")
    PillowImage.fromarray(bits).save(tmp_path / "b.tif")
    tifffile.imwrite(tmp_path / "c.tif", bits, photometric="miniswhite")
    for name, wanted in (("a.png", bits), ("b.tif", bits), ("c.tif", ~bits)):
        assert np.array_equal(read_image(tmp_path / name), wanted * np.uint8(255)), name


def test_a_pyramid_in_a_tiff_gives_its_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointanno.pictures.IN_MEMORY_BYTES", 100)
    fine = np.arange(128 * 160, dtype=np.uint16).reshape(128, 160)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(fine, subifds=1, tile=(32, 32))
        file.write(fine[::2, ::2], subfiletype=1, tile=(32, 32))
    picture = open_picture(tmp_path / "a.tif")
    assert [level.shape for level in picture.levels] == [(128, 160), (64, 80)]
    assert np.array_equal(picture.levels[1][3:60, 50:70], fine[::2, ::2][3:60, 50:70])
    picture.close()

"""Windows of TIFF files against the array that was written, in every layout that tifffile writes without codecs."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from pointanno.errors import InputError
from pointanno.images import open_image, opened_image, read_channels, read_image, read_size, read_stack
from pointanno.tiff_planes import TiffPlane

GREY = (np.arange(70 * 90).reshape(70, 90) * 7 % 60_000).astype(np.uint16)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
FIVE = np.stack([GREY + step for step in range(5)])

LAYOUTS: dict[str, tuple[Any, dict[str, Any], Any]] = {
    # name: (what is written, how, what a window of it must show)
    "contiguous": (GREY, {}, GREY),
    "big-endian": (GREY, {"byteorder": ">"}, GREY),
    "strips": (GREY, {"rowsperstrip": 8, "compression": "zlib"}, GREY),
    "tiles": (GREY, {"tile": (16, 32), "compression": "zlib", "predictor": True}, GREY),
    "raw tiles": (GREY, {"tile": (32, 16)}, GREY),
    "colour tiles": (RGB, {"tile": (16, 16), "photometric": "rgb", "compression": "zlib"}, RGB),
    "planar": (
        RGB.transpose(2, 0, 1),
        {"tile": (16, 16), "photometric": "rgb", "planarconfig": "separate", "compression": "zlib"},
        RGB,
    ),
    "channels as pages": (
        FIVE,
        {"tile": (16, 16), "metadata": {"axes": "CYX"}, "photometric": "minisblack", "compression": "zlib"},
        FIVE.transpose(1, 2, 0),
    ),
    "channels, contiguous": (
        FIVE,
        {"metadata": {"axes": "CYX"}, "photometric": "minisblack"},
        FIVE.transpose(1, 2, 0),
    ),
    "ome": (
        np.stack([FIVE, FIVE + 100]),
        {"ome": True, "metadata": {"axes": "TCYX"}, "photometric": "minisblack", "tile": (32, 32)},
        FIVE.transpose(1, 2, 0),
    ),
    "floats": (GREY.astype(np.float32) / 7, {"tile": (16, 16)}, GREY.astype(np.float32) / 7),
}

WINDOWS = [
    (slice(0, 70), slice(0, 90)),
    (slice(3, 4), slice(88, 90)),
    (slice(15, 49), slice(31, 65)),
    (slice(60, 70), slice(0, 17)),
]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_window_shows_what_was_written(name: str, tmp_path: Path) -> None:
    stored, options, shown = LAYOUTS[name]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, **options)
    with TiffPlane(path) as plane:
        assert plane.is_windowed()
        assert plane.shape == shown.shape
        assert plane.dtype == shown.dtype
        assert plane.nbytes == shown.nbytes
        for window in WINDOWS:
            found = plane[window]
            assert found.dtype == shown.dtype
            assert np.array_equal(found, shown[window])
    whole = read_image(path)
    assert whole.dtype == shown.dtype
    assert np.array_equal(whole, shown)
    assert read_size(path) == (70, 90)
    assert read_channels(path) == (1 if shown.ndim == 2 else shown.shape[2])


@pytest.mark.parametrize("options", [{}, {"tile": (16, 16), "compression": "zlib"}])
def test_the_plane_that_is_named_is_read(tmp_path: Path, options: dict[str, Any]) -> None:
    stack = np.stack([np.stack([GREY + 10 * t + z for z in range(3)]) for t in range(2)])
    tifffile.imwrite(tmp_path / "tz.tif", stack, metadata={"axes": "TZYX"}, photometric="minisblack", **options)
    assert read_stack(tmp_path / "tz.tif") == {"t": 2, "z": 3}
    assert np.array_equal(read_image(tmp_path / "tz.tif", {"t": 1, "z": 2}), stack[1, 2])
    assert np.array_equal(read_image(tmp_path / "tz.tif", {"z": 1}), stack[0, 1])
    with TiffPlane(tmp_path / "tz.tif", {"t": 1, "z": 2}) as plane:
        assert np.array_equal(plane[5:9, 7:30], stack[1, 2, 5:9, 7:30])
    with pytest.raises(InputError, match=r"no plane z = 3; the file has t: 2, z: 3"):
        read_image(tmp_path / "tz.tif", {"z": 3})


def test_pages_without_a_name_are_planes_and_no_channels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p.tif", FIVE, photometric="minisblack")
    assert read_channels(tmp_path / "p.tif") == 1
    assert sum(read_stack(tmp_path / "p.tif").values()) == 5
    assert np.array_equal(read_image(tmp_path / "p.tif"), FIVE[0])
    assert np.array_equal(read_image(tmp_path / "p.tif", {"z": 3}), FIVE[3])  # whatever the data set calls them


def test_planes_of_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(RGB.astype(np.uint8)).save(tmp_path / "a.png")
    assert read_stack(tmp_path / "a.png") == {}
    assert np.array_equal(read_image(tmp_path / "a.png", {"t": 0}), RGB.astype(np.uint8))
    with pytest.raises(InputError, match="planes are read from TIFF files and Zarr folders only"):
        read_image(tmp_path / "a.png", {"t": 1})


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("I;16", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3)])
def test_alpha_is_no_channel(tmp_path: Path, mode: str, channels: int) -> None:
    from PIL import Image

    Image.new(mode, (4, 5)).save(tmp_path / "a.png")
    assert read_channels(tmp_path / "a.png") == channels


def test_alpha_of_a_tiff_is_no_channel(tmp_path: Path) -> None:
    four = np.zeros((8, 8, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", four, photometric="rgb", extrasamples=["unassalpha"])
    assert read_channels(tmp_path / "a.tif") == 3
    tifffile.imwrite(tmp_path / "m.tif", four, photometric="minisblack", planarconfig="contig")
    assert read_channels(tmp_path / "m.tif") == 4


@pytest.mark.parametrize("options", [{}, {"tile": (256, 256), "compression": "zlib"}])
def test_a_large_file_stays_on_disk(tmp_path: Path, options: dict[str, Any]) -> None:
    """6000 x 6000 of 16 bits are 72 MB; a window of 300 x 300 touches at most 3 x 3 tiles of 128 KB."""
    path = tmp_path / "large.tif"
    row = np.arange(6000, dtype=np.uint16)
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            (row[:256, None] * 7 + row[None, :256] for _ in range(24 * 24))
            if options
            else np.broadcast_to(row, (6000, 6000)),
            shape=(6000, 6000),
            dtype=np.uint16,
            **options,
        )
    tracemalloc.start()
    with opened_image(path) as source:
        assert isinstance(source, TiffPlane)
        assert source.shape == (6000, 6000)
        window = source[4000:4300, 5000:5300]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = (
        (np.arange(4000, 4300) % 256 * 7)[:, None] + np.arange(5000, 5300) % 256
        if options
        else np.broadcast_to(row[5000:5300], (300, 300))
    )
    assert np.array_equal(window, expected)
    assert peak < 4e6


def test_small_and_turned_files_are_read_at_once(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "small.tif", GREY, tile=(16, 16))
    assert isinstance(open_image(tmp_path / "small.tif"), np.ndarray)
    tifffile.imwrite(tmp_path / "turned.tif", GREY, extratags=[(274, "H", 1, 6, True)])
    with TiffPlane(tmp_path / "turned.tif") as plane:
        assert not plane.is_windowed()
        assert plane.shape == (90, 70)
        assert np.array_equal(plane[2:5, 3:9], np.rot90(GREY, -1)[2:5, 3:9])


def test_complex_pixels_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "wave.tif"
    tifffile.imwrite(path, GREY.astype(np.complex64))
    for read in (read_size, read_channels, read_stack, read_image, open_image):
        with pytest.raises(InputError, match=r"wave\.tif: the pixels are complex64 values, which are no picture"):
            read(path)

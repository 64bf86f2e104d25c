from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from pointanno.errors import InputError
from pointanno.images import find_images, read_image, read_size, to_rgb8

GREY = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


def _save(path: Path, array: np.ndarray[Any, Any], **options: Any) -> Path:
    PillowImage.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("grey.png", GREY),
        ("rgb.png", RGB),
        ("rgba.png", np.concatenate([RGB, GREY[..., None]], axis=2)),
        ("grey16.png", GREY.astype(np.uint16) * 200),
        ("grey.bmp", GREY),
        ("rgb.tif", RGB),
    ],
)
def test_pixels_come_back_in_their_own_type(tmp_path: Path, name: str, array: np.ndarray[Any, Any]) -> None:
    path = _save(tmp_path / name, array)
    assert read_size(path) == (12, 20)
    result = read_image(path)
    assert result.dtype == array.dtype
    assert np.array_equal(result, array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int16])
def test_tiff_of_any_type(tmp_path: Path, dtype: Any) -> None:
    array = (GREY.astype(np.float64) - 50).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", array)
    result = read_image(tmp_path / "a.tif")
    assert result.dtype == dtype
    assert np.array_equal(result, array)


def test_of_a_stack_the_first_plane_is_read(tmp_path: Path) -> None:
    stack = np.stack([GREY, GREY + 1, GREY + 2]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "z.tif", stack, photometric="minisblack")
    assert read_size(tmp_path / "z.tif") == (12, 20)
    assert np.array_equal(read_image(tmp_path / "z.tif"), stack[0])


def test_channels_stay_together_and_come_last(tmp_path: Path) -> None:
    hyperstack = np.arange(2 * 3 * 5 * 6, dtype=np.uint16).reshape(2, 3, 5, 6)
    tifffile.imwrite(tmp_path / "zc.tif", hyperstack, imagej=True, metadata={"axes": "ZCYX"})
    assert read_size(tmp_path / "zc.tif") == (5, 6)
    assert np.array_equal(read_image(tmp_path / "zc.tif"), hyperstack[0].transpose(1, 2, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    """Bright top left quarter of the stored picture; its place afterwards follows from the TIFF definition."""
    stored = np.zeros((16, 24), np.uint8)
    stored[:8, :12] = 255
    path = tmp_path / f"a{suffix}"
    if suffix == ".jpg":
        exif = PillowImage.Exif()
        exif[274] = orientation
        _save(path, stored, exif=exif, quality=95)
    else:
        tifffile.imwrite(path, stored, extratags=[(274, "H", 1, orientation, True)])
    rows_first = orientation <= 4
    assert read_size(path) == ((16, 24) if rows_first else (24, 16))
    upright = read_image(path)
    assert upright.shape == read_size(path)
    corner = {
        1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0),
        5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0),
    }[orientation]  # fmt: skip
    corners = [(0, 0), (0, -1), (-1, -1), (-1, 0)]
    assert [bool(upright[place] > 128) for place in corners] == [place == corner for place in corners]


def test_palettes_are_resolved(tmp_path: Path) -> None:
    picture = PillowImage.fromarray(RGB).quantize(16)
    picture.save(tmp_path / "p.png")
    result = read_image(tmp_path / "p.png")
    assert np.array_equal(result, np.asarray(picture.convert("RGB")))
    picture.save(tmp_path / "t.png", transparency=0)
    assert read_image(tmp_path / "t.png").shape == (12, 20, 4)


def test_grey_with_alpha_is_no_two_channel_picture(tmp_path: Path) -> None:
    PillowImage.fromarray(GREY).convert("LA").save(tmp_path / "la.png")
    assert read_image(tmp_path / "la.png").shape == (12, 20, 4)


def test_black_and_white_becomes_0_and_255(tmp_path: Path) -> None:
    PillowImage.fromarray(GREY > 99).save(tmp_path / "bw.png")
    assert np.unique(read_image(tmp_path / "bw.png")).tolist() == [0, 255]


def test_broken_files_give_one_sentence_with_their_path(tmp_path: Path) -> None:
    good = _save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:3000])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "text.tif").write_text("not a picture")
    tifffile.imwrite(tmp_path / "whole.tif", np.zeros((64, 64), np.uint16))
    (tmp_path / "cut.tif").write_bytes((tmp_path / "whole.tif").read_bytes()[:2000])
    for name, message in [
        ("cut.png", "damaged or truncated"),
        ("empty.png", r"empty \(0 bytes\)"),
        ("text.png", "not a picture of a known kind"),
        ("text.tif", "damaged or truncated"),
        ("cut.tif", "damaged or truncated"),
        ("none.png", "is missing"),
        (".", "this is a folder"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            read_image(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="empty"):
        read_size(tmp_path / "empty.png")
    assert read_size(tmp_path / "cut.png") == (64, 64)  # the header is whole


def test_folders_are_listed_in_natural_order(tmp_path: Path) -> None:
    for name in ("a10.png", "a2.png", "A1.JPG", "b.txt", ".hidden.png", "a2.tiff"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in find_images(tmp_path)] == ["A1.JPG", "a2.png", "a2.tiff", "a10.png"]


def test_a_folder_without_pictures_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no picture"):
        find_images(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_images(tmp_path / "none")


def test_8_bit_values_are_kept() -> None:
    assert np.array_equal(to_rgb8(GREY), np.repeat(GREY[..., None], 3, axis=2))
    assert np.array_equal(to_rgb8(np.concatenate([RGB, GREY[..., None]], axis=2)), RGB)
    assert to_rgb8(RGB[..., :2])[..., 2].max() == 0
    assert to_rgb8(GREY > 9).max() == 255


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int32, np.float64])
def test_other_types_are_stretched(dtype: Any) -> None:
    ramp = np.linspace(100, 1100, 10_000).reshape(100, 100).astype(dtype)
    result = to_rgb8(ramp)
    assert result.dtype == np.uint8
    assert (result.min(), result.max()) == (0, 255)
    assert result[50, 0, 0] == pytest.approx(128, abs=2)


def test_odd_values_do_no_harm() -> None:
    array = np.array([[np.nan, np.inf], [0.0, 1.0]])
    assert to_rgb8(array).shape == (2, 2, 3)
    assert to_rgb8(np.full((4, 4), np.nan)).max() == 0
    assert to_rgb8(np.full((4, 4), 7, np.uint16)).max() == 0
    with pytest.raises(ValueError, match=r"\(H, W\) or \(H, W, C\)"):
        to_rgb8(np.zeros(3))


def test_a_name_that_is_no_text_is_said_so(tmp_path: Path) -> None:
    picture = tmp_path / "bad\udcff.png"
    try:
        picture.write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    with pytest.raises(InputError, match="not valid UTF-8; rename the file") as caught:
        read_size(picture)
    str(caught.value).encode()

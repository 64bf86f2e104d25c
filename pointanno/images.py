"""Pictures from disk: size from the header, pixels in the native type, and the 8-bit RGB that networks see.

Orientation tags are applied, so sizes and pixels are those that a person sees. Of a stack (multi-page TIFF, OME-Zarr)
the plane is read that the name of the path tells (`pointanno.planes`) or that is named beside it, else the first;
channels stay together as the last axis. Pages are planes unless the file says that they are channels (axis C).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from pointanno.errors import InputError
from pointanno.planes import name_plane, places, split_plane
from pointanno.tiff_planes import ORIENTATION_TAG, TURNED_ORIENTATIONS, TiffPlane, turn_upright
from pointanno.zarr_planes import SUFFIX as ZARR_SUFFIX
from pointanno.zarr_planes import ZarrPlane, find_zarr_pictures, is_zarr, open_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})
"""Kinds of files that `find_images` lists, besides Zarr folders."""

LARGE_BYTES = 32 * 2**20
"""Planes beyond this are opened to be read by windows, where the file allows it."""

_TIFF_SUFFIXES = frozenset({".tif", ".tiff"})

# Pillow refuses very large pictures as an attack on servers; here they are the user's own slides and maps.
PillowImage.MAX_IMAGE_PIXELS = None


class PixelSource(Protocol):
    """A picture of which windows can be read: an array, or a `TiffPlane` or `ZarrPlane` that stays on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) or (H, W, C)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""

    def __getitem__(self, window: tuple[slice, slice], /) -> NDArray[Any]:
        """Pixels of a window, (h, w) or (h, w, C)."""


def find_images(folder: str | Path) -> list[Path]:
    """Pictures that lie directly in a folder, in natural order (``a2.png`` before ``a10.png``).

    Raises
    ------
    InputError
        If the folder is missing or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name a folder with pictures")
    found = [
        path
        for path in folder.iterdir()
        if not path.name.startswith(".")
        and (
            (path.suffix.lower() in SUFFIXES and path.is_file())
            or (path.suffix.lower() == ZARR_SUFFIX and is_zarr(path))
        )
    ]
    if not found:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise InputError(f"{folder}: the folder holds no picture; expected files of the kinds {kinds}, or zarr folders")
    return sorted(found, key=lambda path: natural_key(path.name))


def find_planes(path: Path) -> Iterator[tuple[Path, dict[str, int]]]:
    """Every picture that a path of `find_images` stands for, with its plane: the planes of a stack one by one.

    Each comes under a path of its own, which all functions of this module read (see `pointanno.planes`).

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    inner = find_zarr_pictures(path) if is_zarr(path) else [""]
    for below in inner:
        file = path / below if below else path
        for plane in places(read_stack(file)):
            yield file.with_name(name_plane(file.name, plane)), plane


def is_tiff(path: Path) -> bool:
    """Whether a file is a TIFF, by its name."""
    return path.suffix.lower() in _TIFF_SUFFIXES


def is_there(path: Path) -> bool:
    """Whether the file of a picture exists; a name may tell a plane of it."""
    file = split_plane(path)[0]
    return file.is_file() or is_zarr(file)


def file_of(path: Path) -> Path:
    """The file, or Zarr folder, that holds a picture whose name may tell a plane."""
    return split_plane(path)[0]


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that compares runs of digits as numbers and everything else without regard to case."""
    parts = re.split(r"(\d+)", name.casefold())
    key = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
    return (*key, (2, 0, name))  # names that differ in case only still have one order


def read_size(path: str | Path) -> tuple[int, int]:
    """Height and width from the header alone, as a person sees the picture.

    Raises
    ------
    InputError
        If the file is missing, empty or no picture.
    """
    path, plane = locate(path)
    try:
        if is_zarr(path):
            source = ZarrPlane(open_zarr(path), plane)
            return source.shape[0], source.shape[1]
        if is_tiff(path):
            return _tiff_header(path, plane)[:2]
        _refuse_plane(path, plane)
        with PillowImage.open(path) as picture:
            width, height = picture.size
            turned = _orientation_of(picture) in TURNED_ORIENTATIONS
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        raise not_readable(path, error) from error
    return (width, height) if turned else (height, width)


def read_channels(path: str | Path) -> int:
    """How many channels a picture measures, from the header alone; alpha is none.

    Raises
    ------
    InputError
        If the file is missing, empty or no picture.
    """
    path, plane = locate(path)
    try:
        if is_zarr(path):
            picture = open_zarr(path)
            shape = ZarrPlane(picture, plane).shape
            return 1 if len(shape) == 2 else min(shape[2], 3) if picture.info.is_color else shape[2]
        if is_tiff(path):
            return _tiff_header(path, plane)[2]
        with PillowImage.open(path) as file:
            grey = file.mode in ("LA", "La") or len(PillowImage.new(_plain_mode(file), (1, 1)).getbands()) == 1
    except InputError:
        raise
    except Exception as error:  # see read_size
        raise not_readable(path, error) from error
    return 1 if grey else 3


def open_image(path: str | Path, plane: Mapping[str, int] | None = None) -> PixelSource:
    """A picture to read windows of: on disk if it is large and the file allows it, else in memory.

    Uncompressed TIFF is mapped; of tiled TIFF, of one in several strips, and of Zarr, only what a window touches is
    decoded. Everything else (PNG, JPEG, turned TIFF, compression that needs imagecodecs) is read at once.

    Raises
    ------
    InputError
        As `read_image`.
    """
    path, plane = locate(path, plane)
    if is_zarr(path):
        source = ZarrPlane(open_zarr(path), plane)
        return source if source.nbytes > LARGE_BYTES else _read_zarr(path, source)
    if is_tiff(path):
        try:
            opened = TiffPlane(path, plane)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # see read_size
            raise not_readable(path, error) from error
        if opened.nbytes > LARGE_BYTES and opened.is_windowed():
            return opened
        opened.close()
    return read_image(path, plane)


@contextmanager
def opened_image(path: str | Path, plane: Mapping[str, int] | None = None) -> Iterator[PixelSource]:
    """`open_image` for the length of a with statement, the file closed at its end."""
    source = open_image(path, plane)
    try:
        yield source
    finally:
        if isinstance(source, TiffPlane):
            source.close()


def read_stack(path: str | Path) -> dict[str, int]:
    """Lengths of the axes of a stack that are no channels, as in ``{"t": 10, "z": 5}``.

    Empty for a single plane, and for a path whose name tells one.

    Raises
    ------
    InputError
        If the file is missing, empty or no picture.
    """
    path, plane = locate(path)
    if plane:
        return {}
    if is_zarr(path):
        return {axis: length for axis, length in open_zarr(path).stack.items() if length > 1}
    if not is_tiff(path):
        return {}
    try:
        with TiffPlane(path) as opened:
            return {axis: length for axis, length in opened.stack.items() if length > 1}
    except InputError:
        raise
    except Exception as error:  # see read_size
        raise not_readable(path, error) from error


def read_image(path: str | Path, plane: Mapping[str, int] | None = None) -> NDArray[Any]:
    """Pixels of a picture in their native type.

    Palettes are resolved to RGB (RGBA when transparent), grey with alpha becomes RGBA, so two channels always
    mean two measured channels. Colour PNGs with 16 bits a channel are delivered with 8, as Pillow reads them.

    Parameters
    ----------
    path : path
    plane : mapping from axis to index, optional
        Which plane of a stack, as in ``{"t": 0, "z": 4}``; axes that are not named are at 0.

    Returns
    -------
    (H, W) or (H, W, C), native dtype
        bool becomes uint8 0 and 255.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated or no picture, or has no such plane.
    """
    path, plane = locate(path, plane)
    try:
        if is_zarr(path):
            return _read_zarr(path, ZarrPlane(open_zarr(path), plane))
        if is_tiff(path):
            return _read_tiff(path, plane)
        _refuse_plane(path, plane)
        return _read_with_pillow(path)
    except InputError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # see read_size
        raise not_readable(path, error) from error


def to_rgb8(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Any picture as 8-bit RGB for display and networks.

    Parameters
    ----------
    array : (H, W) or (H, W, C), any dtype
        8-bit values are kept. All other types are scaled so that the 0.1 and 99.9 percentiles of the finite
        values become 0 and 255, the same for all channels.

    Returns
    -------
    (H, W, 3) uint8
        Grey is repeated, of two channels the third is zero, of more than three the first three are kept
        (so alpha is dropped).
    """
    array = np.asarray(array)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] == 0):
        raise ValueError(f"array must have shape (H, W) or (H, W, C), but got {array.shape}")
    if array.ndim == 2:
        array = array[..., None]
    array = array[..., :3]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.dtype != np.uint8:
        array = _scale_to_8_bit(array)
    channels = array.shape[2]
    if channels == 1:
        array = np.repeat(array, 3, axis=2)
    elif channels == 2:
        array = np.concatenate([array, np.zeros_like(array[..., :1])], axis=2)
    return np.ascontiguousarray(array)


def _scale_to_8_bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Stretch between the 0.1 and 99.9 percentiles."""
    values = array.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, 0)
    if not finite.any():
        return np.zeros(array.shape, np.uint8)
    low, high = np.percentile(values[finite], [0.1, 99.9])
    if high <= low:
        return np.zeros(array.shape, np.uint8)
    scaled = np.clip((values - low) * (255.0 / (high - low)), 0, 255)
    return np.asarray(scaled + 0.5, dtype=np.uint8)


def locate(path: str | Path, plane: Mapping[str, int] | None = None) -> tuple[Path, dict[str, int]]:
    """The file of a picture, checked, and the plane that is meant; what stands beside the name adds to it.

    Raises
    ------
    InputError
        If it is missing, empty or a folder of something else.
    """
    file, named = split_plane(Path(path))
    _check_file(file)
    return file, {**named, **{axis.casefold(): index for axis, index in (plane or {}).items()}}


def _refuse_plane(path: Path, plane: Mapping[str, int]) -> None:
    """No plane but the first of a file that has one only."""
    if any(plane.values()):
        raise InputError(
            f"{path}: the data set names the plane {dict(plane)}, but planes are read from TIFF files and Zarr folders "
            "only; convert the file to TIFF or remove pointanno.plane"
        )


def _tiff_header(path: Path, plane: Mapping[str, int]) -> tuple[int, int, int]:
    """(height, width, measured channels) of a TIFF, remembered: a stack is asked for every plane."""
    state = path.stat()
    height, width, channels, stack = _remembered_header(path, state.st_mtime_ns, state.st_size)
    if not plane or all(0 <= index < dict(stack).get(axis, 0) for axis, index in plane.items()):
        return height, width, channels
    with TiffPlane(path, plane):  # axes without names; or it says what is wrong
        return height, width, channels


@lru_cache(maxsize=4)
def _remembered_header(path: Path, mtime_ns: int, size: int) -> tuple[int, int, int, tuple[tuple[str, int], ...]]:
    with TiffPlane(path) as opened:
        channels = opened.channels - 1 if opened.has_alpha else opened.channels
        return opened.shape[0], opened.shape[1], channels, tuple(opened.stack.items())


def _read_zarr(path: Path, plane: ZarrPlane) -> NDArray[Any]:
    """All pixels of a plane of a Zarr folder."""
    try:
        return plane[:, :]
    except (InputError, MemoryError):
        raise
    except Exception as error:  # see read_size
        raise not_readable(path, error) from error


def _check_file(path: Path) -> None:
    """Refuse what cannot be a picture before any decoder sees it."""
    try:
        path.name.encode()
    except UnicodeEncodeError:  # neither JSON nor the project file can hold such a name
        shown = str(path).encode("utf-8", "backslashreplace").decode()
        raise InputError(f"{shown}: the file name is not valid UTF-8; rename the file") from None
    if not path.exists():
        raise InputError(f"{path}: the picture is missing; put it back or remove it from the list")
    if is_zarr(path):
        return
    if not path.is_file():
        raise InputError(f"{path}: expected a picture file, but this is a folder")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the picture is empty (0 bytes); copy it again")


def not_readable(path: Path, error: Exception) -> InputError:
    """The sentence for a file that a decoder refused."""
    if isinstance(error, PermissionError):
        return InputError(f"{path}: the picture may not be read; change its permissions")
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"{path}: the file is not a picture of a known kind; convert it to PNG or TIFF")
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return InputError(f"{path}: the picture is damaged or truncated ({reason}); copy or convert it again")


def _read_with_pillow(path: Path) -> NDArray[Any]:
    """Everything but TIFF."""
    with PillowImage.open(path) as picture:
        orientation = _orientation_of(picture)
        mode = _plain_mode(picture)
        array = np.asarray(picture if mode == picture.mode else picture.convert(mode))
    array = turn_upright(array, orientation)
    # 16-bit PNGs arrive big-endian or as 32-bit integers, depending on Pillow's version
    if array.dtype == np.int32 and array.size and array.min() >= 0 and array.max() <= 65535:
        return array.astype(np.uint16)
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))


def _orientation_of(picture: PillowImage.Image) -> int:
    """Orientation tag from the header; Pillow would decode a whole PNG to look for it behind the pixels."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1
    return int(picture.getexif().get(ORIENTATION_TAG, 1))


def _plain_mode(picture: PillowImage.Image) -> str:
    """Mode of Pillow whose channels are grey, or red, green, blue and alpha."""
    if picture.mode == "P":
        return "RGBA" if "transparency" in picture.info else "RGB"
    if picture.mode in ("LA", "PA", "La", "RGBa"):
        return "RGBA"
    if picture.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        return "RGB"
    return "L" if picture.mode == "1" else picture.mode


def _read_tiff(path: Path, plane: Mapping[str, int] | None) -> NDArray[Any]:
    """One plane of a TIFF, all channels."""
    with TiffPlane(path, plane) as opened:
        try:
            return opened.read()
        except ValueError as error:
            if "imagecodecs" not in str(error) or any((plane or {}).values()):
                raise
            return _read_with_pillow(path)  # compressed in a way that only Pillow knows

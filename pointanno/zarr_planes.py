"""One plane of a Zarr picture, window by window: OME-Zarr 0.1 to 0.5, plates, series, and bare arrays.

The counterpart of `pointanno.tiff_planes`: channels stay together as the last axis, every other axis is a place in
a stack. Only the chunks that a window touches are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.picture_info import PictureInfo, info_of_zarr, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIX = ".zarr"
_MARKS = ("zarr.json", ".zgroup", ".zarray")
_PICTURE_AXES = ("y", "x", "c")
_IMPLICIT_AXES = "tczyx"
"""Axes of versions that do not name them (0.1, 0.2), and of bare arrays, from the last one backwards."""


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr group or array."""
    return folder.is_dir() and any((folder / mark).is_file() for mark in _MARKS)


@dataclass(frozen=True, slots=True, eq=False)
class ZarrPicture:
    """A picture in a Zarr folder: the arrays of its levels, finest first, and the names of their axes."""

    path: Path
    levels: tuple[Any, ...]
    axes: tuple[str, ...]
    info: PictureInfo

    @property
    def stack(self) -> dict[str, int]:
        """Lengths of the axes that are neither rows, columns nor channels."""
        pairs = zip(self.axes, self.levels[0].shape, strict=True)
        return {axis: int(length) for axis, length in pairs if axis not in _PICTURE_AXES}


def find_zarr_pictures(folder: Path) -> list[str]:
    """Pictures within a Zarr folder by their paths below it, "" for the folder itself.

    Raises
    ------
    InputError
        If it cannot be read or holds none.
    """
    found = list(_pictures_in(folder, _open(folder), ""))
    if not found:
        raise InputError(
            f"{folder}: the folder holds no picture that is known; expected OME-Zarr (multiscales in its metadata) or "
            "one array"
        )
    return found


def _pictures_in(folder: Path, node: Any, below: str) -> Iterator[str]:
    """Follow plates and series down to their pictures."""
    if not hasattr(node, "group_keys") or _ome(node).get("multiscales"):
        yield below
        return
    own = _ome(node)
    inner: list[str] = []
    if isinstance(own.get("plate"), dict):
        inner = [str(well["path"]) for well in own["plate"].get("wells") or () if "path" in well]
    elif isinstance(own.get("well"), dict):
        inner = [str(image["path"]) for image in own["well"].get("images") or () if "path" in image]
    elif own.get("bioformats2raw.layout") is not None:
        inner = sorted((key for key in node.group_keys() if key.isdecimal()), key=int)
    for key in inner:
        if is_zarr(folder / key):
            yield from _pictures_in(folder / key, _open(folder / key), f"{below}/{key}" if below else key)


def open_zarr(path: Path) -> ZarrPicture:
    """A picture of a Zarr folder; nothing but metadata is read.

    Raises
    ------
    InputError
        If it is none, or has axes that make no picture.
    """
    node = _open(path)
    if not hasattr(node, "group_keys"):
        axes = _axes_of_array(node)
        is_color = axes[-1] == "c"
        info = PictureInfo(is_color=is_color)
        levels: tuple[Any, ...] = (node,)
    else:
        own = _ome(node)
        try:
            multiscale = own["multiscales"][0]
            levels = tuple(node[str(entry["path"])] for entry in multiscale["datasets"])
            axes = _axes_of(multiscale, levels[0].ndim)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: the metadata of the picture (multiscales) are incomplete ({error!r}); write the folder again"
            ) from error
        info = info_of_zarr(multiscale, own.get("omero") or {}, axes) if {"y", "x"} <= set(axes) else PictureInfo()
    if not {"y", "x"} <= set(axes) or len(set(axes)) != len(axes) or len(axes) != levels[0].ndim:
        raise InputError(f"{path}: the axes are {', '.join(axes)}, but a picture needs one x and one y among them")
    if np.dtype(levels[0].dtype).kind not in "buif":
        raise InputError(f"{path}: the pixels are {levels[0].dtype} values, which are no picture")
    channels = levels[0].shape[axes.index("c")] if "c" in axes else 1
    named = () if info.is_color or channels == 1 else padded(info.channels, channels)
    info = PictureInfo(info.is_color, named, info.pixel_size, info.origin, info.unit)
    return ZarrPicture(path, levels, axes, info)


def _open(path: Path) -> Any:
    """The group or array of a folder."""
    import zarr

    try:
        return zarr.open(str(path), mode="r")
    except Exception as error:  # as decoders, it raises whatever it likes on damaged files
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(f"{path}: this is no readable Zarr folder ({reason}); copy or convert it again") from error


def _ome(node: Any) -> dict[str, Any]:
    """The metadata, which version 0.5 keeps under one key."""
    own = dict(node.attrs)
    return own["ome"] if isinstance(own.get("ome"), dict) else own


def _axes_of(multiscale: Mapping[str, Any], ndim: int) -> tuple[str, ...]:
    """Names of the axes, in small letters."""
    axes = multiscale.get("axes")
    if not axes:
        return tuple(_IMPLICIT_AXES[-ndim:])
    names = []
    for axis in axes:
        kind, name = (axis.get("type"), str(axis["name"])) if isinstance(axis, dict) else (None, str(axis))
        names.append("c" if kind == "channel" else name.casefold())
    return tuple(names)


def _axes_of_array(array: Any) -> tuple[str, ...]:
    """Axes of a bare array: named ones, else a last axis of three or four bytes is colour."""
    named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if named and all(isinstance(name, str) for name in named):
        folded = tuple(name.casefold() for name in named)
        if {"y", "x"} <= set(folded):
            return folded
    if array.ndim >= 3 and array.shape[-1] in (3, 4) and array.dtype == np.uint8:
        return (*_IMPLICIT_AXES.replace("c", "")[-(array.ndim - 1) :], "c")
    return tuple(_IMPLICIT_AXES.replace("c", "")[-array.ndim :]) if array.ndim <= 4 else tuple(_IMPLICIT_AXES)


class ZarrPlane:
    """A plane that is sliced like an array, ``plane[top:bottom, left:right]``, and reads only that.

    Parameters
    ----------
    picture : ZarrPicture
    plane : mapping from axis to index, optional
        As in ``{"t": 0, "z": 4}``; axes that are not named are at 0.
    level : int
        0 is the finest.

    Attributes
    ----------
    shape : (H, W) or (H, W, C)
    dtype : numpy dtype
        Of the pixels that are returned: bool becomes uint8.

    Raises
    ------
    InputError
        If the picture has no such plane.
    """

    def __init__(self, picture: ZarrPicture, plane: Mapping[str, int] | None = None, level: int = 0) -> None:
        self._array, self._axes = picture.levels[level], picture.axes
        self._place = _checked_place(picture, plane or {}, level)
        length = dict(zip(self._axes, self._array.shape, strict=True))
        channels = int(length.get("c", 1))
        size = (int(length["y"]), int(length["x"]))
        self.shape: tuple[int, ...] = size if channels == 1 else (*size, channels)
        stored = np.dtype(self._array.dtype)
        self._is_bool = stored == np.bool_
        self.dtype = np.dtype(np.uint8) if self._is_bool else stored.newbyteorder("=")

    @property
    def ndim(self) -> int:
        """2, or 3 with channels."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Memory of the whole plane."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[Any]:
        """Pixels of a window, (h, w) or (h, w, C)."""
        cut = {"y": slice(*window[0].indices(self.shape[0])[:2]), "x": slice(*window[1].indices(self.shape[1])[:2])}
        place = tuple(cut.get(axis, slice(None)) if axis in _PICTURE_AXES else self._place[axis] for axis in self._axes)
        left = [axis for axis in self._axes if axis in _PICTURE_AXES]
        part = np.asarray(self._array[place]).transpose([left.index(axis) for axis in _PICTURE_AXES if axis in left])
        if part.ndim == 3 and len(self.shape) == 2:
            part = part[..., 0]
        if self._is_bool:
            return np.asarray(part.astype(np.uint8) * 255)
        return np.ascontiguousarray(part.astype(self.dtype, copy=False))


def _checked_place(picture: ZarrPicture, plane: Mapping[str, int], level: int) -> dict[str, int]:
    """Index along every axis of the stack, at a level that may be coarser there as well."""
    stack = picture.stack
    for name, index in plane.items():
        if not 0 <= index < stack.get(name, 1):
            has = ", ".join(f"{axis}: {length}" for axis, length in stack.items()) or "a single plane"
            raise InputError(
                f"{picture.path}: there is no plane {name} = {index}; the picture has {has}. Correct the name of the "
                "image or pointanno.plane in the data set"
            )
    place = {}
    coarse = dict(zip(picture.axes, picture.levels[level].shape, strict=True))
    for axis, length in stack.items():
        place[axis] = int(plane.get(axis, 0)) * int(coarse[axis]) // length
    return place

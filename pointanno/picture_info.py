"""What a file says about a picture besides its pixels: physical size, and names and colours of its channels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {
    **dict.fromkeys(("µm", "μm", "um", "micron", "microns", "micrometer", "micrometre", "\\u00b5m"), "micrometer"),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), "nanometer"),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), "millimeter"),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), "centimeter"),
    **dict.fromkeys(("m", "meter", "metre"), "meter"),
    **dict.fromkeys(("pm", "picometer", "picometre"), "picometer"),
    **dict.fromkeys(("å", "angstrom", "ångström"), "angstrom"),
    **dict.fromkeys(("in", "inch"), "inch"),
}

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One channel as the file describes it; what it does not say is empty or None."""

    name: str = ""
    color: Color | None = None
    limits: tuple[float, float] | None = None
    """Values to show as black and as the full colour."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What is needed to show a picture as its author meant it.

    Attributes
    ----------
    is_color : bool
        The channels are red, green, blue (and alpha), not measurements.
    channels : one for each channel
        Empty for a grey or colour picture of which the file says nothing.
    pixel_size : (row, column) or None
        Physical size of a pixel; None if the file does not tell it in a length.
    origin : (row, column)
        Physical position of the centre of the top left pixel.
    unit : str
        Unit of both, in full and singular ("micrometer"); "" without one.
    """

    is_color: bool = False
    channels: tuple[ChannelInfo, ...] = ()
    pixel_size: tuple[float, float] | None = None
    origin: tuple[float, float] = (0.0, 0.0)
    unit: str = ""


def unit_name(text: str) -> str:
    """A unit of length in full; "" if the text names none."""
    return _UNITS.get(text.strip().casefold(), "")


def checked_size(height: Any, width: Any, unit: str) -> tuple[tuple[float, float] | None, str]:
    """Size of a pixel and its unit; (None, "") if they are no lengths."""
    try:
        size = (float(height), float(width))
    except (TypeError, ValueError):
        return None, ""
    name = unit_name(unit)
    if not name or not all(np.isfinite(side) and side > 0 for side in size):
        return None, ""
    return size, name


def info_of_tiff(file: Any, *, is_color: bool, channels: int, turned: bool) -> PictureInfo:
    """What a TIFF says, in the words of OME or of ImageJ; resolutions for printers mean nothing here.

    Parameters
    ----------
    file : tifffile.TiffFile
    is_color : bool
    channels : int
    turned : bool
        Whether rows and columns change places before the picture is shown.
    """
    named: tuple[ChannelInfo, ...] = ()
    size: tuple[float, float] | None = None
    unit = ""
    if file.is_ome:
        size, unit, named = _of_ome(file.ome_metadata or "")
    elif file.is_imagej:
        size, unit, named = _of_imagej(file)
    if size is not None and turned:
        size = (size[1], size[0])
    return PictureInfo(is_color, () if is_color or channels == 1 else padded(named, channels), size, unit=unit)


def padded(named: tuple[ChannelInfo, ...], channels: int) -> tuple[ChannelInfo, ...]:
    """One entry for each channel, whatever the file lists."""
    return tuple(named[i] if i < len(named) else ChannelInfo() for i in range(channels))


def _of_ome(xml: str) -> tuple[tuple[float, float] | None, str, tuple[ChannelInfo, ...]]:
    """Size of a pixel, its unit, channels."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None, "", ()
    pixels = next((element for element in root.iter() if element.tag.endswith("}Pixels")), None)
    if pixels is None:
        return None, "", ()
    unit = pixels.get("PhysicalSizeXUnit", "µm")
    if pixels.get("PhysicalSizeYUnit", "µm") != unit:
        size, name = None, ""
    else:
        size, name = checked_size(pixels.get("PhysicalSizeY"), pixels.get("PhysicalSizeX"), unit)
    channels = []
    for element in pixels:
        if element.tag.endswith("}Channel"):
            color = _signed_color(element.get("Color"))
            channels += [ChannelInfo(element.get("Name") or "", color)] * int(element.get("SamplesPerPixel") or 1)
    return size, name, tuple(channels)


def _signed_color(text: str | None) -> Color | None:
    """RGB of OME's signed RGBA number; white is what writers put where nobody chose."""
    try:
        value = int(text or "") & 0xFFFFFFFF
    except ValueError:
        return None
    color = (value >> 24, value >> 16 & 255, value >> 8 & 255)
    return None if color in ((255, 255, 255), (0, 0, 0)) else color


def _of_imagej(file: Any) -> tuple[tuple[float, float] | None, str, tuple[ChannelInfo, ...]]:
    """Size of a pixel, its unit, channels with the limits that were set."""
    own: Mapping[str, Any] = file.imagej_metadata or {}
    tags = file.pages[0].tags
    sides = []
    for name in ("YResolution", "XResolution"):
        tag = tags.get(name)
        above, below = (0, 0) if tag is None else tag.value
        sides.append(below / above if above else None)
    size, unit = checked_size(sides[0], sides[1], str(own.get("unit", "")))
    ranges = own.get("Ranges") or ()
    limits = [(float(low), float(high)) for low, high in zip(ranges[::2], ranges[1::2], strict=False) if high > low]
    channels = int(own.get("channels", 1))
    return size, unit, tuple(ChannelInfo(limits=one) for one in limits) if len(limits) == channels > 1 else ()


def info_of_zarr(multiscale: Mapping[str, Any], omero: Mapping[str, Any], axes: tuple[str, ...]) -> PictureInfo:
    """What the metadata of an OME-Zarr picture say."""
    size, unit, origin = _zarr_placement(multiscale, axes)
    channels = []
    entries = omero.get("channels")
    for entry in entries if isinstance(entries, list) else ():
        entry = entry if isinstance(entry, dict) else {}
        try:
            limits = (float(entry["window"]["start"]), float(entry["window"]["end"]))
        except (KeyError, TypeError, ValueError):
            limits = (0.0, 0.0)
        color = re.fullmatch(r"#?([0-9a-fA-F]{6})", str(entry.get("color", "")))
        rgb = bytes.fromhex(color[1]) if color else b""
        channels.append(
            ChannelInfo(
                str(entry.get("label") or ""),
                (rgb[0], rgb[1], rgb[2]) if rgb else None,
                limits if limits[1] > limits[0] else None,
            )
        )
    return PictureInfo(False, tuple(channels), size, origin, unit)


def _zarr_placement(
    multiscale: Mapping[str, Any], axes: tuple[str, ...]
) -> tuple[tuple[float, float] | None, str, tuple[float, float]]:
    """Size of a pixel of the finest level, unit, and position of its first pixel."""
    described = {str(axis.get("name")): axis for axis in multiscale.get("axes") or () if isinstance(axis, dict)}
    units = [str(described.get(axis, {}).get("unit") or "") for axis in ("y", "x")]
    steps = [*(multiscale["datasets"][0].get("coordinateTransformations") or ())]
    steps += multiscale.get("coordinateTransformations") or ()
    size, origin = np.ones(2), np.zeros(2)
    places = [axes.index("y"), axes.index("x")]
    for step in steps:
        for kind in ("scale", "translation"):
            values = step.get(kind)
            if step.get("type") != kind or not isinstance(values, list) or len(values) != len(axes):
                continue
            chosen = np.array([float(values[place]) for place in places])
            if kind == "scale":
                size, origin = size * chosen, origin * chosen
            else:
                origin = origin + chosen
    if units[0] != units[1]:
        return None, "", (0.0, 0.0)
    checked, unit = checked_size(size[0], size[1], units[0])
    if checked is None or not np.isfinite(origin).all():
        return None, "", (0.0, 0.0)
    return checked, unit, (float(origin[0]), float(origin[1]))

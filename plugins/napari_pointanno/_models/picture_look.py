"""How the values of a picture become colours: limits, and a colour for each measured channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_pointanno.palette import Color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pointanno.picture_info import PictureInfo

Limits = tuple[float, float]

SHOWN_AT_FIRST = 4
"""Channels that are visible until the person chooses: more than that mix to mud."""

_GREEN, _MAGENTA, _CYAN, _YELLOW, _RED, _BLUE = (
    (0, 255, 0), (255, 0, 255), (0, 255, 255), (255, 255, 0), (255, 0, 0), (0, 80, 255)
)  # fmt: skip
_TWO = (_MAGENTA, _GREEN)
_MANY = (_CYAN, _MAGENTA, _YELLOW, _RED, _GREEN, _BLUE)
"""The colours that napari gives to channels, in its order; two of them stay apart for the colour-blind."""


@dataclass(frozen=True, slots=True)
class ChannelLook:
    """One measured channel as it is shown."""

    name: str
    color: Color
    limits: Limits
    """Values that become black and the full colour."""
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is shown.

    Attributes
    ----------
    channels : measured channels
        Empty for grey and colour pictures.
    limits : of a grey or colour picture
    rgb : bool
        Whether what is drawn has three bytes for each pixel; a grey picture keeps its values.
    """

    channels: tuple[ChannelLook, ...] = ()
    limits: Limits = (0.0, 255.0)
    rgb: bool = False

    def with_channel(self, index: int, **changes: Any) -> Look:
        """The same with one channel changed."""
        channels = list(self.channels)
        channels[index] = replace(channels[index], **changes)
        return replace(self, channels=tuple(channels))

    def only(self, index: int) -> Look:
        """The same with one channel visible."""
        return replace(self, channels=tuple(replace(one, visible=i == index) for i, one in enumerate(self.channels)))

    def render(self, values: NDArray[Any]) -> NDArray[Any]:
        """A window of values, (h, w) or (h, w, C), as it is drawn: (h, w) values or (h, w, 3) bytes."""
        if not self.rgb:
            return values if values.ndim == 2 else values[..., 0]
        if self.channels:
            return composite(values, self.channels)
        return stretched(values[..., :3], self.limits)


def first_look(sample: NDArray[Any], info: PictureInfo) -> Look:
    """The look of a picture that nobody has changed.

    Parameters
    ----------
    sample : (N, C) values of some pixels
    info : PictureInfo
    """
    channels = sample.shape[1]
    if channels == 1:
        return Look(limits=limits_of(sample))
    if info.is_color:
        return Look(limits=limits_of(sample[:, :3]), rgb=True)
    colors = _TWO if channels == 2 else _MANY
    named = [info.channels[i] if i < len(info.channels) else None for i in range(channels)]
    looks = [
        ChannelLook(
            name=(one.name if one is not None else "") or f"channel {i}",
            color=(one.color if one is not None else None) or colors[i % len(colors)],
            limits=(one.limits if one is not None else None) or limits_of(sample[:, i : i + 1], stretch=True),
            visible=i < SHOWN_AT_FIRST,
        )
        for i, one in enumerate(named)
    ]
    return Look(channels=tuple(looks), rgb=True)


def limits_of(sample: NDArray[Any], *, stretch: bool = False) -> Limits:
    """Limits of the display: the whole range of bytes unless they are to be stretched, else 0.1 ... 99.9 percent."""
    if sample.dtype == np.bool_:
        return 0.0, 1.0
    if sample.dtype == np.uint8 and not stretch:
        return 0.0, 255.0
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(finite, (0.1, 99.9))
    return float(low), float(high) if high > low else float(low) + 1.0


def stretched(values: NDArray[Any], limits: Limits) -> NDArray[np.uint8]:
    """Values between limits as bytes; bytes with the whole range as they are."""
    if values.dtype == np.uint8:
        return values if limits == (0.0, 255.0) else np.asarray(_table(limits, 256)[values])
    if values.dtype == np.uint16:
        return np.asarray(_table(limits, 65536)[values])
    clean = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=limits[1], neginf=limits[0])
    return _to_bytes(clean, limits)


def composite(values: NDArray[Any], channels: Sequence[ChannelLook]) -> NDArray[np.uint8]:
    """The sum of the visible channels in their colours; one visible channel is shown in grey.

    Parameters
    ----------
    values : (h, w, C)
    channels : C of ChannelLook
    """
    shown = [(i, one) for i, one in enumerate(channels) if one.visible]
    if len(shown) == 1:
        grey = stretched(values[..., shown[0][0]], shown[0][1].limits)
        return np.repeat(grey[..., None], 3, axis=2)
    light = np.zeros((3, *values.shape[:2]), dtype=np.uint16)
    for index, one in shown:
        bright = stretched(values[..., index], one.limits).astype(np.uint16)
        for part, strength in enumerate(one.color):
            if strength == 255:
                light[part] += bright
            elif strength:
                light[part] += bright * np.uint16(strength) // np.uint16(255)
    np.minimum(light, 255, out=light)
    return np.ascontiguousarray(light.astype(np.uint8).transpose(1, 2, 0))


def _to_bytes(values: NDArray[Any], limits: Limits) -> NDArray[np.uint8]:
    low, high = limits
    gain = 255.0 / (high - low) if high > low else 0.0
    return np.asarray(np.clip((values - low) * gain, 0.0, 255.0) + 0.5, dtype=np.uint8)


def _table(limits: Limits, size: int) -> NDArray[np.uint8]:
    """The byte of every value."""
    return _to_bytes(np.arange(size, dtype=np.float32), limits)

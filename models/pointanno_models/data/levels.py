"""From the raw values of a picture to network input, alike for the whole picture and for any window of it.

8-bit values are taken as they are. All others (16 bits, floats, signed) are stretched so that the 0.1 and 99.9
percentiles of the picture become 0 and 255, without rounding: nothing of 16 bits is lost on the way through 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.images import to_rgb8

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pointanno.images import PixelSource

IMAGENET_MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
IMAGENET_STD = np.array([58.395, 57.12, 57.375], dtype=np.float32)

RGB = 3
"""Number of channels that any picture can be brought to: grey is repeated, of more than three the first are kept."""

_SAMPLE_SIDE, _SAMPLE_COUNT = 256, 8
"""Of a picture that stays on disk, statistics are taken from a grid of this many windows a side."""

_HUGE = 1e30
"""Larger numbers are no measurements and count as not finite."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """How the values of one picture are mapped: ``(clip((value - low) * gain, 0, 255) - mean) / spread``.

    Attributes
    ----------
    channels : int
        Of the network's input.
    low, gain : () or (C,) float32, or None
        None where values are 8-bit and stay.
    mean, spread : () or (C,) float32
    """

    channels: int
    low: NDArray[np.float32] | None
    gain: NDArray[np.float32] | None
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    def __call__(self, window: NDArray[Any]) -> NDArray[np.float32]:
        """(h, w) or (h, w, C) of the picture's own type to (h, w, channels) float32."""
        if self.channels == RGB and window.dtype in (np.uint8, np.bool_):
            pixels = to_rgb8(window).astype(np.float32)
        else:
            pixels = _stretch(_measured_channels(window, self.channels), self.low, self.gain)
            pixels = _as_rgb(pixels) if self.channels == RGB else pixels
        normalized: NDArray[np.float32] = (pixels - self.mean) / self.spread
        return normalized

    def colors(self, normalized: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network input (h, w, channels), which may have been resized, as colours (h, w, 3) float32 in [0, 1].

        Of other than three channels the first ones are red, green and blue; a single one is grey.
        """
        pixels = ((normalized * self.spread + self.mean) / 255).clip(0, 1)
        return _as_rgb(np.asarray(pixels[..., :RGB], dtype=np.float32))


def measure_levels(image: PixelSource, how: str, channels: int = RGB) -> Levels:
    """The mapping of a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, C), any dtype
        Of an array every pixel counts; of a picture that stays on disk, a grid of windows.
    how : {"imagenet", "image"}
        By the statistics of ImageNet, which pretrained weights need (of other than three channels: their
        average); or by this picture's own, which makes microscopes and exposures alike.
    channels : int
        3 takes any picture as RGB, one stretch and one mean for all three, so that colours keep their balance.
        Any other number must be that of the picture, and each channel is stretched and normalised by itself.

    Raises
    ------
    InputError
        If the picture has another number of channels.
    """
    if how not in ("imagenet", "image"):
        raise ValueError(f"how must be 'imagenet' or 'image', but got {how!r}")
    pixels = _pixels_to_measure(image)
    if channels == RGB and pixels.dtype in (np.uint8, np.bool_):
        mean, spread = _spread(to_rgb8(pixels).astype(np.float32), how, RGB)
        return Levels(channels, None, None, mean, spread)
    values = _measured_channels(pixels, channels)
    axes = None if channels == RGB else (0, 1)
    low, gain = (None, None) if values.dtype == np.uint8 else _stretch_of(values, axes)
    stretched = _stretch(values, low, gain)
    mean, spread = _spread(_as_rgb(stretched) if channels == RGB else stretched, how, channels)
    return Levels(channels, low, gain, mean, spread)


def _pixels_to_measure(image: PixelSource) -> NDArray[Any]:
    """Everything, or for a picture on disk a grid of windows, one under the other."""
    if isinstance(image, np.ndarray):
        return image
    height, width = image.shape[:2]
    tall, wide = min(_SAMPLE_SIDE, height), min(_SAMPLE_SIDE, width)
    tops = np.unique(np.linspace(0, height - tall, _SAMPLE_COUNT).astype(int)).tolist()
    lefts = np.unique(np.linspace(0, width - wide, _SAMPLE_COUNT).astype(int)).tolist()
    return np.concatenate([image[top : top + tall, left : left + wide] for top in tops for left in lefts])


def _measured_channels(window: NDArray[Any], channels: int) -> NDArray[Any]:
    """(h, w, c) with c the picture's own channels: at most three for RGB, else exactly `channels`."""
    window = window[..., None] if window.ndim == 2 else window
    if channels == RGB:
        return window[..., :RGB]
    if window.shape[2] != channels:
        raise InputError(
            f"the picture has {window.shape[2]} channels, but the network takes {channels} (data.channels); use "
            "pictures of one kind, or train with --set data.channels=3, which takes any picture as RGB. Pages of a "
            "TIFF count as channels only if the file names their axis C"
        )
    return window


def _as_rgb(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """One or two channels as three: grey repeated, blue zero."""
    if pixels.shape[2] == 1:
        return np.repeat(pixels, RGB, axis=2)
    if pixels.shape[2] == RGB - 1:
        return np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=2)
    return pixels


def _is_measured(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are finite, also as float32 and after their differences were taken."""
    # float16 does not reach the limit, nor could it be compared with it
    return np.asarray(np.isfinite(values) if values.dtype.itemsize < 4 else np.abs(values) < _HUGE, dtype=np.bool_)


def _stretch_of(values: NDArray[Any], axes: tuple[int, int] | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Low and gain from the percentiles of the finite values; a gain of 0 where all are alike."""
    if values.dtype.kind == "f":
        finite = np.where(_is_measured(values), values, np.nan)
        if np.isnan(finite).all(axis=axes).any():
            finite = np.nan_to_num(finite)
        low, high = np.nanpercentile(finite, [0.1, 99.9], axis=axes)
    else:
        low, high = np.percentile(values, [0.1, 99.9], axis=axes)
    reach = np.asarray(high - low, dtype=np.float64)
    gain = np.where(reach > 0, 255.0 / np.where(reach > 0, reach, 1.0), 0.0)
    return np.asarray(low, dtype=np.float32), np.asarray(gain, dtype=np.float32)


def _stretch(
    values: NDArray[Any], low: NDArray[np.float32] | None, gain: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """float32 values between 0 and 255; what is not finite becomes 0."""
    if values.dtype.kind == "f":
        pixels = np.where(_is_measured(values), values, 0).astype(np.float32)
        pixels[~_is_measured(values)] = -_HUGE
    else:
        pixels = values.astype(np.float32)
    if low is None or gain is None:
        return pixels * 255 if values.dtype == np.bool_ else pixels
    pixels -= low
    pixels *= gain
    return pixels.clip(0, 255, out=pixels)


def _spread(pixels: NDArray[np.float32], how: str, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and spread to normalise by."""
    if how == "imagenet":
        if channels == RGB:
            return IMAGENET_MEAN, IMAGENET_STD
        return np.asarray(IMAGENET_MEAN.mean()), np.asarray(IMAGENET_STD.mean())
    if channels == RGB:
        spread = np.float32(max(float(pixels.std()), 1.0))
        return np.asarray(np.float32(pixels.mean())), np.asarray(spread)
    mean = pixels.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return mean, np.maximum(pixels.std(axis=(0, 1), dtype=np.float64), 1.0).astype(np.float32)

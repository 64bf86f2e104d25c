"""Masks as COCO run-length codes: column-major runs, compressed to a string.

A thin layer over pycocotools that never changes what it is given and always returns
``{"size": [height, width], "counts": str}``. Single pixels are looked up in the cumulated runs, without decoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

RLE: TypeAlias = dict[str, Any]

_MOST_PIXELS = 2**32  # pycocotools counts with 32 bits
_MOST_PLACES = 7  # further characters of a number would pass those bits


def mask_to_rle(mask: NDArray[Any]) -> RLE:
    """Compressed code of a mask, (H, W) bool."""
    return _as_text(coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8)))


def rle_to_mask(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Mask of a compressed code, (H, W) bool."""
    return np.ascontiguousarray(coco_mask.decode(_as_bytes(rle))).astype(np.bool_)


def segmentation_to_rle(segmentation: Any, image_size: tuple[int, int]) -> RLE:
    """Compressed code of any COCO segmentation.

    Parameters
    ----------
    segmentation
        A list of polygons ``[x0, y0, x1, y1, …]`` (united), a code with a list of counts, or a compressed code.
    image_size : (height, width)

    Raises
    ------
    ValueError
        If it is none of these, or its size is not that of the image.
    """
    height, width = image_size
    if height * width >= _MOST_PIXELS:
        raise ValueError(f"a mask can have up to {_MOST_PIXELS - 1} pixels, but the image has {height * width}")
    if isinstance(segmentation, (list, tuple)):
        polygons = [_checked_polygon(polygon, image_size) for polygon in segmentation]
        if not polygons:
            raise ValueError("segmentation must hold at least one polygon")
        codes = coco_mask.frPyObjects(polygons, height, width)
        return _as_text(codes[0] if len(codes) == 1 else coco_mask.merge(codes))
    if not isinstance(segmentation, dict) or not {"size", "counts"} <= segmentation.keys():
        raise ValueError('segmentation must be polygons or {"size": [height, width], "counts": …}')
    size = list(segmentation["size"])
    if size != [height, width]:
        raise ValueError(f"segmentation has size {size}, but the image has [{height}, {width}]")
    counts = segmentation["counts"]
    if isinstance(counts, (list, tuple)):
        return counts_to_rle(counts, image_size)
    if not isinstance(counts, (str, bytes)):
        raise ValueError("counts of a segmentation must be a list of integers or a string")
    rle = _as_text({"size": size, "counts": counts})
    _check_runs(rle_to_counts(rle), height * width)
    return rle


def _checked_polygon(polygon: Any, image_size: tuple[int, int]) -> list[float]:
    """A polygon that pycocotools can draw: it crashes far outside of the picture and takes null for a number."""
    given = list(polygon)
    if len(given) < 6 or len(given) % 2:
        raise ValueError(f"a polygon needs an even number of at least 6 values, but got {len(given)}")
    try:
        values = np.asarray(given)
    except ValueError:  # lists of several lengths
        values = np.empty(0, dtype=object)
    if values.ndim != 1 or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise ValueError("a polygon must be a list of numbers x0, y0, x1, y1, ... and nothing else")
    height, width = image_size
    reach = max(image_size)  # how far it may stick out
    limits = np.tile([width + reach, height + reach], len(given) // 2)
    if (values < -reach).any() or (values > limits).any():
        raise ValueError(f"a polygon lies far outside of the picture of {width} x {height} pixels")
    return given


def _check_runs(lengths: NDArray[np.int64], area: int) -> None:
    """Refuse runs that do not cover the picture once: pycocotools would write beyond its memory."""
    if (lengths < 0).any():
        raise ValueError(f"a run covers {int(lengths.min())} pixels, but must cover 0 or more")
    total = int(lengths.sum(dtype=np.float64))  # integers of huge runs would overflow into any sum
    if total != area:
        raise ValueError(f"the runs cover {total} pixels, but the image has {area}")


def counts_to_rle(counts: Sequence[int] | NDArray[Any], image_size: tuple[int, int]) -> RLE:
    """Compressed code of run lengths that begin with background."""
    height, width = image_size
    values = np.asarray(counts)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iuf"):
        raise ValueError("counts must be a list of integers")
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise ValueError("counts must be integers, but one has decimals")
    lengths = values.clip(max=2**62).clip(min=0 if values.dtype.kind == "u" else -1).astype(np.int64)
    _check_runs(lengths, height * width)
    return _as_text(coco_mask.frPyObjects({"size": [height, width], "counts": lengths.tolist()}, height, width))


def rle_to_counts(rle: Mapping[str, Any]) -> NDArray[np.int64]:
    """Run lengths of a compressed code, background first.

    COCO's string holds 5 bits a character, lowest first, bit 5 set when more follow; the highest bit of a
    value is its sign, and from the fourth value on each is the difference to the value two before.
    """
    counts = rle["counts"]
    data = np.frombuffer(counts if isinstance(counts, bytes) else counts.encode("ascii"), np.uint8)
    if data.size == 0:
        return np.zeros(0, np.int64)
    bits = data.astype(np.int64) - 48
    is_last = (bits & 0x20) == 0
    if not is_last[-1] or bits.min() < 0 or bits.max() > 63:
        raise ValueError("the string of counts is damaged or cut off")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(bits)) - np.repeat(starts, ends - starts + 1)
    if place.max() > _MOST_PLACES:
        raise ValueError("the string of counts is damaged, a number in it is too long")
    values = np.add.reduceat((bits & 0x1F) << (5 * place), starts)
    negative = (bits[ends] & 0x10) != 0
    values -= np.where(negative, np.left_shift(1, 5 * (ends - starts + 1)), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def rle_at(rle: Mapping[str, Any], point_coords: ArrayLike) -> NDArray[np.uint8]:
    """Mask values at pixels, without decoding the mask.

    Parameters
    ----------
    rle
        Compressed code.
    point_coords : (..., 2) int, pixel indices (x, y)
        Must lie in the image.

    Returns
    -------
    (...) uint8
        1 on the object, 0 beside it.
    """
    coords = np.asarray(point_coords, dtype=np.int64)
    height, width = rle["size"]
    x, y = coords[..., 0], coords[..., 1]
    if coords.size and not ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all():
        raise ValueError(f"point_coords must lie in an image of {width} x {height} pixels")
    run = np.searchsorted(np.cumsum(rle_to_counts(rle)), x * height + y, side="right")
    labels: NDArray[np.uint8] = (run & 1).astype(np.uint8)
    return labels


def rle_area(rle: Mapping[str, Any]) -> int:
    """Number of pixels of the mask."""
    return int(coco_mask.area(_as_bytes(rle)))


def rle_to_xywh(rle: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Tight box of the mask as COCO writes it; width and height are 0 for an empty mask."""
    x, y, width, height = (float(value) for value in coco_mask.toBbox(_as_bytes(rle)))
    return x, y, width, height


def rle_union(rles: Sequence[Mapping[str, Any]]) -> RLE:
    """Code of the pixels that lie in any of the masks, by their runs, without decoding them."""
    return _as_text(coco_mask.merge([_as_bytes(rle) for rle in rles]))


def rle_difference(rle: Mapping[str, Any], other: Mapping[str, Any]) -> RLE:
    """Code of the pixels of one mask that do not lie in another one, by their runs."""
    counts = rle_to_counts(other)
    rest = counts[1:] if counts[0] == 0 else np.concatenate([[0], counts])
    height, width = (int(side) for side in other["size"])
    outside = counts_to_rle(rest if len(rest) else np.array([height * width]), (height, width))
    return _as_text(coco_mask.merge([_as_bytes(rle), _as_bytes(outside)], intersect=True))


def box_to_rle(box: Sequence[float], image_size: tuple[int, int]) -> RLE:
    """Code of a filled box: the pixels whose centres lie in it.

    Parameters
    ----------
    box : XYXY, continuous
    image_size : (height, width)
    """
    height, width = image_size
    x0, x1 = (min(max(int(np.ceil(value - 0.5)), 0), width) for value in (box[0], box[2]))
    y0, y1 = (min(max(int(np.ceil(value - 0.5)), 0), height) for value in (box[1], box[3]))
    mask = np.zeros((height, width), np.uint8, order="F")
    mask[y0:y1, x0:x1] = 1
    return _as_text(coco_mask.encode(mask))


def label_map_to_rles(labels: NDArray[Any]) -> dict[int, RLE]:
    """Codes of all regions of a label map at once, except that of 0.

    One pass over the runs of the whole map, so the cost does not grow with the number of regions.

    Parameters
    ----------
    labels : (H, W) int

    Returns
    -------
    dict from label to code, ascending
    """
    height, width = labels.shape
    flat = np.asarray(labels).ravel(order="F")
    if flat.size == 0:
        return {}
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    ends = np.append(starts[1:], flat.size)
    values = flat[starts]
    order = np.argsort(values, kind="stable")
    values, starts, ends = values[order], starts[order], ends[order]
    found, first = np.unique(values, return_index=True)
    last = np.append(first[1:], values.size)
    codes = {}
    for label, begin, end in zip(found.tolist(), first.tolist(), last.tolist(), strict=True):
        if label == 0:
            continue
        edges = np.stack([starts[begin:end], ends[begin:end]], axis=1).ravel()
        counts = np.diff(edges, prepend=0, append=flat.size)
        if counts[-1] == 0:  # pycocotools writes no empty last run, and equal masks shall have equal codes
            counts = counts[:-1]
        codes[label] = counts_to_rle(counts, (height, width))
    return codes


def _as_text(rle: Mapping[str, Any]) -> RLE:
    """A new code whose counts are text, so that it can be written as JSON."""
    counts = rle["counts"]
    return {
        "size": [int(value) for value in rle["size"]],
        "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts,
    }


def _as_bytes(rle: Mapping[str, Any]) -> RLE:
    """A new code whose counts are bytes, as pycocotools wants them."""
    counts = rle["counts"]
    return {"size": list(rle["size"]), "counts": counts.encode("ascii") if isinstance(counts, str) else counts}

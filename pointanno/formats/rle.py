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
    if isinstance(segmentation, (list, tuple)):
        polygons = [list(polygon) for polygon in segmentation]
        if not polygons:
            raise ValueError("segmentation must hold at least one polygon")
        short = next((polygon for polygon in polygons if len(polygon) < 6 or len(polygon) % 2), None)
        if short is not None:
            raise ValueError(f"a polygon needs an even number of at least 6 values, but got {len(short)}")
        return _as_text(coco_mask.merge(coco_mask.frPyObjects(polygons, height, width)))
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
    total = int(rle_to_counts(rle).sum())  # pycocotools would write beyond its memory
    if total != height * width:
        raise ValueError(f"the runs cover {total} pixels, but the image has {height * width}")
    return rle


def counts_to_rle(counts: Sequence[int] | NDArray[Any], image_size: tuple[int, int]) -> RLE:
    """Compressed code of run lengths that begin with background."""
    height, width = image_size
    lengths = np.asarray(counts, dtype=np.int64)
    total = int(lengths.sum())
    if total != height * width or (lengths < 0).any():
        raise ValueError(f"the runs cover {total} pixels, but the image has {height * width}")
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
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(bits)) - np.repeat(starts, ends - starts + 1)
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

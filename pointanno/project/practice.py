"""What somebody who practises is told about an image: what of the known was found, and how well."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from pointanno.formats.rle import rle_area, rle_at, rle_difference
from pointanno.project.agreement import MATCH_RADIUS, match_clicks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pointanno.dataset import Category
    from pointanno.project.records import BoxAnnotation, Click, ImageAnnotations

SAME_OBJECT = 0.5
"""Overlap (intersection over union) from which on two boxes or masks mean the same object."""


def practice_words(found: ImageAnnotations, known: ImageAnnotations, categories: Sequence[Category]) -> str:
    """How what was made compares with the known answers, as a sentence; "" where nothing of it is known.

    Parameters
    ----------
    found : what the person made on the image
    known : its known answers
    categories : classes of the project

    Notes
    -----
    Clicks are compared with known clicks of the class within `MATCH_RADIUS` pixels, or where only objects are known
    with their masks or boxes; boxes and masks with the known ones of the class that they overlap by `SAME_OBJECT`.
    Of several clicks on one object the first counts.
    """
    things = {one.id for one in categories if one.isthing}
    boxes = [box for box in known.boxes if box.category_id in things]
    total = len(_one_each(known.clicks)) if known.clicks and not found.boxes else len(boxes)
    if not total:
        return ""
    if found.boxes:
        return _overlaps([box for box in found.boxes if box.category_id in things], boxes)
    if not found.clicks:
        return f"Nothing was annotated: {_objects(total)} known here."
    if known.clicks:
        match = match_clicks(_one_each(found.clicks), _one_each(known.clicks), MATCH_RADIUS)
        typical = f", typically {median(match.distances):.1f} px from the known place" if match.distances else ""
        return _sentence(len(match.distances), total, typical, len(match.only_first))
    return _hits([click for click in _one_each(found.clicks) if click.category_id in things], boxes)


def _one_each(clicks: Iterable[Click]) -> list[Click]:
    """The first click on each thing, and all clicks on stuff."""
    firsts: dict[tuple[int, int], Click] = {}
    rest = []
    for click in clicks:
        if click.isthing and click.instance:
            firsts.setdefault((click.category_id, click.instance), click)
        else:
            rest.append(click)
    return [*firsts.values(), *rest]


def _hits(clicks: Sequence[Click], boxes: Sequence[BoxAnnotation]) -> str:
    """Clicks inside of known objects; each object counts once, each click for one object."""
    left, hit = list(boxes), 0
    for click in clicks:
        there = [box for box in left if box.category_id == click.category_id and _covers(box, click.x, click.y)]
        if there:
            left.remove(min(there, key=lambda box: box.box.area))
            hit += 1
    return _sentence(hit, len(boxes), "", len(clicks) - hit)


def _covers(box: BoxAnnotation, x: int, y: int) -> bool:
    if box.mask is not None:
        return bool(rle_at(box.mask.rle, [(x, y)])[0])
    x0, y0, x1, y1 = box.box.xyxy
    return x0 <= x + 0.5 <= x1 and y0 <= y + 0.5 <= y1


def _overlaps(found: Sequence[BoxAnnotation], known: Sequence[BoxAnnotation]) -> str:
    """Boxes or masks against the known ones, paired such that they overlap most."""
    from scipy.optimize import linear_sum_assignment

    shares = np.array([[_overlap(one, other) for other in known] for one in found]).reshape(len(found), len(known))
    rows, columns = linear_sum_assignment(-shares)
    good = [float(shares[pair]) for pair in zip(rows, columns, strict=True) if shares[pair] >= SAME_OBJECT]
    typical = f", typical overlap {100 * median(good):.0f} %" if good else ""
    return _sentence(len(good), len(known), typical, len(found) - len(good))


def _overlap(one: BoxAnnotation, other: BoxAnnotation) -> float:
    """Intersection over union of the masks, else of the boxes; 0 for different classes."""
    if one.category_id != other.category_id:
        return 0.0
    if one.mask is not None and other.mask is not None:
        area = rle_area(one.mask.rle)
        shared = area - rle_area(rle_difference(one.mask.rle, other.mask.rle))
        union = area + rle_area(other.mask.rle) - shared
        return shared / union if union else 0.0
    (a0, b0, a1, b1), (c0, d0, c1, d1) = one.box.xyxy, other.box.xyxy
    both = max(0.0, min(a1, c1) - max(a0, c0)) * max(0.0, min(b1, d1) - max(b0, d0))
    return both / (one.box.area + other.box.area - both)


def _sentence(right: int, total: int, typical: str, wrong: int) -> str:
    text = f"{right} of {total} known object{'' if total == 1 else 's'} found{typical}."
    return f"{text} {wrong} mark{'' if wrong == 1 else 's'} on none of them." if wrong else f"{text} Nothing too much."


def _objects(count: int) -> str:
    return "1 object is" if count == 1 else f"{count} objects are"

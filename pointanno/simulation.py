"""An annotator who knows the truth: points and clicks drawn from masks, a pure function of a seed.

Box points follow the published PointSup script to the last bit: one stream of numpy's legacy generator, N
pairs an annotation in file order, ``floor(x0 + u w)``; seed 12345 gives its file. All other choices are drawn
per object from (seed, image, object), so they do not depend on what else is in the file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from pointanno.dataset import Box, Category, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats.coco_records import box_to_bbox
from pointanno.formats.instance_records import no_points, pad_dataset
from pointanno.formats.rle import rle_at, rle_to_counts, rle_to_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Protocol: TypeAlias = Literal["single-point", "multi-point", "box-points", "mask"]
Sampling: TypeAlias = Literal["uniform", "center", "border"]

_SOURCE = "simulated"
_FLIP, _JITTER, _CLICK, _CLASS = range(4)  # keep the random streams of different decisions apart


def simulate(
    dataset: PointDataset,
    protocol: Protocol,
    *,
    n: int = 10,
    sampling: Sampling = "uniform",
    label_noise: float = 0.0,
    seed: int = 0,
    box_jitter: float = 0.0,
    progress: bool = False,
) -> PointDataset:
    """Annotations that a person with perfect knowledge, or a stated amount of error, would have made.

    Parameters
    ----------
    dataset
        Truth: instances with masks; from a panoptic file also the segments of stuff.
    protocol
        "box-points": box and `n` points uniform in it, for every thing, crowd regions too.
        "single-point": one click on every thing but crowd regions, and on every segment of stuff.
        "multi-point": `n` different pixels instead of one, as far as the object has so many.
        "mask": the masks themselves as painted ones, with `n` padded points.
    n
        Points per box or target; "single-point" has one.
    sampling
        Where clicks fall in their mask: "uniform"; "center" prefers pixels far from the outline (chance
        proportional to the square of the distance to it); "border" the opposite (inversely proportional).
        Box points are always uniform in the box.
    label_noise : float in [0, 1]
        Chance that the answer about a box point is the wrong one, or that a click names another class of
        its kind (thing or stuff).
    seed
        Same seed, same annotations.
    box_jitter : float in [0, 0.5)
        Each edge of a box moves by up to this share of its width or height.
    progress
        Whether to show a progress bar on standard error when it takes longer than a second.

    Raises
    ------
    InputError
        If an instance has no mask.
    ValueError
        If an argument is out of its range.
    """
    _check_arguments(protocol, n, sampling, label_noise, seed, box_jitter)
    _check_masks(dataset)
    stuff = {category.id for category in dataset.categories if not category.isthing}
    things = [instance for instance in dataset.instances if instance.category_id not in stuff]
    info = dict(dataset.info) | {
        "simulation": {
            "protocol": protocol,
            "n": 1 if protocol == "single-point" else n,
            "sampling": sampling,
            "label_noise": label_noise,
            "box_jitter": box_jitter,
            "seed": seed,
        }
    }
    base = replace(dataset, instances=(), targets=(), exhaustive_things=True, info=info)
    if protocol == "mask":
        masks = (replace(t, mask=_painted(t), points=no_points(), box_source="mask") for t in things)
        return pad_dataset(replace(base, instances=tuple(masks)), n)
    if protocol == "box-points":
        boxed = _jitter_boxes(things, dataset, box_jitter, seed) if box_jitter else things
        instances = _answer_boxes(boxed, dataset, n, label_noise, seed, progress)
        return replace(base, instances=instances, points_per_instance=n)
    segments = [instance for instance in dataset.instances if not instance.iscrowd]
    count = 1 if protocol == "single-point" else n
    targets = _click_targets(segments, dataset.categories, count, sampling, label_noise, seed, progress)
    complete = {"things": True, "stuff": bool(stuff)}
    images = tuple(replace(image, complete=complete) for image in dataset.images)
    return replace(base, images=images, targets=targets)


def points_in_boxes(bboxes: NDArray[np.float64], n: int, seed: int | np.random.RandomState) -> NDArray[np.int64]:
    """Random pixels in boxes, as the PointSup script draws them.

    Parameters
    ----------
    bboxes : (N, 4) float
        COCO's x, y, width, height.
    n
        Points per box, P.
    seed
        Seed, or a generator whose stream goes on.

    Returns
    -------
    (N, P, 2) int64
        Pixel indices (x, y). A pixel's centre may lie up to half a pixel left of or above the box: `floor`
        makes it so, and the training loss ignores those.
    """
    stream = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    shares = stream.rand(len(bboxes), n, 2)  # the same numbers as one draw a box
    return boxes_at_shares(bboxes, shares)


def boxes_at_shares(bboxes: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pixels at shares (u, v) of width and height: ``floor(x0 + u w)``, ``floor(y0 + v h)``.

    Parameters
    ----------
    bboxes : (N, 4) float
        COCO's x, y, width, height.
    shares : (N, P, 2) float in [0, 1)

    Returns
    -------
    (N, P, 2) int64
    """
    bboxes = np.asarray(bboxes, dtype=np.float64)
    position = shares * bboxes[:, None, 2:] + bboxes[:, None, :2]
    return np.floor(position).astype(np.int64)


def points_from_mask(
    rle: Mapping[str, Any], n: int, generator: np.random.Generator, *, sampling: Sampling = "uniform"
) -> NDArray[np.int32]:
    """Different random pixels of a mask; all of them if it has no more than `n`.

    Parameters
    ----------
    rle
        Compressed code of a mask that is not empty.
    n
        Number of points.
    generator
        Source of randomness.
    sampling
        See `simulate`.

    Returns
    -------
    (P, 2) int32
        Pixel indices (x, y), P = min(n, area).
    """
    height = rle["size"][0]
    counts = rle_to_counts(rle)
    lengths = counts[1::2]
    area = int(lengths.sum())
    if area == 0:
        raise ValueError("the mask is empty, so no pixel can be drawn from it")
    weights = None if sampling == "uniform" else _distance_weights(rle, sampling)
    order = generator.choice(area, size=min(n, area), replace=False, p=weights)
    ends = np.cumsum(lengths)
    run = np.searchsorted(ends, order, side="right")
    starts = np.cumsum(counts)[0::2][: len(lengths)]
    pixels = starts[run] + order - (ends[run] - lengths[run])
    return np.stack([pixels // height, pixels % height], axis=1).astype(np.int32)


def _distance_weights(rle: Mapping[str, Any], sampling: Sampling) -> NDArray[np.float64]:
    """Chance of each pixel of a mask, in the order of its runs, from its distance to the outline."""
    from scipy.ndimage import distance_transform_edt

    mask = rle_to_mask(rle)
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    distance = distance_transform_edt(np.pad(cut, 1))[1:-1, 1:-1]
    values = distance.ravel(order="F")[cut.ravel(order="F")]
    weights: NDArray[np.float64] = values**2 if sampling == "center" else values**-2.0
    total: float = weights.sum()
    return np.divide(weights, total)


def _check_arguments(protocol: str, n: int, sampling: str, label_noise: float, seed: int, box_jitter: float) -> None:
    """Refuse values out of their range, naming the option."""
    for name, value, known in (
        ("protocol", protocol, get_args(Protocol)),
        ("sampling", sampling, get_args(Sampling)),
    ):
        if value not in known:
            raise InputError(f"--{name}: {value!r} is not one of {', '.join(known)}")
    if n < 1:
        raise InputError(f"-n: the number of points must be 1 or more, but is {n}")
    if not 0 <= label_noise <= 1:
        raise InputError(f"--label-noise: expected a chance from 0 to 1, but got {label_noise}")
    if not 0 <= box_jitter < 0.5:
        raise InputError(f"--box-jitter: expected a share from 0 to less than 0.5, but got {box_jitter}")
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed: expected an integer from 0 to {2**32 - 1}, but got {seed}")


def _check_masks(dataset: PointDataset) -> None:
    """Every instance must know its mask."""
    if not dataset.instances:
        raise InputError("the truth holds no annotation, so there is nothing to simulate; name another file")
    without = next((instance for instance in dataset.instances if instance.mask is None), None)
    if without is not None:
        raise InputError(
            f"annotation {without.id} has no segmentation; simulating needs a truth with masks"
            " (COCO instances or COCO panoptic)"
        )


def _painted(instance: Instance) -> Any:
    """The mask as a person's."""
    return None if instance.mask is None else replace(instance.mask, source="painted")


def _answer_boxes(
    instances: Sequence[Instance],
    dataset: PointDataset,
    n: int,
    label_noise: float,
    seed: int,
    progress: bool,
) -> tuple[Instance, ...]:
    """Boxes with `n` answered points each."""
    if not instances:
        return ()
    bboxes = np.array([box_to_bbox(instance.box) for instance in instances], dtype=np.float64)
    coords = points_in_boxes(bboxes, n, seed)
    limits = {image.id: (image.width - 1, image.height - 1) for image in dataset.images}
    # boxes of real files stick out of the picture by a rounding error; the published script stops there
    high = np.array([limits[instance.image_id] for instance in instances], dtype=np.int64)
    coords = np.clip(coords, 0, high[:, None, :])
    flips = None
    if label_noise:
        generator = np.random.default_rng([seed, _FLIP])
        flips = generator.random((len(instances), n)) < label_noise
    answered = []
    for number, instance in enumerate(_progress(instances, "simulating answers", progress)):
        if instance.mask is None:
            continue
        labels = rle_at(instance.mask.rle, coords[number])
        if flips is not None:
            labels = labels ^ flips[number].astype(np.uint8)
        points = Points.answered(coords[number], labels, source=_SOURCE)
        answered.append(replace(instance, mask=None, points=points, box_source=_SOURCE))
    return tuple(answered)


def _jitter_boxes(instances: Sequence[Instance], dataset: PointDataset, share: float, seed: int) -> list[Instance]:
    """Boxes as a hasty hand draws them; never outside the picture, never thinner than one pixel."""
    sizes = {image.id: (image.height, image.width) for image in dataset.images}
    moved = []
    for instance in instances:
        generator = np.random.default_rng([seed, _JITTER, instance.image_id, instance.id])
        left, top, right, bottom = generator.uniform(-share, share, 4)
        box = instance.box
        width, height = box.x1 - box.x0, box.y1 - box.y0
        x0, x1 = _keep_inside(box.x0 + left * width, box.x1 + right * width, sizes[instance.image_id][1])
        y0, y1 = _keep_inside(box.y0 + top * height, box.y1 + bottom * height, sizes[instance.image_id][0])
        moved.append(replace(instance, box=Box(x0, y0, x1, y1)))
    return moved


def _keep_inside(low: float, high: float, limit: int) -> tuple[float, float]:
    """An extent of at least one pixel between 0 and `limit`, rounded to hundredths as COCO writes it."""
    low = min(max(round(low, 2), 0.0), limit - 1.0)
    return low, min(max(round(high, 2), low + 1.0), float(limit))


def _click_targets(
    segments: Sequence[Instance],
    categories: Sequence[Category],
    n: int,
    sampling: Sampling,
    label_noise: float,
    seed: int,
    progress: bool,
) -> tuple[Target, ...]:
    """Clicks inside the masks of things and of stuff."""
    kinds = {category.id: category.isthing for category in categories}
    rivals = {
        category.id: [other.id for other in categories if other.isthing == category.isthing and other.id != category.id]
        for category in categories
    }
    used: dict[int, int] = {}
    targets: list[Target] = []
    for segment in _progress(segments, "simulating clicks", progress):
        if segment.mask is None:
            continue
        key = [seed, _CLICK, segment.image_id, segment.id]
        try:
            coords = points_from_mask(segment.mask.rle, n, np.random.default_rng(key), sampling=sampling)
        except ValueError:
            continue  # an object without a visible pixel cannot be clicked
        isthing = kinds[segment.category_id]
        if isthing:
            used[segment.image_id] = used.get(segment.image_id, 0) + 1
        targets.append(
            Target(
                id=len(targets) + 1,
                image_id=segment.image_id,
                category_id=_name_class(segment, rivals[segment.category_id], label_noise, seed),
                isthing=isthing,
                instance=used[segment.image_id] if isthing else 0,
                points=Points.answered(coords, np.ones(len(coords)), source=_SOURCE),
            )
        )
    return tuple(targets)


def _name_class(segment: Instance, rivals: Sequence[int], label_noise: float, seed: int) -> int:
    """The true class, or by chance another of its kind."""
    if not label_noise or not rivals:
        return segment.category_id
    generator = np.random.default_rng([seed, _CLASS, segment.image_id, segment.id])
    if generator.random() >= label_noise:
        return segment.category_id
    return rivals[int(generator.integers(len(rivals)))]


def _progress(instances: Sequence[Instance], text: str, wanted: bool) -> Iterable[Instance]:
    """The instances, with a bar on standard error after a second."""
    if not wanted:
        return instances
    from tqdm import tqdm

    bar: Iterable[Instance] = tqdm(instances, desc=text, unit="objects", delay=1)
    return bar

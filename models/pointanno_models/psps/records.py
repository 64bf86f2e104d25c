"""From a data set on disk to the clicks, or masks, of each training picture.

The image-level assumption of PSPS is strong: a class without a click is taken as absent, and an object without one is
given to its neighbours. So only pictures that somebody declared complete are learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.coords import index_to_continuous
from pointanno.dataset import DOUBTFUL_PSEUDO_LABEL, OBJECT, is_complete
from pointanno.errors import InputError
from pointanno.formats.rle import rle_area
from pointanno.images import is_there
from pointanno_models.data.records import plane_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pointanno.dataset import Category, Image, Instance, PointDataset, Target

    Masks = tuple[Mapping[str, Any], ...]

_NAMED = 3
"""Pictures that a sentence names."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassOrder:
    """Categories as contiguous classes: things by ascending id, then stuff by ascending id.

    Attributes
    ----------
    category_ids : of int
        Category of each class.
    num_things : int
    """

    category_ids: tuple[int, ...]
    num_things: int

    @classmethod
    def of(cls, categories: Sequence[Category]) -> ClassOrder:
        """The order of a data set's categories."""
        things = sorted(category.id for category in categories if category.isthing)
        stuff = sorted(category.id for category in categories if not category.isthing)
        return cls((*things, *stuff), len(things))

    @property
    def num_stuff(self) -> int:
        """Classes that are no things."""
        return len(self.category_ids) - self.num_things

    def labels(self) -> dict[int, int]:
        """Class of each category id."""
        return {category_id: label for label, category_id in enumerate(self.category_ids)}


@dataclass(frozen=True, slots=True, eq=False)
class ClickRecord:
    """One picture and its N targets.

    Attributes
    ----------
    labels : (N,) int64
        Contiguous classes, see `ClassOrder`; a stuff class occurs at most once.
    target_ids : (N,) int64
        Of the first entry of the data set that each comes from.
    click_coords : (P, 2) float32
        Continuous (x, y) in pixels of the picture; P is 0 under mask supervision.
    click_targets : (P,) int64
    masks : N lists of run-length codes, or None
        Under mask supervision: the parts of each target. Where targets overlap, the later one is on top.
    ignored : run-length codes
        Under mask supervision: regions of many objects (crowds).
    has_void : bool
        Under mask supervision: whether pixels without a mask are unlabelled; else they are background.
    """

    path: Path
    image_id: int
    image_size: tuple[int, int]
    labels: NDArray[np.int64]
    target_ids: NDArray[np.int64]
    click_coords: NDArray[np.float32]
    click_targets: NDArray[np.int64]
    masks: tuple[Masks, ...] | None = None
    ignored: Masks = ()
    has_void: bool = False
    plane: Mapping[str, int] | None = None


@dataclass(slots=True)
class _Gathered:
    """Entries of the data set that are one target."""

    label: int
    first_id: int
    coords: list[NDArray[np.float32]]
    masks: list[Mapping[str, Any]]


def records_from_dataset(
    dataset: PointDataset,
    images: Path,
    *,
    supervision: str,
    all_pictures: bool = False,
    box_points: bool = True,
) -> tuple[tuple[ClickRecord, ...], tuple[str, ...]]:
    """Records of the pictures that can be learnt from, and sentences about those that were left out.

    Parameters
    ----------
    dataset : PointDataset
        Clicks (or boxes with answered points), or masks.
    images : Path
        Folder that the file names are relative to.
    supervision : {"points", "masks"}
    all_pictures : bool
        Whether pictures that are not declared complete are learnt from, too.
    box_points : bool
        Whether points answered *object* in boxes count as clicks.

    Raises
    ------
    InputError
        If nothing can be learnt: no clicks, no complete picture, a missing mask or file.
    """
    order = ClassOrder.of(dataset.categories)
    if not order.category_ids:
        raise InputError("the data set has no categories; add classes, then click their objects")
    of_image: dict[int, list[Instance]] = {image.id: [] for image in dataset.images}
    clicked: dict[int, list[Target]] = {image.id: [] for image in dataset.images}
    for instance in dataset.instances:
        of_image[instance.image_id].append(instance)
    for target in dataset.targets:
        clicked[target.image_id].append(target)
    with_points = supervision == "points"
    records, undeclared, unclicked = [], [], []
    for image in dataset.images:
        if with_points:
            found = _from_clicks(clicked[image.id], of_image[image.id] if box_points else (), order)
            if not found:
                unclicked.append(image)
                continue
            if not all_pictures and not is_complete(image, dataset):
                undeclared.append(image)
                continue
            record = _click_record(image, images, found)
        else:
            record = _mask_record(image, images, of_image[image.id], order)
            if not len(record.labels):
                continue
        if not is_there(record.path):
            raise InputError(
                f"{record.path}: image {image.id} of the data set is not there; pass the folder that holds it by "
                "--images"
            )
        records.append(record)
    if not records:
        raise InputError(_why_nothing(with_points=with_points, undeclared=undeclared))
    return tuple(records), _notes(undeclared, len(dataset.images))


def _from_clicks(targets: Iterable[Target], instances: Iterable[Instance], order: ClassOrder) -> list[_Gathered]:
    """Targets with at least one click: objects by their number, stuff by its class, boxes by themselves."""
    labels = order.labels()
    found: dict[tuple[str, int, int], _Gathered] = {}
    key_of_box: dict[int, tuple[str, int, int]] = {}

    def add(key: tuple[str, int, int], category_id: int, first_id: int, coords: NDArray[np.int32]) -> None:
        label = labels[category_id]
        if label >= order.num_things:  # all regions of a stuff class are one target
            key = ("stuff", label, 0)
        gathered = found.setdefault(key, _Gathered(label, first_id, [], []))
        gathered.coords.append(index_to_continuous(coords).astype(np.float32))

    for target in targets:
        coords = target.points.coords[target.points.labels == OBJECT]
        if not len(coords):
            continue
        key = ("object", target.category_id, target.instance)
        if target.linked_annotation_id is not None:
            key_of_box[target.linked_annotation_id] = key
        add(key, target.category_id, target.id, coords)
    for instance in instances:
        coords = instance.points.coords[instance.points.labels == OBJECT]
        if instance.iscrowd or not len(coords):
            continue
        add(key_of_box.get(instance.id, ("box", 0, instance.id)), instance.category_id, instance.id, coords)
    return list(found.values())


def _click_record(image: Image, images: Path, found: Sequence[_Gathered]) -> ClickRecord:
    coords = [np.concatenate(target.coords) for target in found]
    return ClickRecord(
        path=images / image.file_name,
        image_id=image.id,
        image_size=(image.height, image.width),
        labels=np.array([target.label for target in found], dtype=np.int64),
        target_ids=np.array([target.first_id for target in found], dtype=np.int64),
        click_coords=np.concatenate(coords),
        click_targets=np.repeat(np.arange(len(found)), [len(part) for part in coords]),
        plane=plane_of(image),
    )


def _mask_record(image: Image, images: Path, instances: Sequence[Instance], order: ClassOrder) -> ClickRecord:
    """Masks of one picture: regions of one stuff class are one target; smaller objects lie on top."""
    labels = order.labels()
    found: dict[tuple[str, int], _Gathered] = {}
    ignored: list[Mapping[str, Any]] = []
    for instance in sorted(instances, key=lambda each: (labels[each.category_id] < order.num_things, -_area(each))):
        if instance.mask is None:
            raise InputError(
                f"annotation {instance.id} of {image.file_name}: --supervision masks needs a mask for every instance, "
                "but this one has none; train with --supervision points or give a COCO file with segmentations"
            )
        label = labels[instance.category_id]
        if instance.iscrowd or instance.mask.source == DOUBTFUL_PSEUDO_LABEL:
            ignored.append(instance.mask.rle)
            continue
        key = ("thing", instance.id) if label < order.num_things else ("stuff", label)
        gathered = found.setdefault(key, _Gathered(label, instance.id, [], []))
        gathered.masks.append(instance.mask.rle)
    return ClickRecord(
        path=images / image.file_name,
        image_id=image.id,
        image_size=(image.height, image.width),
        labels=np.array([target.label for target in found.values()], dtype=np.int64),
        target_ids=np.array([target.first_id for target in found.values()], dtype=np.int64),
        click_coords=np.zeros((0, 2), dtype=np.float32),
        click_targets=np.zeros(0, dtype=np.int64),
        masks=tuple(tuple(target.masks) for target in found.values()),
        ignored=tuple(ignored),
        has_void=order.num_stuff > 0,
        plane=plane_of(image),
    )


def _area(instance: Instance) -> int:
    """Pixels of the mask, 0 without one."""
    return 0 if instance.mask is None else int(rle_area(instance.mask.rle))


def _why_nothing(*, with_points: bool, undeclared: Sequence[Image]) -> str:
    if not with_points:
        return "the data set has no masks to learn from; give a COCO panoptic file, or train with --supervision points"
    if undeclared:
        return (
            f"none of the {len(undeclared)} pictures with clicks is declared complete, and what is not clicked would "
            "be learnt as absent; click everything in a picture and declare it complete, or learn from all of them by "
            "--set data.all_pictures=true"
        )
    return (
        "the data set has no click to learn from; click once on each object and on each kind of stuff, or simulate it "
        "by `pointanno simulate --protocol single-point`"
    )


def _notes(undeclared: Sequence[Image], count: int) -> tuple[str, ...]:
    """What a person should know about the choice of pictures."""
    if not undeclared:
        return ()
    names = ", ".join(image.file_name for image in undeclared[:_NAMED])
    more = f" and {len(undeclared) - _NAMED} more" if len(undeclared) > _NAMED else ""
    return (
        f"{len(undeclared)} of {count} pictures have clicks but are not declared complete and are left out: "
        f"{names}{more}; declare them complete, or learn from all by --set data.all_pictures=true",
    )

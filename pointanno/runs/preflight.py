"""What can be known about a training before it starts: the data, the pictures, the disk. Torch-free."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import psutil

from pointanno.dataset import IGNORED, is_complete
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.images import read_size
from pointanno.runs.creation import check_arguments, sha256_of
from pointanno.runs.folder import list_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pointanno.dataset import Image, Instance, PointDataset
    from pointanno.runs.arguments import TrainArguments
    from pointanno.systems import SystemDescriptor

Level = Literal["error", "warning", "info"]

_MOST_PICTURES = 5_000
"""Headers that are read, spread evenly; more would take minutes on a network drive."""

_NAMED = 3
"""Names in a sentence; the rest is a number."""

_CHECKPOINTS = 3
"""Checkpoints on the disk at the worst moment: last, best, and the one that is being written."""

_SMALL_DISK = 2**30
"""With less than that free a training without a known checkpoint size gets a warning."""

_RESERVE = 0.9
"""Share of the memory that a training may take before it is called tight."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know before the training starts."""

    level: Level
    """ "error": it cannot work; "warning": it may not be what is wanted; "info"."""
    subject: str
    """ "options", "data", "classes", "pictures", "points", "validation", "disk", "memory", "run"."""
    sentence: str


@dataclass(slots=True)
class Preflight:
    """All findings, and the numbers they rest on."""

    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """`sha256`, `images`, `pictures` (with objects), `boxes`, `clicks`, `points`, `per_class`, `disk_free`."""

    @property
    def has_errors(self) -> bool:
        """Whether the training cannot work."""
        return any(finding.level == "error" for finding in self.findings)

    @property
    def has_warnings(self) -> bool:
        """Whether a person should look first."""
        return any(finding.level == "warning" for finding in self.findings)

    def add(self, level: Level, subject: str, sentence: str) -> None:
        """Append a finding."""
        self.findings.append(Finding(level, subject, sentence))


def check_training(arguments: TrainArguments, folder: Path) -> Preflight:
    """Look at everything a training needs; nothing is written.

    Parameters
    ----------
    arguments : TrainArguments
    folder : path
        Where the run folder is going to be; its parents need not exist yet.
    """
    checked = Preflight()
    arguments = arguments.absolute()
    try:
        descriptor, supervision = check_arguments(arguments)
    except InputError as error:
        checked.add("error", "options", str(error))
        return checked
    try:
        dataset = read_dataset(arguments.data)
    except InputError as error:
        checked.add("error", "data", str(error))
        return checked
    checked.facts |= {
        "sha256": sha256_of(arguments.data),
        "images": len(dataset.images),
        "boxes": len(dataset.instances),
        "clicks": sum(len(target.points) for target in dataset.targets),
    }
    usable = _check_objects(checked, arguments, dataset, descriptor, supervision)
    _check_pictures(checked, arguments.images, [image for image in dataset.images if image.id in usable])
    _check_validation(checked, arguments, dataset)
    _check_disk(checked, arguments, folder)
    _check_earlier_runs(checked, folder)
    return checked


def _check_objects(
    checked: Preflight,
    arguments: TrainArguments,
    dataset: PointDataset,
    descriptor: SystemDescriptor,
    supervision: str,
) -> set[int]:
    """Classes, boxes and points; ids of the images with something to learn from."""
    instances = [instance for instance in dataset.instances if not instance.iscrowd]
    with_points = supervision == "points"
    learns_stuff = descriptor.output == "panoptic"
    needs_boxes = descriptor.annotation == "box_points"
    boxes = Counter(instance.category_id for instance in instances)
    clicks = Counter(target.category_id for target in dataset.targets)
    answered = {instance.id: int((instance.points.labels != IGNORED).sum()) for instance in instances}
    points: Counter[int] = Counter()
    for instance in instances:
        points[instance.category_id] += answered[instance.id]
    if not needs_boxes:
        for target in dataset.targets:
            points[target.category_id] += int((target.points.labels != IGNORED).sum())
    checked.facts["points"] = sum(points.values())
    checked.facts["per_class"] = {
        category.name: {
            "objects": boxes[category.id] + (0 if needs_boxes else clicks[category.id]),
            "points": points[category.id],
        }
        for category in dataset.categories
    }
    learnt = [category for category in dataset.categories if category.isthing or learns_stuff]
    if len(learnt) < len(dataset.categories):
        names = _names([category.name for category in dataset.categories if category not in learnt])
        checked.add("info", "classes", f"{descriptor.title} learns things only; left out: {names}")
    empty = [c.name for c in learnt if not boxes[c.id] and (needs_boxes or not clicks[c.id])]
    if empty and len(empty) < len(learnt):
        checked.add(
            "warning", "classes",
            f"{_count(len(empty), 'class has', 'classes have')} no object and will not be learnt: {_names(empty)}",
        )  # fmt: skip
    pointless = [c.name for c in learnt if c.name not in empty and not points[c.id]]
    if with_points and pointless and len(pointless) + len(empty) < len(learnt):
        checked.add(
            "warning", "points",
            f"{_count(len(pointless), 'class has', 'classes have')} objects but no answered point, so only boxes are "
            f"learnt for: {_names(pointless)}",
        )  # fmt: skip
    usable = {instance.image_id for instance in instances}
    if not needs_boxes:
        usable |= {target.image_id for target in dataset.targets}
    if with_points and descriptor.annotation == "single_point":
        _check_complete(checked, dataset, usable)
    checked.facts["pictures"] = len(usable)
    _check_amount(checked, arguments, instances, answered, usable, needs_boxes=needs_boxes, with_points=with_points)
    if with_points and needs_boxes:
        _check_answers(checked, instances, answered)
    return usable


def _check_complete(checked: Preflight, dataset: PointDataset, usable: set[int]) -> None:
    """Pictures in which something may not have been clicked."""
    undeclared = [image for image in dataset.images if image.id in usable and not is_complete(image, dataset)]
    if undeclared:
        checked.add(
            "error" if len(undeclared) == len(usable) else "warning", "data",
            f"{_count(len(undeclared), 'picture has', 'pictures have')} clicks but "
            f"{'is' if len(undeclared) == 1 else 'are'} not declared complete, and left out unless "
            f"data.all_pictures is set: {_names([image.file_name for image in undeclared])}",
        )  # fmt: skip


def _check_amount(
    checked: Preflight,
    arguments: TrainArguments,
    instances: Sequence[Instance],
    answered: dict[int, int],
    usable: set[int],
    *,
    needs_boxes: bool,
    with_points: bool,
) -> None:
    """Whether there is anything to learn from."""
    clicks = checked.facts["clicks"]
    if not usable:
        advice = "draw boxes and answer their points first (key W)" if needs_boxes else "click objects first (key C)"
        if needs_boxes and clicks:
            advice = f"the {clicks:,} single clicks have no boxes, which this system needs; {advice}"
        checked.add("error", "data", f"{arguments.data}: no object to learn from; {advice}")
    elif with_points and needs_boxes and not any(answered.values()):
        checked.add(
            "error", "points",
            f"{arguments.data}: not one point of the {len(instances):,} boxes is answered; answer object or "
            "background for some points first",
        )  # fmt: skip
    elif not with_points and any(instance.mask is None for instance in instances):
        without = sum(instance.mask is None for instance in instances)
        checked.add(
            "error", "data",
            f"{arguments.data}: {without:,} of {len(instances):,} objects have no mask, which --supervision masks "
            "needs; train from points or give a file with segmentations",
        )  # fmt: skip
    elif len(usable) < 3:
        checked.add(
            "warning", "data",
            f"only {_count(len(usable), 'picture has', 'pictures have')} objects: the model will know little else",
        )  # fmt: skip


def _check_answers(checked: Preflight, instances: Sequence[Instance], answered: dict[int, int]) -> None:
    """Boxes whose points nobody answered."""
    if not any(answered.values()):
        return
    bare = [instance for instance in instances if not answered[instance.id]]
    if bare:
        checked.add(
            "warning", "points",
            f"{_count(len(bare), 'box has', 'boxes have')} no answered point (of {len(instances):,}): trained as boxes "
            "without a mask; answer their points for better masks",
        )  # fmt: skip
    partly = [one for one in instances if 0 < answered[one.id] < len(one.points)]
    if partly:
        checked.add(
            "info", "points", f"{_count(len(partly), 'box is', 'boxes are')} answered in part: the answers so far count"
        )


def _check_pictures(checked: Preflight, folder: Path, images: Sequence[Image]) -> None:
    """Missing, unreadable and wrongly sized pictures, by their headers."""
    chosen = images
    if len(images) > _MOST_PICTURES:
        places = np.linspace(0, len(images) - 1, _MOST_PICTURES).round().astype(int).tolist()
        chosen = [images[place] for place in places]
        checked.add("info", "pictures", f"{_MOST_PICTURES:,} of {len(images):,} pictures were looked at")
    missing, broken, sized = [], [], []
    for image in chosen:
        path = folder / image.file_name
        if not path.is_file():
            missing.append(image.file_name)
            continue
        try:
            height, width = read_size(path)
        except InputError as error:
            broken.append(str(error))
            continue
        if (height, width) != (image.height, image.width):
            sized.append(f"{image.file_name} ({width} x {height}, the data say {image.width} x {image.height})")
    if missing:
        checked.add(
            "error", "pictures",
            f"{folder}: {_count(len(missing), 'picture is', 'pictures are')} missing: {_names(missing)}; "
            "check --images",
        )  # fmt: skip
    for sentence in broken[:_NAMED]:
        checked.add("error", "pictures", sentence)
    if sized:
        checked.add(
            "error", "pictures",
            f"{folder}: {_count(len(sized), 'picture has', 'pictures have')} another size than in the data, so the "
            f"points would lie elsewhere: {_names(sized)}; put the right pictures there",
        )  # fmt: skip


def _check_validation(checked: Preflight, arguments: TrainArguments, dataset: PointDataset) -> None:
    """The validation file, and whether it holds pictures that are trained on."""
    if arguments.val is None or arguments.val_images is None:
        checked.add(
            "info",
            "validation",
            "no validation file: the newest checkpoint counts as the best, and only the agreement with the "
            "answers is told",
        )
        return
    try:
        validation = read_dataset(arguments.val)
    except InputError as error:
        checked.add("error", "validation", str(error))
        return
    known = {category.id for category in validation.categories}
    lacking = [c.name for c in dataset.categories if c.isthing and c.id not in known]
    if lacking:
        checked.add(
            "error", "validation",
            f"{arguments.val}: the validation file lacks {_names(lacking)}; give a file with the same classes",
        )  # fmt: skip
    missing = [i.file_name for i in validation.images if not (arguments.val_images / i.file_name).is_file()]
    if missing:
        checked.add(
            "error", "validation",
            f"{arguments.val_images}: {_count(len(missing), 'validation picture is', 'validation pictures are')} "
            f"missing: {_names(missing)}; check --val-images",
        )  # fmt: skip
    if arguments.val_images.resolve() == arguments.images.resolve():
        trained = {image.file_name for image in dataset.images}
        both = [image.file_name for image in validation.images if image.file_name in trained]
        if both:
            checked.add(
                "warning", "validation",
                f"{_count(len(both), 'picture is', 'pictures are')} both trained and validated on, so the metric will "
                f"be too good: {_names(both)}",
            )  # fmt: skip


def _check_disk(checked: Preflight, arguments: TrainArguments, folder: Path) -> None:
    """Room for the frozen data; for checkpoints as far as their size is known."""
    free = _disk_free(folder)
    checked.facts["disk_free"] = free
    data = arguments.data.stat().st_size
    if free < 2 * data + 2**24:
        checked.add(
            "error", "disk",
            f"{folder}: {_size(free)} free, which does not even hold the copy of the data; make room or choose "
            "another place",
        )  # fmt: skip
    elif free < _SMALL_DISK:
        checked.add(
            "warning", "disk",
            f"{folder}: only {_size(free)} free; a run keeps up to {_CHECKPOINTS} checkpoints of 50 MB to 1 GB each",
        )  # fmt: skip


def _check_earlier_runs(checked: Preflight, folder: Path) -> None:
    """Say whether a run beside this one had exactly these data."""
    parent = folder.parent
    if not parent.is_dir():
        return
    for run in reversed(list_runs(parent)):
        try:
            known = run.environment()["data"]["sha256"]
        except (InputError, KeyError, TypeError):
            continue
        if known == checked.facts["sha256"]:
            checked.add("info", "run", f"the data are exactly those of {run.name}")
            return


def check_dry_step(tried: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """Findings about what a rehearsal measured.

    Parameters
    ----------
    tried : dict
        Fields of `pointanno_models.engine.dry_step.DryStep`.
    """
    for sentence in tried["warnings"]:
        yield Finding("warning", "memory", sentence)
    available = psutil.virtual_memory().available
    if tried["memory"] > _RESERVE * available:
        yield Finding(
            "warning", "memory",
            f"the training takes {_size(tried['memory'])} of memory, and {_size(available)} are free; close other "
            "programs, or lower data.cache_megabytes or train.batch_size with --set",
        )  # fmt: skip
    used, total = tried["gpu_memory"], tried["gpu_memory_total"]
    if used is not None and total is not None and used > _RESERVE * total:
        yield Finding(
            "warning", "memory",
            f"the training takes {_size(used)} of the {_size(total)} of the GPU; other pictures may need more: lower "
            "train.batch_size or data.crop with --set",
        )  # fmt: skip
    needed = _CHECKPOINTS * tried["checkpoint_bytes"]
    free = _disk_free(folder)
    if needed > free:
        yield Finding(
            "error", "disk",
            f"{folder}: checkpoints take up to {_size(needed)}, and {_size(free)} are free; make room or choose "
            "another place",
        )  # fmt: skip


def _disk_free(folder: Path) -> int:
    """Free bytes where a folder is or is going to be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _names(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"

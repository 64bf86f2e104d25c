"""One training of a simulated ladder: a kind of annotation, a budget of hours, a seed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.benchmark.metrics import METRICS
from pointanno.benchmark.plan import DataSet, Row, RowPlan
from pointanno.errors import InputError
from pointanno.formats import find_format, read_dataset
from pointanno.formats.checks import detect_kind
from pointanno.formats.coco_panoptic import find_panoptic_folder
from pointanno.formats.json_file import read_json
from pointanno.runs.atomic import replace_file
from pointanno.simulation import simulate
from pointanno.timing.budget.costs import counts_by_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pointanno.dataset import PointDataset
    from pointanno.systems import SystemDescriptor
    from pointanno.timing.budget.costs import Counts
    from pointanno.timing.budget.kinds import Kind


@dataclass(frozen=True, slots=True)
class Rung(Row):
    """A row of a benchmark whose training data are what a budget buys.

    Attributes
    ----------
    kind : what is annotated
    budget : hours that were asked for
    hours : hours that the pictures cost
    counts : how many of each unit
    image_ids : pictures, in the order in which they were taken
    truth, images : everything that could be annotated
    val, val_pictures : what is measured on
    """

    kind: Kind
    budget: float
    hours: float
    counts: Counts
    image_ids: tuple[int, ...]
    truth: Path
    images: Path
    val: Path
    val_pictures: Path

    @property
    def train_truth(self) -> Path:
        """Truth of all pictures that could be annotated."""
        return self.truth

    @property
    def train_images(self) -> Path:
        """Their folder."""
        return self.images

    @property
    def val_truth(self) -> Path:
        """Truth of the pictures to measure on."""
        return self.val

    @property
    def val_images(self) -> Path:
        """Their folder."""
        return self.val_pictures

    @property
    def training_data(self) -> Path:
        """What the budget bought."""
        return self.folder / "annotations.json"

    def train_words(self) -> list[str]:
        """Words of the command that trains; it measures nothing on the way, since the end is what counts."""
        return [*Row.train_words(self), "--val-limit", "1"]

    def check_data(self) -> None:
        """Nothing to do: truth and pictures were checked for all rungs together."""

    def key(self) -> str:
        """Changes with everything that the result depends on; the pictures themselves are not looked at."""
        truths = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.truth, self.val)]
        what = [self.system, self.recipe, self.kind.name, self.plan.seed, self.steps, self.image_ids, truths]
        return hashlib.sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()


def make_rung(
    kind: Kind,
    budget: float,
    hours: float,
    counts: Counts,
    image_ids: tuple[int, ...],
    *,
    seed: int,
    system: SystemDescriptor,
    recipe: tuple[str, dict[str, Any]],
    steps: int | None,
    overrides: tuple[str, ...],
    paths: tuple[Path, Path, Path, Path],
    out: Path,
) -> Rung:
    """A rung in its own folder below `out`; `paths` are truth, images, val and val images."""
    name = f"{kind.slug}-{budget:g}h-seed{seed}"
    truth, images, val, val_images = (path.absolute() for path in paths)
    return Rung(
        plan=RowPlan(
            name=name,
            title=f"{kind.title}, {budget:g} h, seed {seed}",
            data_set="ladder",
            supervision="masks" if kind.supervision == "masks" else "points",
            points=max(1, kind.points),
            seed=seed,
            recipe=recipe[0],
            overrides=overrides,
        ),
        system=system.name,
        metric=METRICS[system.metric],
        data_set=DataSet(name="ladder", title="Ladder", train=".", val="."),
        schedule="small",
        overrides=overrides,
        recipe=recipe[1],
        indifferent=("train.validate_every", "train.checkpoint_every", "data.workers", "data.cache_megabytes"),
        steps=steps,
        data=truth.parent,
        out=out.absolute(),
        kind=kind,
        budget=budget,
        hours=hours,
        counts=counts,
        image_ids=image_ids,
        truth=truth,
        images=images,
        val=val,
        val_pictures=val_images,
    )


def annotate_all(truth: PointDataset, kind: Kind, seed: int) -> PointDataset:
    """All pictures annotated in one way by an annotator who knows the truth, so that every budget takes a part of it.

    Raises
    ------
    InputError
        If an instance has no mask.
    """
    return simulate(truth, kind.simulation, n=max(1, kind.points), seed=seed)


def count_all(truth: PointDataset, kind: Kind, system: SystemDescriptor, seed: int) -> dict[int, Counts]:
    """What there is to do in each picture; a system of instances needs no masks of stuff."""
    if kind.protocol != "masks":
        return counts_by_picture(annotate_all(truth, kind, seed), masks=False)
    things = {category.id for category in truth.categories if category.isthing or system.output == "panoptic"}
    kept = tuple(one for one in truth.instances if one.category_id in things)
    return counts_by_picture(_part(truth, instances=kept), masks=True)


def write_annotations(rung: Rung) -> None:
    """Write what the budget bought; masks as the truth itself has them."""
    rung.folder.mkdir(parents=True, exist_ok=True)
    chosen = set(rung.image_ids)
    if rung.plan.supervision == "masks":
        _write_part_of_truth(rung, chosen)
        return
    annotated = annotate_all(read_dataset(rung.truth), rung.kind, rung.plan.seed)
    part = _part(
        annotated,
        images=tuple(image for image in annotated.images if image.id in chosen),
        instances=tuple(one for one in annotated.instances if one.image_id in chosen),
        targets=tuple(one for one in annotated.targets if one.image_id in chosen),
    )
    find_format("coco-point").write(part, rung.training_data)


def _part(dataset: PointDataset, **changes: Any) -> PointDataset:
    from dataclasses import replace

    return replace(dataset, **changes)


def _write_part_of_truth(rung: Rung, chosen: set[int]) -> None:
    """The entries of the truth that belong to some pictures, and their PNG files beside them."""
    content = read_json(rung.truth)
    part = {
        **content,
        "images": [one for one in content["images"] if one["id"] in chosen],
        "annotations": [one for one in content["annotations"] if one["image_id"] in chosen],
    }
    if detect_kind(content) == "coco-panoptic":
        source, target = find_panoptic_folder(rung.truth), rung.training_data.with_suffix("")
        target.mkdir(exist_ok=True)
        for one in part["annotations"]:
            if not (target / one["file_name"]).exists():
                _link(source / one["file_name"], target / one["file_name"])
    replace_file(rung.training_data, orjson.dumps(part))


def _link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where the disk cannot do that."""
    import shutil

    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def check_truths(truth: Path, val: Path, systems: Sequence[SystemDescriptor]) -> None:
    """Refuse files that cannot be trained or measured on.

    Raises
    ------
    InputError
        Names the file.
    """
    for option, path in (("--simulate", truth), ("--val", val)):
        dataset = read_dataset(path)
        if not dataset.instances:
            raise InputError(f"{path}: {option} must hold annotated objects, but there are none; name another file")
        without = next((one for one in dataset.instances if one.mask is None), None)
        if without is not None:
            raise InputError(
                f"{path}: annotation {without.id} has no segmentation; {option} needs a truth with masks "
                "(COCO instances or COCO panoptic)"
            )
        panoptic = next((system for system in systems if system.output == "panoptic"), None)
        if panoptic is not None and detect_kind(read_json(path)) != "coco-panoptic":
            raise InputError(
                f"{path}: {panoptic.name} is measured by {panoptic.metric.upper()}, which needs a COCO panoptic file "
                f"(its folder of PNGs beside it); name one by {option}"
            )

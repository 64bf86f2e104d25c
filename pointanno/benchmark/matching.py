"""Whether a run folder is the training that a row asks for: what is learnt counts, not where or how it was typed."""

from __future__ import annotations

import hashlib
import importlib
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.benchmark.plan import steps_of
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.runs import RunFolder
from pointanno.runs.creation import sha256_of
from pointanno.systems import load_system

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno.benchmark.plan import Row

_SHOWN = 4
"""Differences named in a message."""


def check_run(run: RunFolder, row: Row) -> None:
    """Refuse a run that is another training than the row's, whoever made it.

    Compared are system, supervision, seed, frozen data, weights to start from, steps and all settings except those
    that the plan calls indifferent. The training data of the row must exist.

    Raises
    ------
    InputError
        Names the run and what differs.
    """
    differences = find_differences(run, row)
    if differences:
        shown = "; ".join(differences[:_SHOWN])
        more = len(differences) - _SHOWN
        raise InputError(
            f"{run.path}: this run is not the training of row {row.name}: {shown}"
            f"{f'; and {more} more' if more > 0 else ''}. Move the folder away, or name another --out"
        )


def find_differences(run: RunFolder, row: Row) -> list[str]:
    """What differs between a run and a row, each as "seed is 1 instead of 0"."""
    environment, arguments, plan = run.environment(), run.arguments(), row.plan
    found: list[str] = []

    def compare(name: str, value: Any, wanted: Any) -> None:
        if value != wanted:
            found.append(f"{name} is {_show(value)} instead of {_show(wanted)}")

    compare("the system", environment.get("system"), row.system)
    if found:
        return found  # no other comparison makes sense
    compare("the supervision", environment.get("supervision"), plan.supervision)
    compare("the seed", environment.get("seed"), plan.seed)
    recipe = run.recipe()
    asked = row.steps if row.steps is not None else _flat(row.recipe).get("train.steps")
    compare("the number of steps", steps_of(arguments, recipe), asked)
    if arguments.weights is not None:
        found.append(f"it began with the weights of {arguments.weights}")
    found += _differences_of_start(arguments.init, row)
    found += _differences_of_recipe(recipe, str(environment.get("recipe", {}).get("name")), row)
    if not is_same_data(run.data_file, row.training_data):
        found.append(f"its data.json holds other annotations than {row.training_data}")
    return found


def _differences_of_start(init: Path | None, row: Row) -> list[str]:
    """Whether both start from scratch, or from the weights of one training."""
    wanted = row.init_run
    if init is None and wanted is None:
        return []
    if init is None:
        return [f"it did not start from row {row.plan.init}"]
    if wanted is None:
        return [f"it started from {init}"]
    if not (init / "environment.json").is_file() or not (wanted / "environment.json").is_file():
        return []  # moved since; the same annotations and settings have to do
    ours, theirs = RunFolder(wanted).environment(), RunFolder(init).environment()
    same = all(ours[key] == theirs[key] for key in ("system", "supervision", "seed")) and is_same_data(
        RunFolder(wanted).data_file, RunFolder(init).data_file
    )
    return [] if same else [f"it started from {init} instead of row {row.plan.init}"]


def _differences_of_recipe(recipe: dict[str, Any], made_from: str, row: Row) -> list[str]:
    """Settings that differ; one that the run does not know counts as in the shipped recipe that it was made from.

    A setting that is added later ships with the value that leaves older trainings as they were.
    """
    recipes = importlib.import_module("pointanno_models.engine.recipe")
    descriptor = load_system(row.system)
    shipped = _flat(recipes.read_recipe(descriptor, made_from)[0]) if made_from in descriptor.recipes() else {}
    ours, theirs = _flat(row.recipe), {**shipped, **_flat(recipe)}
    # --steps and train.steps are compared together
    left_out = {*row.indifferent, "train.steps"}
    found = []
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        if key not in left_out and ours.get(key) != theirs.get(key):
            found.append(f"{key} is {_show(theirs.get(key))} instead of {_show(ours.get(key))}")
    return found


def _flat(recipe: dict[str, Any]) -> dict[str, Any]:
    return dict(importlib.import_module("pointanno_models.engine.recipe").flatten(recipe))


def _show(value: Any) -> str:
    return "not set" if value is None else orjson.dumps(value).decode()


def is_same_data(first: Path, second: Path) -> bool:
    """Whether two files hold the same annotations of the same pictures in the same order."""
    if sha256_of(first) == sha256_of(second):
        return True
    # another version may have written more or other fields around the same annotations
    return annotations_hash(first) == annotations_hash(second)


def annotations_hash(path: Path) -> str:
    """Hash of what a training sees of a file: classes, pictures, boxes, points, masks, in their order.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    dataset = read_dataset(path)
    names = {image.id: image.file_name for image in dataset.images}
    digest = hashlib.sha256()

    def add(*values: Any) -> None:
        digest.update(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")

    for category in dataset.categories:
        add(category.id, category.name, category.isthing)
    for image in dataset.images:
        add(image.file_name, image.height, image.width)
    for instance in dataset.instances:
        mask = None
        if instance.mask is not None:
            counts = instance.mask.rle["counts"]
            mask = counts.decode() if isinstance(counts, bytes) else counts
        add(
            names[instance.image_id], instance.category_id, instance.box.xyxy, instance.iscrowd,
            instance.points.coords.tolist(), instance.points.labels.tolist(), mask,
        )  # fmt: skip
    for target in dataset.targets:
        add(
            names[target.image_id], target.category_id, target.instance, target.points.coords.tolist(),
            target.points.labels.tolist(),
        )  # fmt: skip
    return digest.hexdigest()

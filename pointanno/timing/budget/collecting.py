"""Finished runs of a project as points of the curve: what they learnt from, what that cost, how good they became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointanno.benchmark.results import is_finished, trained_steps
from pointanno.dataset import DOUBTFUL_PSEUDO_LABEL, PSEUDO_LABEL
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.runs import RunFolder, list_runs
from pointanno.systems import load_system
from pointanno.timing.budget.costs import counts_by_picture
from pointanno.timing.budget.findings import Trained, hours_of
from pointanno.timing.budget.kinds import MASKS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pointanno.dataset import PointDataset
    from pointanno.runs.events import Event
    from pointanno.timing.budget.costs import Cost

_DRAWN_BY_A_NETWORK = (PSEUDO_LABEL, DOUBTFUL_PSEUDO_LABEL)


@dataclass(frozen=True, slots=True)
class Collected:
    """Runs that can stand in one plot.

    Attributes
    ----------
    metric : "ap" or "pq"
    trained : the runs
    val : what they were validated on, in words
    left_out : (run, reason) of the others
    recipes : settings by which they were trained, as "point_sup small"
    """

    metric: str
    trained: tuple[Trained, ...]
    val: str
    left_out: tuple[tuple[str, str], ...]
    recipes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    trained: Trained
    metric: str
    val: tuple[str, Any]
    recipe: str


def find_runs(folders: Sequence[Path]) -> list[RunFolder]:
    """Runs in some folders, each once.

    Raises
    ------
    InputError
        If a folder is missing or holds no run.
    """
    found: dict[Path, RunFolder] = {}
    for folder in folders:
        runs = list_runs(folder)
        if not runs:
            raise InputError(f"{folder}: there is no run in this folder; name a run folder, or a folder of some")
        found |= {run.path.resolve(): run for run in runs}
    return list(found.values())


def collect(runs: Sequence[RunFolder], costs: Mapping[str, Cost]) -> Collected:
    """Finished, validated runs that were measured alike.

    Where runs were validated on different pictures or by different metrics, the largest group of runs stands and the
    others are left out, with the reason.

    Raises
    ------
    InputError
        If no run can be used; with the reason of the first.
    """
    found: list[_Run] = []
    left_out: list[tuple[str, str]] = []
    for run in runs:
        try:
            found.append(_read(run, costs))
        except InputError as error:
            left_out.append((run.name, str(error)))
    if not found:
        first = f"; {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise InputError(
            f"no finished run with a validation was found{first}. Train with --val and --val-images on several "
            "amounts of annotation, or use `pointanno budget --simulate`"
        )
    groups: dict[tuple[str, tuple[str, Any]], list[_Run]] = {}
    for one in found:
        groups.setdefault((one.metric, one.val), []).append(one)
    (metric, val), chosen = max(groups.items(), key=lambda group: len(group[1]))
    for (other_metric, other), many in groups.items():
        if many is not chosen:
            why = f"measured by {other_metric.upper()}" if other_metric != metric else f"validated on {_words(other)}"
            left_out += [(one.trained.name, why) for one in many]
    recipes = tuple(sorted({one.recipe for one in chosen}))
    return Collected(metric, tuple(one.trained for one in chosen), _words(val), tuple(left_out), recipes)


def _words(val: tuple[str, Any]) -> str:
    path, limit = val
    return path if not limit else f"{path}, at most {limit} pictures"


def _read(run: RunFolder, costs: Mapping[str, Cost]) -> _Run:
    """A run as a point.

    Raises
    ------
    InputError
        If it is not finished, not validated, or began with what another run had learnt.
    """
    events = run.events()
    if not is_finished(run):
        raise InputError("it is not finished")
    arguments, environment = run.arguments(), run.environment()
    if arguments.init is not None:
        raise InputError(f"it began with the weights of {arguments.init}, whose annotations are not in its data")
    system = load_system(str(environment["system"]))
    quality = _last_value(events, system.metric)
    if quality is None or arguments.val is None:
        raise InputError(f"it was not validated by {system.metric.upper()}")
    dataset = read_dataset(run.data_file)
    kind = kind_of(dataset, str(environment["supervision"]), system.annotation)
    by_picture = counts_by_picture(_by_people(dataset), masks=kind.protocol == MASKS)
    counts: dict[str, int] = {}
    for one in by_picture.values():
        for unit, count in one.items():
            counts[unit] = counts.get(unit, 0) + count
    if not counts:
        raise InputError("nothing in its data was annotated by a person")
    recipe = environment.get("recipe", {})
    changed = " ".join(recipe.get("overrides", ()))
    steps = sum(trained_steps(events).values())
    trained = Trained(
        name=run.name,
        kind=kind,
        hours=hours_of(counts, costs),
        quality=quality,
        counts=counts,
        pictures=sum(bool(one) for one in by_picture.values()),
        seed=int(environment.get("seed", 0)),
        steps=steps,
    )
    told = f"{system.name} {recipe.get('name', '?')}{' ' + changed if changed else ''}, {steps:,} steps"
    return _Run(trained, system.metric, (str(arguments.val), arguments.val_limit), told)


def kind_of(dataset: PointDataset, supervision: str, annotation: str) -> Kind:
    """What a training learnt from, told by its frozen data.

    Parameters
    ----------
    supervision : "masks" or "points"
    annotation : protocol of the system
    """
    if supervision == MASKS:
        return Kind(MASKS, 0)
    if annotation == "box_points":
        answered = sorted(
            sum(status in ("ok", "unsure") for status in instance.points.status) for instance in dataset.instances
        )
        # the usual number: some objects may have been left half done
        return Kind("box_points", max(1, answered[len(answered) // 2]) if answered else 1)
    clicks = sorted(len(target.points) for target in dataset.targets)
    usual = clicks[len(clicks) // 2] if clicks else 1
    return Kind("single_point", 1) if usual <= 1 else Kind("multi_point", usual)


def _by_people(dataset: PointDataset) -> PointDataset:
    """Without what a network drew."""
    from dataclasses import replace

    kept = tuple(one for one in dataset.instances if one.mask is None or one.mask.source not in _DRAWN_BY_A_NETWORK)
    return replace(dataset, instances=kept)


def _last_value(events: Sequence[Event], metric: str) -> float | None:
    """The measure at the end of the training: choosing the best moment would need the pictures that are measured."""
    values = [event.get("values", {}).get(metric) for event in events if event["kind"] == "val"]
    known = [float(value) for value in values if isinstance(value, (int, float))]
    return known[-1] if known else None

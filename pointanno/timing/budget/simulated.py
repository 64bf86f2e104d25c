"""A ladder of budgets from a ground truth: every kind, budget and seed is annotated, trained and measured."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointanno.benchmark.children import Stop, Stopped
from pointanno.benchmark.machine import this_machine
from pointanno.benchmark.results import read_result
from pointanno.benchmark.runner import run_all, stopping_on_signals
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.runs.atomic import read_json, replace_json
from pointanno.runs.creation import sha256_of
from pointanno.systems import available_systems, load_system
from pointanno.timing.budget.costs import costs_of, seconds_of
from pointanno.timing.budget.kinds import MASKS, find_systems, kinds_of
from pointanno.timing.budget.ladder import default_hours, nested_pictures
from pointanno.timing.budget.rung import check_truths, count_all, make_rung
from pointanno.timing.budget.rung_job import RungJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pointanno.dataset import PointDataset
    from pointanno.systems import SystemDescriptor
    from pointanno.timing.budget.costs import Cost, Counts
    from pointanno.timing.budget.kinds import Kind
    from pointanno.timing.budget.rung import Rung

STEPS = 1000
"""Length of every training unless ``--steps`` says otherwise: a ladder needs many."""

_ASKED = "ladder.json"


@dataclass(frozen=True, slots=True)
class LadderOptions:
    """What ``pointanno budget --simulate`` is asked for; the command's help says what each is."""

    truth: Path
    images: Path
    val: Path
    val_images: Path
    out: Path
    kinds: tuple[Kind, ...]
    hours: tuple[float, ...] = ()
    """Budgets; none are chosen from the truth."""
    system: str | None = None
    recipe: str = "small"
    overrides: tuple[str, ...] = ()
    steps: int = STEPS
    seeds: int = 2
    threads: int | None = None
    jobs: int = 1
    device: str = "auto"
    seconds: Mapping[str, float] | None = None
    """By unit, instead of the published ones."""

    def check(self) -> None:
        """Refuse what cannot work.

        Raises
        ------
        InputError
            Names the option.
        """
        for name, number in (
            ("--jobs", self.jobs),
            ("--threads", self.threads),
            ("--steps", self.steps),
            ("--seeds", self.seeds),
        ):
            if number is not None and number < 1:
                raise InputError(f"{name} {number}: expected at least 1")
        for hours in self.hours:
            if not 0 < hours < float("inf"):
                raise InputError(f"--hours {hours:g}: expected hours above 0")
        for name, path in (("--simulate", self.truth), ("--val", self.val)):
            if not path.is_file():
                raise InputError(f"{path}: {name} must be an existing file, but there is none; check the path")
        for name, path in (("--images", self.images), ("--val-images", self.val_images)):
            if not path.is_dir():
                raise InputError(f"{path}: {name} must be an existing folder, but there is none; check the path")
        if self.out.exists() and not self.out.is_dir():
            raise InputError(f"{self.out}: --out must be a folder, but this is a file; name another one")
        if len(set(self.kinds)) < len(self.kinds) or not self.kinds:
            raise InputError("--kinds: name each kind once, and at least one")


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is to be trained, and what it costs.

    Attributes
    ----------
    rungs : by kind, seed and ascending budget
    costs : seconds by unit
    systems : by kind
    pictures : that could be annotated
    saturated : kinds and budgets left out because a smaller one bought all pictures, as "box+10: 80 h"
    """

    rungs: tuple[Rung, ...]
    costs: Mapping[str, Cost]
    systems: Mapping[Kind, SystemDescriptor]
    pictures: int
    saturated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Climbed:
    """What there is when the command ends.

    Attributes
    ----------
    ladder : Ladder
    results : of the finished rungs
    failures : sentences by rung
    is_stopped : before everything was done
    """

    ladder: Ladder
    results: tuple[dict[str, Any], ...]
    failures: Mapping[str, str]
    is_stopped: bool


def plan_ladder(options: LadderOptions) -> Ladder:
    """All trainings of a ladder; nothing is written.

    Raises
    ------
    InputError
        If options, files, kinds or the recipe do not fit.
    """
    options.check()
    systems = find_systems(options.kinds, options.system)
    check_truths(options.truth, options.val, list(systems.values()))
    costs = costs_of(None, options.seconds)
    truth = read_dataset(options.truth)
    counts = {kind: _counts_by_seed(truth, kind, systems[kind], options.seeds) for kind in options.kinds}
    hours = options.hours or _choose_hours(counts, costs)
    recipes = {kind: _recipe(options, systems[kind]) for kind in options.kinds}
    rungs: list[Rung] = []
    saturated: list[str] = []
    for kind in options.kinds:
        for seed in range(options.seeds):
            seconds = {image_id: seconds_of(one, costs) for image_id, one in counts[kind][seed].items()}
            before: tuple[int, ...] = ()
            for budget, (spent, chosen) in zip(
                sorted(set(hours)), nested_pictures(seconds, sorted(set(hours)), seed=seed), strict=True
            ):
                if chosen == before:
                    if seed == 0:
                        saturated.append(f"{kind.title}: {budget:g} h")
                    continue
                before = chosen
                rungs.append(
                    make_rung(
                        kind,
                        budget,
                        spent,
                        _add(counts[kind][seed][image_id] for image_id in chosen),
                        chosen,
                        seed=seed,
                        system=systems[kind],
                        recipe=(options.recipe, recipes[kind]),
                        steps=options.steps,
                        overrides=options.overrides,
                        paths=(options.truth, options.images, options.val, options.val_images),
                        out=options.out,
                    )
                )
    used = {unit for rung in rungs for unit in rung.counts}
    kept = {unit: cost for unit, cost in costs.items() if unit in used}
    return Ladder(tuple(rungs), kept, systems, len(truth.images), tuple(saturated))


def _counts_by_seed(truth: PointDataset, kind: Kind, system: SystemDescriptor, seeds: int) -> list[dict[int, Counts]]:
    """What there is to do in each picture, for each seed; which points are drawn changes nothing of how many."""
    first = count_all(truth, kind, system, 0)
    if kind.protocol in (MASKS, "box_points", "single_point"):
        return [first] * seeds
    return [first, *(count_all(truth, kind, system, seed) for seed in range(1, seeds))]


def _choose_hours(counts: Mapping[Kind, list[dict[int, Counts]]], costs: Mapping[str, Cost]) -> list[float]:
    """Budgets for a ladder that nobody asked for."""
    seconds = [
        {image_id: seconds_of(one, costs) for image_id, one in by_seed[0].items()} for by_seed in counts.values()
    ]
    if not all(sum(one.values()) for one in seconds):
        raise InputError("the truth holds no object, so there is nothing to annotate; name another file")
    return default_hours(seconds)


def _add(parts: Any) -> Counts:
    found: Counts = {}
    for part in parts:
        for unit, count in part.items():
            found[unit] = found.get(unit, 0) + count
    return found


def _recipe(options: LadderOptions, system: SystemDescriptor) -> dict[str, Any]:
    """All settings of the trainings of a system."""
    # by name, since recipes belong to the systems' side and the core must not depend on it
    recipes = importlib.import_module("pointanno_models.engine.recipe")
    recipe, origin = recipes.read_recipe(system, options.recipe)
    return dict(recipes.apply_overrides(recipe, options.overrides, origin))


def climb(options: LadderOptions, say: Callable[[str], None]) -> Climbed:
    """Train and measure everything; what was finished before is kept, what was interrupted goes on.

    Small budgets come first, so that there is something to see early.

    Parameters
    ----------
    options : LadderOptions
    say : function of a line
        Called from several threads.

    Raises
    ------
    InputError
        If something does not fit, before anything is trained.
    """
    ladder = plan_ladder(options)
    options.out.mkdir(parents=True, exist_ok=True)
    _remember(options)
    threads = options.threads or max(1, int(this_machine()["cores"]) // options.jobs)
    stop = Stop()
    order = sorted(ladder.rungs, key=lambda rung: (rung.plan.seed, rung.budget))
    say(f"{len(order)} trainings of {options.steps:,} steps, {options.jobs} at a time, with {threads} threads each")
    width = max(len(rung.name) for rung in order)
    jobs = {}
    for number, rung in enumerate(order, 1):
        saying = _after(f"[{number}/{len(order)}] {rung.name.ljust(width)}  ", say)
        jobs[rung.name] = RungJob(rung, device=options.device, threads=threads, stop=stop, say=saying)
    with stopping_on_signals(stop):
        try:
            for job in jobs.values():
                job.check()
        except Stopped:
            return Climbed(ladder, (), {}, True)
        failures = run_all(dict(jobs), set(jobs), options.jobs, stop)
    results = tuple(result for rung in ladder.rungs if (result := read_result(rung)) is not None)
    return Climbed(ladder, results, failures, stop.is_asked)


def _after(head: str, say: Callable[[str], None]) -> Callable[[str], None]:
    return lambda text: say(head + text)


def _remember(options: LadderOptions) -> None:
    """Refuse a folder that was begun with other files, seconds or trainings; its rungs could not stand together.

    Raises
    ------
    InputError
        Names what differs.
    """
    asked: dict[str, Any] = {
        "truth": sha256_of(options.truth),
        "val": sha256_of(options.val),
        "recipe": options.recipe,
        "set": list(options.overrides),
        "steps": options.steps,
        "seconds": dict(options.seconds or {}),
    }
    file = options.out / _ASKED
    before = read_json(file)
    if before is None:
        if any(options.out.iterdir()):
            raise InputError(
                f"{options.out}: --out holds other files; name a new folder, or one that this command began"
            )
        replace_json(file, asked)
        return
    for name, value in asked.items():
        if before.get(name) != value and name in ("truth", "val"):
            option = "--simulate" if name == "truth" else "--val"
            raise InputError(f"{options.out}: this ladder was begun with another {option}; name another --out")
        if before.get(name) != value:
            raise InputError(
                f"{options.out}: this ladder was begun with {name} {before.get(name)!r} instead of {value!r}; "
                "name another --out"
            )


def default_kinds(system: str | None) -> tuple[Kind, ...]:
    """All kinds that a system learns from, masks first; without a name of the first installed one of instances.

    Raises
    ------
    InputError
        If there is no such system.
    """
    names = [system] if system else available_systems()
    found = sorted((load_system(name) for name in names), key=lambda one: one.output != "instances")
    if not found:
        raise InputError("--kinds: no training system is installed; `pointanno doctor` tells what is missing")
    return kinds_of(found[0])


def parse_hours(hours: Sequence[float] | None) -> tuple[float, ...]:
    """Budgets, ascending and each once."""
    return tuple(sorted(set(hours or ())))

"""From a project, or from a simulated ladder, to what is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pointanno.runs import list_runs
from pointanno.timing.budget.collecting import collect, find_runs
from pointanno.timing.budget.costs import costs_of
from pointanno.timing.budget.findings import Findings, Trained, find, worth_rows
from pointanno.timing.budget.kinds import parse_kind
from pointanno.timing.budget.uncertain import in_words, least_certain
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pointanno.project import Project
    from pointanno.timing.budget.simulated import Climbed, LadderOptions


def findings_of_project(
    project: Project,
    *,
    more: float,
    references: Sequence[Path] = (),
    seconds: Mapping[str, float] | None = None,
    predictions: Path | None = None,
    spent: float | None = None,
) -> Findings:
    """What the runs of a project say about the next hours.

    Parameters
    ----------
    project : may be open elsewhere; nothing is written
    more : hours that are asked about
    references : further run folders, or folders of them
    seconds : by unit, instead of measured or published ones
    predictions : of a run, for pictures that are not annotated
    spent : hours that are spent already; None is the largest amount that was trained, for each kind

    Raises
    ------
    InputError
        If no run can be used.
    """
    costs = costs_of(study_of(read_log(project)), seconds)
    runs = list_runs(project.runs_folder) if project.runs_folder.is_dir() else []
    known = {run.path.resolve() for run in runs}
    runs += [run for run in find_runs(references) if run.path.resolve() not in known]
    collected = collect(runs, costs)
    used = {unit for one in collected.trained for unit in one.counts}
    facts = {
        "Trainings": f"finished runs, each with the measure at its end: {'; '.join(collected.recipes)}.",
        "Measured on": f"{collected.val}.",
        "Hours": "annotations in the frozen data of each run, times the seconds above. Work on pictures without "
        "objects, looking and going to the next picture are not counted.",
    }
    notes = []
    if len(collected.recipes) > 1:
        notes.append("The runs were trained with different settings, so part of what differs may be these.")
    notes += [f"Left out: {name}, {reason}." for name, reason in collected.left_out]
    findings = find(
        collected.trained,
        {unit: cost for unit, cost in costs.items() if unit in used},
        metric=collected.metric,
        more=more,
        spent=spent,
        notes=notes,
        facts=facts,
    )
    if predictions is None:
        return findings
    return replace(findings, next_pictures=_next_pictures(findings, project, predictions))


def _next_pictures(findings: Findings, project: Project, predictions: Path) -> str:
    """Which pictures the hours are for, by the kind that leads highest."""
    untouched = {image.file_name for image in project.images() if image.state == "unlabelled"}
    doubts = least_certain(predictions, untouched)
    rows = worth_rows(findings)
    best = parse_kind(rows[0]["kind"]) if rows else findings.kinds[0]
    own = [one for one in findings.trained if one.kind == best]
    each = sum(one.hours for one in own) / max(1, sum(one.pictures for one in own))
    count = min(len(doubts), int(findings.more / each)) if each else len(doubts)
    return in_words(doubts, count, best.title, findings.more)


def findings_of_ladder(
    climbed: Climbed, options: LadderOptions, *, more: float, spent: float | None = None
) -> Findings:
    """What a simulated ladder says.

    Parameters
    ----------
    spent : hours that are spent already; None is the middle of the ladder

    Raises
    ------
    ValueError
        If no rung is finished.
    """
    results = climbed.results
    if not results:
        raise ValueError("no rung of the ladder is finished")
    trained = [_trained(result) for result in results]
    budgets = sorted({rung.budget for rung in climbed.ladder.rungs})
    start = budgets[(len(budgets) - 1) // 2] if spent is None else spent
    return find(
        trained,
        climbed.ladder.costs,
        metric=str(results[0]["metric"]),
        more=more,
        spent=start,
        notes=_notes(climbed),
        facts=_facts(climbed, options),
    )


def _trained(result: Mapping[str, Any]) -> Trained:
    return Trained(
        name=str(result["row"]),
        kind=parse_kind(str(result["kind"])),
        hours=float(result["hours"]),
        quality=float(result["quality"]),
        counts=result["counts"],
        pictures=int(result["pictures"]),
        samples=tuple(result["samples"]),
        seed=int(result["seed"]),
        steps=sum(result["training"]["steps"].values()),
    )


def _notes(climbed: Climbed) -> list[str]:
    notes = []
    missing = len(climbed.ladder.rungs) - len(climbed.results)
    if missing:
        notes.append(f"{missing} of {len(climbed.ladder.rungs)} trainings are not finished; the same command goes on.")
    if climbed.ladder.saturated:
        said = ", ".join(climbed.ladder.saturated)
        notes.append(f"Not trained, because less buys all pictures already: {said}.")
    return notes


def _facts(climbed: Climbed, options: LadderOptions) -> dict[str, str]:
    """What the numbers are, for the page."""
    results, ladder = climbed.results, climbed.ladder
    systems = " and ".join(sorted({f"{kind.title} by {system.name}" for kind, system in ladder.systems.items()}))
    changed = f", changed by {' '.join(options.overrides)}" if options.overrides else ""
    machines = "; ".join(sorted({str(result["machine"]) for result in results}))
    total = sum(float(result["training"]["seconds"]) for result in results) / 3600
    seeds = sorted({int(result["seed"]) for result in results})
    one_seed = " With one seed, the chance of a training is told by the distance of the points from the curve only."
    return {
        "Annotator": "simulated: it knows the true masks, makes no mistakes and never gets tired. Real answers are "
        "wrong now and then; `pointanno simulate --label-noise` tells what that changes.",
        "Hours": f"number of boxes, answers, clicks or masks times the seconds above, for the {ladder.pictures:,} "
        f"pictures of {options.truth.name}. Pictures without an object are left out; looking for objects and going to "
        "the next picture are not counted.",
        "Budgets": "each buys whole pictures in a random order (of the seed, the same for all kinds); a larger budget "
        "keeps the pictures of the smaller ones. A picture that is too dear for what is left is passed over.",
        "Trainings": f"recipe {options.recipe}{changed}; {systems}; {options.steps:,} steps of every stage, the same "
        "for all budgets, so small ones see their pictures more often; the last checkpoint is measured. More steps "
        "would raise all of them, and large budgets most.",
        "Seeds": f"{', '.join(map(str, seeds))}: each decides about the pictures, the points and the start of the "
        f"training.{one_seed if len(seeds) == 1 else ''}",
        "Measured on": f"{results[0]['val_pictures']} pictures of {options.val.name}, {results[0]['metric'].upper()}.",
        "Machine": f"{machines}; {total:.1f} hours of training in all.",
    }

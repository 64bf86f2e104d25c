"""``result.json`` of a row: what was measured, by which training, on which machine, with which versions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.benchmark.machine import describe
from pointanno.runs.atomic import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pointanno.benchmark.plan import Row
    from pointanno.runs import RunFolder
    from pointanno.runs.events import Event


def is_finished(run: RunFolder) -> bool:
    """Whether the training came to its end, told by its events alone: the folder may have been copied here."""
    said = [event for event in run.events() if event["kind"] in ("hello", "resume", "end", "error")]
    return bool(said) and said[-1]["kind"] == "end" and said[-1].get("reason") == "finished"


def training_seconds(events: Sequence[Event]) -> float:
    """Seconds of all processes that worked on a run, without the waits between them.

    Each says so itself when it ends; one that was killed counts from its first line to its last that is not void.
    """
    sessions: list[list[Event]] = []
    for event in events:
        if event["kind"] == "hello" or not sessions:
            sessions.append([])
        sessions[-1].append(event)
    total = 0.0
    for session in sessions:
        said = [event["seconds"] for event in session if event["kind"] == "end" and "seconds" in event]
        total += said[-1] if said else session[-1]["time"] - session[0]["time"]
    return round(total, 1)


def trained_steps(events: Sequence[Event]) -> dict[str, int]:
    """Length of each stage."""
    return {event["stage"]: event["steps"] for event in events if event["kind"] == "stage"}


def recipe_hash(recipe: Mapping[str, Any]) -> str:
    """Hash of all settings, independent of how the file is written."""
    return hashlib.sha256(orjson.dumps(recipe, option=orjson.OPT_SORT_KEYS)).hexdigest()


def make_result(
    row: Row,
    run: RunFolder,
    *,
    machines: list[dict[str, Any]],
    predicted: Mapping[str, Any],
    scores: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that the table and a reader need to know about a row.

    Parameters
    ----------
    row, run
        The row and its finished training.
    machines : list of dict
        Those that trained, as `this_machine` describes them.
    predicted : dict
        Answer of ``pointanno predict``.
    scores : dict
        What `Metric.evaluate` found.
    """
    environment, events, plan = run.environment(), run.events(), row.plan
    threads = environment.get("threads")
    device, device_name = str(environment.get("device", "cpu")), str(environment.get("device_name", "cpu"))
    return {
        "row": row.name,
        "title": plan.title,
        "system": row.system,
        "data_set": row.data_set.name,
        "supervision": plan.supervision,
        "protocol": None if plan.supervision == "masks" else plan.protocol,
        "points": None if plan.supervision == "masks" else plan.points,
        "seed": plan.seed,
        "init": plan.init,
        "schedule": row.schedule,
        "recipe": {"name": plan.recipe, "overrides": list(row.overrides), "sha256": recipe_hash(run.recipe())},
        "data_sha256": environment["data"]["sha256"],
        "training": {
            "seconds": training_seconds(events),
            "steps": trained_steps(events),
            "created": environment.get("created"),
            "checkpoint": predicted["checkpoint"],
        },
        "machine": {
            "text": describe(machines, device=device, device_name=device_name, threads=threads),
            "device": device,
            "device_name": device_name,
            "threads": threads,
            "hosts": machines,
            "platform": environment.get("platform"),
        },
        "versions": environment.get("versions"),
        "metric": row.metric.name,
        "measured": {"pictures": predicted["pictures"], **scores["measured"]},
        **{kind: scores[kind] for kind in row.metric.kinds},
        "per_class": scores["per_class"],
        "key": row.key(),
    }


def read_result(row: Row) -> dict[str, Any] | None:
    """The result of a row, None if there is none or something that it depends on has changed."""
    result = read_json(row.folder / "result.json")
    return result if result is not None and result.get("key") == row.key() else None


def result_file(row: Row) -> Path:
    """Where the result lies."""
    return row.folder / "result.json"

"""A run folder in words and numbers for the panel; reads, never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_pointanno._models.curves import duration
from napari_pointanno._models.tables import Table
from napari_pointanno._views.train_view import RunPanel, RunRow
from pointanno.runs import RunFolder, RunStatus
from pointanno.runs.checkpoint_files import read_pointer

LOG_LINES = 12
MOST_SAMPLES = 4
SMOOTHED_LOSS = "smoothed_loss"

Events = Sequence[Mapping[str, Any]]


def panel_of(
    run: RunFolder,
    status: RunStatus,
    events: Events,
    *,
    about: str = "",
    hints: Sequence[str] = (),
    stopping: str = "",
) -> RunPanel:
    """A run in words.

    Parameters
    ----------
    events : sequence of dict
        Void lines left out.
    about : str
        What `about_run` said.
    stopping : str
        What happens to a worker that was asked to stop, "" if nothing more is done about it.
    """
    failed = status.state in ("failed", "lost")
    can_resume = status.state in ("stopped", "failed", "lost")
    step = run.checkpoint_step("last") if can_resume else None
    message = stopping or ("" if status.message in hints else status.message)
    if failed and step:
        message = f"{message}  Resume goes on from step {step:,}."
    validation = next((event for event in reversed(events) if event["kind"] == "val"), None)
    return RunPanel(
        title=run.name,
        state="paused" if status.paused else status.state,
        progress=status.step / status.steps if status.steps else 0.0,
        line=step_line(status, events),
        message=message,
        log=last_lines(run.log_file) if failed else "",
        can_stop=status.is_active and (status.state != "stopping" or not stopping),
        can_resume=can_resume,
        can_pause=status.state in ("running", "starting"),
        paused=status.paused,
        about=about,
        stage=stage_line(status, events),
        metrics="" if validation is None else metrics_line(validation, status.best),
        per_class=Table() if validation is None else per_class_table(validation),
        samples=samples(run, events),
        hints=tuple(hints),
        resume_from=step,
    )


def step_line(status: RunStatus, events: Events) -> str:
    """Step, time left with its spread, rate, loss."""
    parts = []
    if status.steps:
        parts.append(f"step {status.step:,}/{status.steps:,}")
    if status.eta_s is not None and status.state == "running" and not status.paused:
        last = next((event for event in reversed(events) if event["kind"] == "step"), {})
        parts.append(f"ETA {eta(status.eta_s, last.get('eta_spread_s'))}")
    if status.images_per_second and status.state == "running":
        parts.append(f"{status.images_per_second:.1f} images/s")
    if status.loss is not None:
        parts.append(f"loss {status.loss:.3f}")
    if status.state == "starting":
        parts.append("starting: loading torch takes some seconds")
    return " · ".join(parts)


def eta(seconds: float, spread: float | None) -> str:
    """Time left with its spread in the same unit: "11 min ± 2", "45 s"."""
    text = duration(seconds)
    if spread is None:
        return text
    if seconds < 90:
        return f"{text} ± {spread:.0f}" if spread >= 0.5 else text
    minutes = round(spread / 60)
    return f"{text} ± {minutes}" + (" min" if "h" in text else "") if minutes else text


def stage_line(status: RunStatus, events: Events) -> str:
    """Which of the stages runs, "" for systems with one."""
    stages = next((event.get("stages") for event in reversed(events) if event["kind"] == "hello"), None)
    if not isinstance(stages, list) or len(stages) < 2 or status.stage not in stages:
        return ""
    here = stages.index(status.stage)
    words = [f"✓ {name}" if n < here else f"▸ {name}" if n == here else name for n, name in enumerate(stages)]
    return f"stage {here + 1} of {len(stages)}:  " + "  ".join(words)


def metrics_line(validation: Mapping[str, Any], best: float | None) -> str:
    """The last validation in percent, things and stuff together where they are told apart."""
    values = {name: value for name, value in (validation.get("values") or {}).items() if _is_number(value)}
    metric = str(validation.get("metric", ""))
    if not values and _is_number(validation.get("value")):
        values = {metric: validation["value"]}
    pairs = {name.rpartition("_")[0] for name in values if name.endswith(("_things", "_stuff"))}
    parts = [
        f"{_metric_name(name)} {100 * value:.1f}"
        for name, value in values.items()
        if name.rpartition("_")[0] not in pairs
    ]
    for name in sorted(pairs):
        things, stuff = values.get(f"{name}_things"), values.get(f"{name}_stuff")
        if things is not None and stuff is not None:
            parts.append(f"{_metric_name(name)} things/stuff {100 * things:.1f}/{100 * stuff:.1f}")
    if _is_number(validation.get("point_accuracy")):
        parts.append(f"points {100 * validation['point_accuracy']:.1f} %")
    text = f"val at {int(validation.get('step', 0)):,}:  " + "  ".join(parts)
    return text if best is None else f"{text}   ★ best {_metric_name(metric)} {100 * best:.1f}"


def per_class_table(validation: Mapping[str, Any]) -> Table:
    """Classes of the last validation, the worst first: that is where answers help."""
    per_class = validation.get("per_class")
    if not isinstance(per_class, Mapping) or not per_class:
        return Table()
    known = {name: values for name, values in per_class.items() if isinstance(values, Mapping)}
    columns = list(dict.fromkeys(column for values in known.values() for column in values))
    metric = str(validation.get("metric", ""))
    order = sorted(known, key=lambda name: _sortable(known[name].get(metric)))
    rows = tuple((name, *(_cell(column, known[name].get(column)) for column in columns)) for name in order)
    return Table(("class", *(_metric_name(column) for column in columns)), rows)


def samples(run: RunFolder, events: Events) -> tuple[Path, ...]:
    """Pictures that the last validation drew, those of the newest events first in their own order."""
    paths = dict.fromkeys(str(event.get("path")) for event in events if event["kind"] == "sample")
    found = (run.path / name for name in sorted(paths))
    return tuple(path for path in found if path.is_file())[:MOST_SAMPLES]


def about_run(run: RunFolder) -> str:
    """System, recipe, supervision, data and the time they were frozen."""
    environment = run.environment()
    recipe = environment.get("recipe") or {}
    data = environment.get("data") or {}
    parts = [f"{environment.get('system', '')} {Path(str(recipe.get('name', ''))).stem}".strip()]
    if environment.get("supervision"):
        parts.append(f"from {environment['supervision']}")
    for name in ("boxes", "clicks"):
        if data.get(name):
            parts.append(f"{data[name]:,} {name}")
    if data.get("images"):
        parts.append(f"{data['images']:,} pictures")
    created = str(environment.get("created", ""))
    if len(created) >= 16:
        parts.append(f"frozen {created[:10]} {created[11:16]}")
    return " · ".join(part for part in parts if part)


def run_row(run: RunFolder) -> RunRow:
    """A line of the history; reads one small file only."""
    pointer = read_pointer(run.checkpoints_folder, "best")
    label = run.name
    if pointer is not None and _is_number(pointer.get("value")):
        metric = str(pointer.get("metric", ""))
        value = float(pointer["value"])
        loss = f"loss {value:.3f}"
        label = f"{label}   {loss if metric == SMOOTHED_LOSS else f'{_metric_name(metric)} {100 * value:.1f}'}"
    return RunRow(str(run.path), label)


def annotated_since(run: RunFolder, boxes: int, clicks: int) -> int:
    """Boxes and clicks that the project has more than the frozen data of a run; 0 where that is not known."""
    data = run.environment().get("data") or {}
    if not _is_number(data.get("boxes")) or not _is_number(data.get("clicks")):
        return 0
    return boxes + clicks - int(data["boxes"]) - int(data["clicks"])


def last_lines(file: Path, count: int = LOG_LINES) -> str:
    """The end of a log, "" if there is none."""
    try:
        with file.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - 8192))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def _metric_name(name: str) -> str:
    """As papers write it."""
    return {"miou": "mIoU"}.get(name, name.replace("_", " ").upper() if len(name) <= 5 else name.replace("_", " "))


def _cell(column: str, value: Any) -> str:
    if not _is_number(value):
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.1f}"


def _sortable(value: Any) -> float:
    return float(value) if _is_number(value) else -1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

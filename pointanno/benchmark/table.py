"""The table of a benchmark: rows with their results, means over seeds, ratios; as a record and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.benchmark.metrics import METRICS
from pointanno.benchmark.results import is_finished, read_result
from pointanno.errors import InputError
from pointanno.formats.json_file import read_json
from pointanno.runs import RunFolder
from pointanno.runs.atomic import replace_file, replace_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pointanno.benchmark.metrics import Metric
    from pointanno.benchmark.plan import Plan, Row

NOT_RUN = "not run"


def make_table(plan: Plan, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything that is known about the rows at present.

    Returns
    -------
    dict
        `title`, `data_sets` (with the numbers of pictures and objects), `rows` (as in ``result.json``, with `state`
        and `of_twin`; without measures where they are missing), `groups` (mean and half of the range over seeds),
        `ratios`.
    """
    metric = METRICS[plan.metric]
    results = {row.name: read_result(row) for row in rows}
    found = {name: result for name, result in results.items() if result is not None}
    records = []
    for row in rows:
        result = found.get(row.name)
        if result is None:
            records.append({"row": row.name, "title": row.plan.title, "data_set": row.data_set.name,
                            "seed": row.plan.seed, "state": _state_of(row)})  # fmt: skip
        else:
            twin = None if row.plan.twin is None else _ratio(metric, found, [row.name], [row.plan.twin])
            records.append({**result, "state": "finished", "of_twin": twin})
    return {
        "title": plan.title,
        "system": rows[0].system,
        "schedule": {"name": rows[0].schedule, "title": plan.schedule(rows[0].schedule).title},
        "steps": rows[0].steps,
        "data_sets": _data_sets(rows),
        "metric": metric.name,
        "limits": list(metric.limits),
        "rows": records,
        "groups": _groups(plan, metric, found),
        "ratios": [
            {
                "title": ratio.title, "of": ratio.of, "to": ratio.to,
                "values": _ratio(metric, found, _names(plan, ratio.of), _names(plan, ratio.to)),
            }
            for ratio in plan.ratios
        ],
    }  # fmt: skip


def _data_sets(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Names and sizes of the data sets that rows are trained and measured on."""
    found = {row.data_set.name: row for row in rows}
    return [
        {"name": name, "title": row.data_set.title, "train": _sizes(row.train_truth), "val": _sizes(row.val_truth)}
        for name, row in found.items()
    ]


def _sizes(truth: Path) -> dict[str, int] | None:
    """Numbers of pictures and objects of a truth, None if it is not there."""
    if not truth.is_file():
        return None
    content = read_json(truth)
    annotations = content["annotations"]
    is_panoptic = any("segments_info" in annotation for annotation in annotations)
    objects = sum(len(one["segments_info"]) for one in annotations) if is_panoptic else len(annotations)
    return {"pictures": len(content["images"]), "objects": objects}


def table_to_markdown(table: Mapping[str, Any]) -> str:
    """The table for a person."""
    schedule, metric = table["schedule"], METRICS[table["metric"]]
    steps = "" if table["steps"] is None else f" Cut to {table['steps']:,} steps a stage by `--steps`."
    lines = [
        f"# {table['title']}", "",
        f"Schedule `{schedule['name']}`: {schedule['title']}{steps}", "",
        f'{metric.note} "Of the twin" is {metric.header[0]} as a share of that of the same network trained on masks. '
        "Times are those of the training processes, on the machine of the row.",
    ]  # fmt: skip
    for data_set in table["data_sets"]:
        rows = [row for row in table["rows"] if row["data_set"] == data_set["name"]]
        lines += [
            "",
            f"## {data_set['title']}",
            "",
            *_describe(data_set),
            *_lines([_header(metric), *_cells(metric, rows, table["groups"])]),
        ]
    if table["ratios"]:
        cells = [(ratio["title"], *_ratio_cells(metric, ratio["values"])) for ratio in table["ratios"]]
        lines += ["", "## Ratios", "", *_lines([("ratio", *metric.header[: len(metric.measures)]), *cells])]
    return "\n".join(lines) + "\n"


def _header(metric: Metric) -> tuple[str, ...]:
    return ("trained on", *metric.header, "of the twin", "training", "machine")


def _ratio_cells(metric: Metric, values: Mapping[str, Mapping[str, float | None]] | None) -> list[str]:
    return [NOT_RUN] * len(metric.measures) if values is None else _show_all(metric, values)


def _describe(data_set: Mapping[str, Any]) -> list[str]:
    """How large a data set is, as a paragraph."""
    if data_set["train"] is None or data_set["val"] is None:
        return []
    train, val = (
        [f"{part[key]:,}" for key in ("pictures", "objects")] for part in (data_set["train"], data_set["val"])
    )
    return [f"{train[0]} pictures with {train[1]} objects to train on, {val[0]} with {val[1]} to measure on.", ""]


def _cells(
    metric: Metric, rows: Sequence[Mapping[str, Any]], groups: Sequence[Mapping[str, Any]]
) -> list[tuple[str, ...]]:
    """Rows as text; the mean of a group stands below its last row."""
    cells = []
    for row in rows:
        title = _title(row, groups)
        if row["state"] != "finished":
            cells.append((title, row["state"], *[""] * (len(metric.header) + 2)))
        else:
            twin = row["of_twin"]
            cells.append((
                title,
                *(cell for kind in metric.kinds for cell in _show_all(metric, row[kind])),
                "" if twin is None else _show_all(metric, twin)[0],
                f"{row['training']['seconds']:.0f} s",
                row["machine"]["text"],
            ))  # fmt: skip
        for group in groups:
            if group["rows"][-1] == row["row"] and group["n"] > 1:
                spread = (_spread(metric, group[kind], name) for kind in metric.kinds for name in metric.measures)
                of_twin = group["of_twin"]
                share = "" if of_twin is None else _show_all(metric, of_twin)[0]
                mean = f"**{group['title']}, mean ± half of the range (n = {group['n']})**"
                cells.append((mean, *spread, share, "", ""))
    return cells


def _title(row: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> str:
    is_one_of_many = any(row["row"] in group["rows"] for group in groups)
    title = f"{row['title']}, seed {row['seed']}" if is_one_of_many else str(row["title"])
    schedule = row.get("schedule", "small")
    return title if schedule == "small" else f"{title} (schedule {schedule})"


def _groups(plan: Plan, metric: Metric, found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Mean and half of the range over the finished rows of each group."""
    groups = []
    for name in dict.fromkeys(row.group for row in plan.rows if row.group is not None):
        members = plan.members(name)
        done = [found[row.name] for row in members if row.name in found]
        group: dict[str, Any] = {
            "group": name, "title": members[0].title, "rows": [row.name for row in members], "n": len(done),
            "of_twin": None,
        }  # fmt: skip
        if members[0].twin is not None:
            group["of_twin"] = _ratio(metric, found, group["rows"], [members[0].twin])
        for kind in metric.kinds:
            group[kind] = {
                limit: {name: _mean([result[kind][limit][name] for result in done]) for name in metric.measures}
                for limit in metric.limits
            }
        groups.append(group)
    return groups


def _mean(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return {"mean": sum(known) / len(known), "half_range": (max(known) - min(known)) / 2}


def _names(plan: Plan, name: str) -> list[str]:
    return [row.name for row in plan.members(name)]


def _ratio(
    metric: Metric, found: Mapping[str, Mapping[str, Any]], of: Sequence[str], to: Sequence[str]
) -> dict[str, dict[str, float | None]] | None:
    """Quotient of the means over the rows that are finished, None where one side has none."""
    sides = [[found[name] for name in names if name in found] for names in (of, to)]
    if not all(sides):
        return None
    values: dict[str, dict[str, float | None]] = {}
    for limit in metric.limits:
        values[limit] = {}
        for measure in metric.measures:
            above, below = (_mean([result[metric.main][limit][measure] for result in side]) for side in sides)
            is_defined = above is not None and below is not None and below["mean"] > 0
            values[limit][measure] = above["mean"] / below["mean"] if is_defined and above and below else None
    return values


def _state_of(row: Row) -> str:
    """What there is of a row without a result."""
    if not (row.run / "environment.json").is_file():
        return NOT_RUN
    try:
        run = RunFolder(row.run)
        status, is_trained = run.status(), is_finished(run)
    except InputError:
        return "its run folder is damaged"
    if is_trained:
        return "trained, not measured"
    return f"{status.state} at step {status.step}" + (f" of {status.steps}" if status.steps else "")


def _spread(metric: Metric, values: Mapping[str, Mapping[str, Any]], name: str) -> str:
    numbers = [values[limit][name] for limit in metric.limits]
    if any(number is None for number in numbers):
        return "-"
    return _bracketed([f"{number['mean']:.3f} ± {number['half_range']:.3f}" for number in numbers])


def _show_all(metric: Metric, values: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """Every measure, with the one of a second limit in brackets."""
    return [_bracketed([_show(values[limit][name]) for limit in metric.limits]) for name in metric.measures]


def _bracketed(texts: Sequence[str]) -> str:
    return texts[0] + "".join(f" ({text})" for text in texts[1:])


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _lines(cells: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, its columns aligned so that the text can be read as well."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
             for row in cells]  # fmt: skip
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def write_table(folder: Path, table: Mapping[str, Any], text: str) -> None:
    """Write ``table.json`` and ``table.md``."""
    replace_json(folder / "table.json", table)
    replace_file(folder / "table.md", text.encode())

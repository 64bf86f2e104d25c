"""``pointanno study``: what the annotations of a project cost in time, as a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from pointanno.cli.console import Json, Whole, emit, note

LONGEST_IDLE_S = 1e6
LARGEST_WARM_UP = 1_000_000


def study_command(
    project: Path,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    files: Path | None = None,
    idle: float = 10.0,
    warm_up: Whole = None,
    answers: Literal["first", "final"] = "first",
    trimmed: Annotated[bool, Parameter(negative=())] = False,
    reference: Annotated[list[str] | None, Parameter(negative=())] = None,
    truth: Path | None = None,
    names: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Report how long answers, boxes, clicks, objects and images took, from the raw events of a project.

    The page holds everything in itself and opens without a network.

    Example: `pointanno study street.pointanno -o report.html`

    Parameters
    ----------
    project
        Folder of the project; it may be open in a window.
    out
        The HTML page to write.
    files
        Folder for the tables (CSV and JSON lines) and the figures (SVG).
    idle
        Seconds without input from which on it counts as idle.
    warm_up
        Actions at the beginning of each session and condition that statistics leave out; by default as many as the
        project's study plan says, else 10.
    answers
        What was answered first, or what stands in the end.
    trimmed
        Compare conditions without idle time.
    reference
        A time to stand beside the published ones, KIND=SECONDS=LABEL, as in `--reference "object=41.5=our old tool"`;
        may be given several times.
    truth
        The masks of these pictures, COCO instances or COCO panoptic: how right answers, clicks, boxes and masks are.
    names
        Write the names behind the pseudonyms, where this copy of the project knows them.
    json
        Print one JSON object.
    """
    from pointanno.errors import InputError
    from pointanno.project import Project
    from pointanno.project.outputs import check_output
    from pointanno.project.studies import stored_plan
    from pointanno.timing.findings import Options, as_json, find
    from pointanno.timing.items import WARM_UP
    from pointanno.timing.literature import REFERENCES, parse_reference
    from pointanno.timing.report import write_report

    if not 0 < idle <= LONGEST_IDLE_S:
        raise InputError(f"--idle: expected seconds above 0, at most {LONGEST_IDLE_S:,.0f}, received {idle:g}")
    if warm_up is not None and not 0 <= warm_up <= LARGEST_WARM_UP:
        raise InputError(
            f"--warm-up: expected a number of actions, 0 or more, at most {LARGEST_WARM_UP:,}, received {warm_up}"
        )
    if out is None and files is None and not json:
        raise InputError("--out: expected a file for the report. Give one with -o, a folder with --files, or --json")
    for name, path in (("--out", out), ("--files", files)):
        if path is not None and not path.absolute().parent.is_dir():
            raise InputError(f"{name}: the folder {path.absolute().parent} does not exist. Make it first")
    if out is not None and out.is_dir():
        raise InputError(f"--out: {out} is a folder, expected a file such as {out / 'report.html'}")
    if out is not None:
        check_output(out)
    if files is not None and files.exists() and not files.is_dir():
        raise InputError(f"--files: {files} is a file, expected a folder")
    references = (*REFERENCES, *map(parse_reference, reference or ()))
    with Project.open(project, writable=False) as opened:
        if warm_up is None:
            planned = stored_plan(opened)
            warm_up = WARM_UP if planned is None else planned.plan.warm_up
        findings = find(opened, Options(idle, warm_up, answers, trimmed, names, references, truth))
    written = write_report(findings, out, files=files)
    result = as_json(findings) | {"files": [str(path) for path in written]}
    if not findings.is_timed:
        note(f"{project}: nothing was annotated in the window yet, so there is no time to tell of")
    emit(result, _describe(result), as_json=json)


def _describe(result: dict[str, Any]) -> str:
    """What stands at the top of the report, as lines for a person."""
    from pointanno.timing.words import duration, seconds, span

    lines = []
    totals = result["tables"]["totals"]
    if totals:
        whole = totals[-1]
        lines.append(
            f"work     {duration(whole['work_s'])}  (idle {duration(whole['idle_s'])}, "
            f"excluded {duration(whole['elapsed_s'] - whole['raw_s'])})"
        )
    for row in result["main_times"]:
        interval = span(row, "median_ms", 1000)
        which = f"  {row['group']}" if row["by"] == "condition" else ""
        lines.append(
            f"{row['kind']:<8} {seconds(row['median_ms'], 1000)} median of {row['n']}  (95 %: {interval}){which}"
        )
    for row in result["tables"]["forecast"]:
        lines.append(f"left     {row['left']} {row['what']}: about {duration(row['seconds'])} ({row['condition']})")
    lines += [f"wrote    {path}" for path in result["files"][:1]]
    if len(result["files"]) > 1:
        lines.append(f"         and {len(result['files']) - 1} files in {Path(result['files'][-1]).parent}")
    return "\n".join(lines)

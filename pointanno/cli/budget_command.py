"""``pointanno budget``: what more hours of annotation are worth."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, Whole, emit, note, whole
from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.timing.budget import Findings

PAGE = "budget.html"
"""Page in the folder of a simulated ladder."""

_MORE = 2.0

_Many = Parameter(negative=(), consume_multiple=True)


def budget_command(
    project: Path | None = None,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    hours: Annotated[list[float] | None, _Many] = None,
    spent: float | None = None,
    seconds: Annotated[list[str] | None, _Many] = None,
    reference: Annotated[list[Path] | None, _Many] = None,
    predictions: Path | None = None,
    files: Path | None = None,
    simulate: Path | None = None,
    images: Path | None = None,
    val: Path | None = None,
    val_images: Path | None = None,
    kinds: Annotated[list[str] | None, _Many] = None,
    more: float | None = None,
    system: str | None = None,
    recipe: str = "small",
    overrides: Annotated[list[str] | None, Parameter(name="--set", negative=(), consume_multiple=True)] = None,
    steps: Whole = None,
    seeds: Annotated[int, Parameter(converter=whole)] = 2,
    threads: Whole = None,
    jobs: Annotated[int, Parameter(converter=whole)] = 1,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Tell what more hours of each kind of annotation are worth, in quality of the trained model.

    Of a project: the finished runs in its runs/ (validated with --val, on several amounts and kinds of annotation),
    what their annotations cost by the seconds that were measured in the project (published ones where nothing was
    measured), a curve through each kind with at least three amounts, and the answer in words.

    With --simulate, the curve is made from a ground truth: an annotator who knows it spends a ladder of budgets in
    several ways, a small training is made for each, and all are measured on --val. The same command goes on where it
    was interrupted; finished trainings are kept.

    Example: `pointanno budget cells.pointanno -o budget.html --hours 2`

    Example: `pointanno budget --simulate nuclei/train/instances.json --images nuclei/train/images
    --val nuclei/val/instances.json --val-images nuclei/val/images --kinds masks box_points:10 -o ladder`

    Parameters
    ----------
    project
        Folder of the project; it may be open in a window.
    out
        The HTML page to write; with --simulate the folder of everything, also one to go on with.
    hours
        Of a project: how many more hours are asked about, 2 by default. With --simulate: the budgets of the ladder;
        by default four, from a few pictures of the costliest kind to all pictures of the cheapest one.
    spent
        Hours that are spent already: more hours count from there. By default the largest amount that was trained,
        with --simulate the middle of the ladder.
    seconds
        Seconds of a box, point, click or mask instead of measured or published ones, as in
        `--seconds mask=41.5 point=1.2`.
    reference
        Further run folders, or folders of them, that count like those of the project.
    predictions
        Prediction of a run for pictures that are not annotated yet (`pointanno predict`): tells which of them to
        annotate next.
    files
        Folder for the tables (CSV, JSON) and the figure (SVG, PNG); with --simulate they are in --out.
    simulate
        Truth with masks, COCO instances or panoptic, instead of a project.
    images
        Folder of its pictures.
    val
        Truth of other pictures, to measure on.
    val_images
        Folder of these pictures.
    kinds
        What is annotated: masks, box_points:N, single_point, multi_point:N, as far as an installed system learns
        from it. By default all kinds of the system, or of the first one that learns instances.
    more
        With --simulate: how many more hours are asked about, 2 by default.
    system
        System that learns, where several could.
    recipe
        Settings of all trainings.
    overrides
        Changed settings, as for `pointanno train`.
    steps
        Length of every training stage, the same for all budgets; 1,000 by default.
    seeds
        Trainings of each kind and budget. A seed decides about pictures, points and the start of the training.
    threads
        Threads of each training on the CPU; by default the cores are shared among the jobs.
    jobs
        Trainings at a time.
    device
        auto (CUDA, else Apple GPU, else CPU), cpu, cuda, cuda:1, mps.
    """
    from pointanno.timing.budget.costs import parse_seconds

    given = parse_seconds(seconds or ())
    if spent is not None and not 0 <= spent < float("inf"):
        raise InputError(f"--spent {spent:g}: expected hours, 0 or more")
    if simulate is None:
        _refuse_ladder_options(
            {
                "--images": images,
                "--val": val,
                "--val-images": val_images,
                "--kinds": kinds,
                "--more": more,
                "--system": system,
                "--set": overrides,
                "--steps": steps,
            }
        )
        findings, written = _of_project(
            project, out=out, hours=hours, spent=spent, given=given, reference=reference, predictions=predictions,
            files=files, as_json=json,
        )  # fmt: skip
        _tell(findings, written, as_json=json)
        return
    for name, value in (("PROJECT", project), ("--reference", reference), ("--predictions", predictions),
                        ("--files", files)):  # fmt: skip
        if value is not None:
            raise InputError(f"{name}: this is for budgets of a project; leave it out with --simulate")
    _climb(
        truth=simulate, images=images, val=val, val_images=val_images, out=out, kinds=kinds, hours=hours, spent=spent,
        more=_hours("--more", more), system=system, recipe=recipe, overrides=tuple(overrides or ()), steps=steps,
        seeds=seeds, threads=threads, jobs=jobs, device=device, seconds=given, as_json=json,
    )  # fmt: skip


def _hours(name: str, hours: float | None) -> float:
    """Hours that are asked about.

    Raises
    ------
    InputError
        If they are none.
    """
    hours = _MORE if hours is None else hours
    if not 0 < hours < float("inf"):
        raise InputError(f"{name} {hours:g}: expected hours above 0")
    return hours


def _refuse_ladder_options(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name}: this is for a simulated ladder; add --simulate GT.json, or leave it out")


def _of_project(
    project: Path | None,
    *,
    out: Path | None,
    hours: Sequence[float] | None,
    spent: float | None,
    given: dict[str, float],
    reference: Sequence[Path] | None,
    predictions: Path | None,
    files: Path | None,
    as_json: bool,
) -> tuple[Findings, list[Path]]:
    """The findings of a project, and what was written."""
    from pointanno.project import Project
    from pointanno.project.outputs import check_output
    from pointanno.timing.budget import findings_of_project, write_files, write_page

    if project is None:
        raise InputError("PROJECT is missing: `pointanno budget PROJECT -o budget.html`, or give --simulate GT.json")
    if len(hours or ()) > 1:
        raise InputError("--hours: expected one number of hours; a ladder of several is for --simulate")
    if out is None and files is None and not as_json:
        raise InputError("--out: expected a file for the page. Give one with -o, a folder with --files, or --json")
    if out is not None and out.is_dir():
        raise InputError(f"--out: {out} is a folder, expected a file such as {out / PAGE}")
    for name, path in (("--out", out), ("--files", files)):
        if path is not None and not path.absolute().parent.is_dir():
            raise InputError(f"{name}: the folder {path.absolute().parent} does not exist. Make it first")
    if out is not None:
        check_output(out)
    if files is not None and files.exists() and not files.is_dir():
        raise InputError(f"--files: {files} is a file, expected a folder")
    more = _hours("--hours", hours[0] if hours else None)
    with Project.open(project, writable=False) as opened:
        findings = findings_of_project(
            opened, more=more, references=reference or (), seconds=given, predictions=predictions, spent=spent
        )
        title = opened.path.stem
    written = [] if out is None else [write_page(findings, out, title=title, command=_command())]
    return findings, written + ([] if files is None else write_files(findings, files))


def _climb(
    *,
    truth: Path,
    images: Path | None,
    val: Path | None,
    val_images: Path | None,
    out: Path | None,
    kinds: Sequence[str] | None,
    hours: Sequence[float] | None,
    spent: float | None,
    more: float,
    steps: int | None,
    as_json: bool,
    **others: Any,
) -> None:
    """Make or complete a ladder, and write what it tells."""
    from pointanno.timing.budget import LadderOptions, climb, findings_of_ladder, parse_kind, write_files, write_page
    from pointanno.timing.budget.simulated import STEPS, default_kinds, parse_hours

    if images is None or val is None or val_images is None or out is None:
        needed = {"--images": images, "--val": val, "--val-images": val_images, "--out": out}
        missing = next(name for name, value in needed.items() if value is None)
        raise InputError(
            f"{missing} is missing: `pointanno budget --simulate GT.json --images DIR --val GT2.json --val-images DIR "
            "-o FOLDER`"
        )
    options = LadderOptions(
        truth=truth,
        images=images,
        val=val,
        val_images=val_images,
        out=out,
        kinds=tuple(map(parse_kind, kinds)) if kinds else default_kinds(others["system"]),
        hours=parse_hours(hours),
        steps=STEPS if steps is None else steps,
        **others,
    )
    climbed = climb(options, note)
    if climbed.results:
        findings = findings_of_ladder(climbed, options, more=more, spent=spent)
        written = [write_page(findings, out / PAGE, title=_title(truth), command=_command())]
        _tell(findings, written + write_files(findings, out), as_json=as_json)
    if climbed.is_stopped:
        note("stopped; the same command goes on")
        raise SystemExit(130)
    if climbed.failures:
        name, sentence = next(iter(climbed.failures.items()))
        raise InputError(f"{len(climbed.failures)} of the trainings failed, first {name}: {sentence}")


def _title(truth: Path) -> str:
    """Name of a truth and of its folder, since most are called instances.json."""
    return f"{truth.absolute().parent.name}/{truth.name}, simulated"


def _command() -> str:
    """The command line that was typed."""
    return shlex.join(["pointanno", *sys.argv[1:]])


def _tell(findings: Findings, written: Sequence[Path], *, as_json: bool) -> None:
    from pointanno.timing.budget.findings import as_json as to_json
    from pointanno.timing.budget.findings import sentences

    lines = [*sentences(findings), *(f"wrote {path}" for path in written)]
    emit({**to_json(findings), "files": [str(path) for path in written]}, "\n".join(lines), as_json=as_json)

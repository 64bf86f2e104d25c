"""``pointanno benchmark``: the table of results of a system, made anew or completed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from pointanno.cli.console import Json, emit, note
from pointanno.errors import InputError

if TYPE_CHECKING:
    from pointanno.benchmark import Plan


benchmark_command = App(name="benchmark")
"""Results tables of systems; what is measured without a training is a command of its own below it."""

for _name in ("assignment", "pseudo-masks"):
    _module = "benchmark_" + _name.replace("-", "_")
    benchmark_command.command(f"pointanno.cli.{_module}:{_module}", name=_name)


@benchmark_command.default
def benchmark_system(
    name: str | None = None,
    *,
    data: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    rows: Annotated[list[str] | None, Parameter(name="--row", negative=(), consume_multiple=True)] = None,
    threads: int | None = None,
    jobs: int = 1,
    steps: int | None = None,
    schedule: str | None = None,
    device: str = "auto",
    plan: Path | None = None,
    list_rows: Annotated[bool, Parameter(name="--list", negative=())] = False,
    json: Json = False,
) -> None:
    """Train and measure everything that a results table of a system is made of.

    Each row is simulated, trained, predicted and evaluated in child processes and keeps all its files in
    `OUT/<row>`. The same command goes on where it was interrupted: finished rows are kept, trainings resume from
    their last checkpoint. Ctrl-C ends the trainings after their step, with a checkpoint. A training that was made
    by hand counts too: put its run folder at `OUT/<row>/run`, and it is taken if it is the row's training.

    Example: `pointanno benchmark point-sup --data data/ --out results/ --jobs 2`

    Parameters
    ----------
    name
        What to measure: the name of a system that has a plan. `--list` shows them. `assignment` and `pseudo-masks`
        need no training and have options of their own: `pointanno benchmark assignment --help`.
    data
        Folder of the data sets, each with train/ and val/, and in these images/ and instances.json; by default
        the folder that POINTANNO_DATA names, else ../shared/data.
    out
        Folder of the results; table.md and table.json are written there.
    rows
        Only these rows (and the trainings that they start from).
    threads
        Threads of each training on the CPU; by default the cores are shared among the jobs.
    jobs
        Rows at a time.
    steps
        Length of every training stage instead of the recipe's, for a first look.
    schedule
        Size of the trainings: small, or gpu for the larger one. By default the one that OUT was begun with, else
        gpu where there is CUDA.
    device
        auto (CUDA, else Apple GPU, else CPU), cpu, cuda, cuda:1, mps.
    plan
        A plan of your own instead of the one that ships, with the same keys.
    list_rows
        Only list the rows.
    """
    from pointanno.benchmark import available_benchmarks, read_plan

    if list_rows:
        names = [name] if name is not None else list(available_benchmarks())
        spelled = {known.replace("-", "_"): known for known in available_benchmarks()}
        plans = ((known.replace("-", "_"), *read_plan(known, plan)) for known in names)
        _list([(spelled.get(known, system.name), found) for known, system, found in plans], as_json=json)
        return
    if name is None:
        raise InputError(
            "NAME is missing: `pointanno benchmark NAME --out FOLDER`; benchmarks are "
            f"{', '.join((*available_benchmarks(), 'assignment', 'pseudo-masks'))}"
        )
    if out is None:
        raise InputError("--out is missing: name the folder for the results, a new one or one to go on with")
    _run(name, data=data, out=out, rows=tuple(rows or ()), threads=threads, jobs=jobs, steps=steps,
         schedule=schedule, device=device, plan=plan, as_json=json)  # fmt: skip


def _run(name: str, *, data: Path | None, as_json: bool, **given: Any) -> None:
    from pointanno.benchmark import Options, make_table, run_benchmark, table_to_markdown
    from pointanno.benchmark.data_folder import default_data
    from pointanno.benchmark.table import write_table

    options = Options(system=name, data=data or default_data(), **given)
    outcome = run_benchmark(options, note)
    table = make_table(outcome.plan, outcome.rows)
    text = table_to_markdown(table)
    write_table(options.out, table, text)
    result = {"out": str(options.out), "failures": outcome.failures, "is_stopped": outcome.is_stopped, **table}
    emit(result, text, as_json=as_json)
    if outcome.is_stopped:
        note("stopped; the same command goes on")
        raise SystemExit(130)
    if outcome.failures:
        row, sentence = next(iter(outcome.failures.items()))
        raise InputError(f"{len(outcome.failures)} of the rows failed, first {row}: {sentence}")


def _list(found: list[tuple[str, Plan]], *, as_json: bool) -> None:
    """Print the rows of the plans."""
    cells = []
    for name, plan in found:
        for row in plan.rows:
            trained = "masks" if row.supervision == "masks" else f"{row.protocol} n = {row.points}"
            start = "" if row.init is None else f"from {row.init}"
            settings = " ".join((*plan.data_set(row.data_set).overrides, *row.overrides))
            cells.append((name, row.name, row.title, trained, f"seed {row.seed}", row.recipe, settings, start))
    widths = [max(len(row[column]) for row in cells) for column in range(8)] if cells else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    emit(
        {"benchmarks": {name: plan.model_dump() for name, plan in found}},
        "\n".join(lines) or "no system has a plan",
        as_json=as_json,
    )

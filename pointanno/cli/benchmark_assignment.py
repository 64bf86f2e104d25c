"""``pointanno benchmark assignment``: speed of the label assignment beside its peers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note
from pointanno.errors import InputError


def benchmark_assignment(
    *,
    grids: Annotated[list[str] | None, Parameter(name="--grid", negative=(), consume_multiple=True)] = None,
    targets: Annotated[list[int] | None, Parameter(name="--targets", negative=(), consume_multiple=True)] = None,
    repeats: int = 5,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    json: Json = False,
) -> None:
    """Measure the speed of the label assignment: the search alone, the whole stage, and live clicks.

    Contenders run in turns in this process; medians of CPU and wall time are printed, and ratios of CPU time, so
    that a busy machine does not decide. The search is compared with scipy's Dijkstra and with a plain heap, the
    whole stage with a map of every target in full size, as the authors of PSPS make it. Nothing fails on seconds.

    Example: `pointanno benchmark assignment --grid 50x83 --targets 20`

    Parameters
    ----------
    grids
        Rows x columns of the grids to search, 37x56 to 256x256 by default.
    targets
        Numbers of targets, 4, 20 and 100 by default.
    repeats
        Rounds of which the median is taken.
    out
        Also write the numbers into this JSON file.
    """
    from pointanno.benchmark.assignment import GRIDS, TARGETS, run_assignment_benchmark
    from pointanno.benchmark.machine import this_machine
    from pointanno.formats.json_file import write_json

    if repeats < 1:
        raise InputError(f"--repeats must be 1 or more, but is {repeats}")
    if any(count < 1 for count in targets or ()):
        raise InputError(f"--targets must be 1 or more, but is {min(targets or ())}")
    sizes = [_grid(text) for text in grids] if grids else GRIDS
    measured = run_assignment_benchmark(grids=sizes, targets=targets or TARGETS, repeats=repeats, tell=note)
    result = {"machine": this_machine(), **measured}
    if out is not None:
        write_json(out, result)
    emit(result, _table(result), as_json=json)


def _grid(text: str) -> tuple[int, int]:
    """``37x56`` as (37, 56)."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None or 0 in (sizes := (int(found[1]), int(found[2]))):
        raise InputError(f"--grid {text}: expected rows x columns, for example 50x83")
    return sizes


def _table(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores; medians of {result['repeats']}; ratios of CPU time;"
        f" compiled or loaded in {result['compile_s']:.1f} s",
        "",
        f"{'search':<12}{'targets':>8}{'costs':>9}{'ours ms':>10}{'wall':>8}{'scipy ms':>10}{'heap ms':>10}"
        f"{'scipy/ours':>12}{'heap/ours':>11}{'max diff':>10}{'not heap':>10}",
    ]
    for row in result["search"]:
        grid = f"{row['grid'][0]} x {row['grid'][1]}"
        lines.append(
            f"{grid:<12}{row['targets']:>8}{row['costs']:>9}{row['ours']['cpu_ms']:>10.2f}"
            f"{row['ours']['wall_ms']:>8.1f}{row['scipy']['cpu_ms']:>10.1f}{row['heap']['cpu_ms']:>10.1f}"
            f"{row['over_scipy']:>12.1f}{row['over_heap']:>11.1f}{row['difference']:>10.0e}{row['differing']:>10}"
        )
    stage = result["stage"]
    height, width = stage["size"]
    lines += [
        "",
        f"whole stage, {height} x {width}, {stage['clicks']} clicks, {stage['classes']} classes: "
        f"ours {stage['ours']['cpu_ms']:.0f} ms (wall {stage['ours']['wall_ms']:.0f}), maps of all targets "
        f"{stage['peer']['cpu_ms']:.0f} ms, ratio {stage['over_peer']:.1f}; "
        f"{stage['differing']} of {stage['pixels']} pixels differ",
        f"its last step alone: ours {stage['our_choice']['cpu_ms']:.0f} ms, maps {stage['peer_choice']['cpu_ms']:.0f}"
        f" ms, ratio {stage['choice_over_peer']:.1f}",
        "",
    ]
    for name, text in (("one_more", "one more click beside 30"), ("thirty_at_once", "30 clicks at once")):
        live = result["live"][name]
        lines.append(
            f"{text}, {live['size'][1]} x {live['size'][0]}: wall {live['wall_ms']:.0f} ms (95 %"
            f" {live['p95_wall_ms']:.0f}), CPU {live['cpu_ms']:.0f} ms, aim {live['limit_ms']} ms"
        )
    return "\n".join(lines)

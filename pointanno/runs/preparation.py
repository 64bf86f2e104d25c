"""From a project to a checked run folder, in a process of its own: large data sets would hold up a window.

``python -m pointanno.runs.preparation`` reads one `Request` as JSON from standard input and prints one
`Preparation`. Torch-free.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from pointanno.errors import InputError
from pointanno.runs.arguments import TrainArguments
from pointanno.runs.creation import create_run, new_run_path
from pointanno.runs.preflight import Finding, check_training

Create = Literal["never", "unless_warned", "always"]

DRY_STEP = "pointanno_models.engine.dry_step"
"""By name: the core does not import the engine."""

_NICE = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be trained, where, and whether the run folder is wanted already."""

    arguments: TrainArguments
    """`data` and `images` are those of the project, if there is one."""
    folder: Path
    """Where run folders lie; the new one gets a free name there."""
    project: Path | None = None
    """Its annotations of now are the data."""
    create: Create = "unless_warned"


@dataclass(frozen=True, slots=True)
class Preparation:
    """What came out."""

    findings: tuple[Finding, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    run: Path | None = None
    """The new run folder; None if it was not wanted or something stands against it."""
    tried: dict[str, Any] | None = None
    """Fields of a `DryStep`, if steps were rehearsed."""

    @property
    def has_errors(self) -> bool:
        """Whether the training cannot work."""
        return any(finding.level == "error" for finding in self.findings)


def prepare(request: Request) -> Preparation:
    """Freeze the annotations, look at everything, and create the run folder if that is wanted."""
    snapshot = None
    try:
        arguments = request.arguments
        if request.project is not None:
            snapshot = _snapshot(request.project, request.folder)
            arguments = replace(arguments, data=snapshot)
        checked = check_training(arguments, request.folder / "run")
        findings, facts = tuple(checked.findings), checked.facts
        is_wanted = request.create == "always" or (request.create == "unless_warned" and not checked.has_warnings)
        if not is_wanted or checked.has_errors:
            return Preparation(findings, facts)
        request.folder.mkdir(parents=True, exist_ok=True)
        run = create_run(arguments, new_run_path(request.folder, arguments))
        return Preparation(findings, facts, run.path)
    except (InputError, OSError) as error:
        return Preparation((Finding("error", "data", str(error)),))
    finally:
        if snapshot is not None:
            snapshot.unlink(missing_ok=True)


def _snapshot(project: Path, folder: Path) -> Path:
    """The annotations of now as a file, read beside whoever writes to the project."""
    from pointanno.formats import coco_point
    from pointanno.project import Project

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f".snapshot-{os.getpid()}.json"
    with Project.open(project, writable=False) as opened:
        coco_point.write(opened.dataset(), file)
    return file


def prepare_in_child(request: Request) -> Preparation:
    """`prepare` in a new process; waits for it, so call this in a thread.

    Raises
    ------
    InputError
        If the process ended without an answer.
    """
    return _from_json(_ask("pointanno.runs.preparation", _to_json(request)))


def rehearse_in_child(request: Request) -> Preparation:
    """Findings, and if nothing stands against it some steps on the device; nothing is kept.

    Waits for two processes, so call this in a thread.

    Raises
    ------
    InputError
        If a process ended without an answer.
    """
    from pointanno.runs.preflight import check_dry_step

    prepared = prepare_in_child(replace(request, create="never"))
    if prepared.has_errors:
        return prepared
    snapshot = None
    try:
        arguments = request.arguments
        if request.project is not None:
            snapshot = _snapshot(request.project, request.folder)
            arguments = replace(arguments, data=snapshot)
        tried = _ask(DRY_STEP, {"arguments": arguments.absolute().to_dict(), "nice": _NICE})
    finally:
        if snapshot is not None:
            snapshot.unlink(missing_ok=True)
    if "error" in tried:
        return replace(prepared, findings=(*prepared.findings, Finding("error", "run", str(tried["error"]))))
    found = tuple(check_dry_step(tried, request.folder / "run"))
    return replace(prepared, findings=(*prepared.findings, *found), tried=tried)


def _ask(module: str, question: dict[str, Any]) -> dict[str, Any]:
    """Run a module with JSON in and JSON out."""
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=orjson.dumps(question),
        capture_output=True,
        check=False,
        env=environment,
        creationflags=0x08000000 if os.name == "nt" else 0,  # no console window
    )
    try:
        answer = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise InputError(f"the check before the training ended unexpectedly: {reason}") from None
    assert isinstance(answer, dict)
    return answer


def _to_json(request: Request) -> dict[str, Any]:
    return {
        "arguments": request.arguments.to_dict(),
        "folder": str(request.folder),
        "project": None if request.project is None else str(request.project),
        "create": request.create,
    }


def _from_json(values: dict[str, Any]) -> Preparation:
    return Preparation(
        findings=tuple(Finding(**finding) for finding in values["findings"]),
        facts=values["facts"],
        run=None if values["run"] is None else Path(values["run"]),
    )


def main() -> int:
    """Answer one request."""
    asked = orjson.loads(sys.stdin.buffer.read())
    prepared = prepare(
        Request(
            arguments=TrainArguments.from_dict(asked["arguments"]),
            folder=Path(asked["folder"]),
            project=None if asked["project"] is None else Path(asked["project"]),
            create=asked["create"],
        )
    )
    answer = {
        "findings": [asdict(finding) for finding in prepared.findings],
        "facts": prepared.facts,
        "run": None if prepared.run is None else str(prepared.run),
    }
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``pointanno validate``: what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit

_SHOWN = 50
"""Findings that a person is shown; ``--json`` has all."""


def validate_command(
    file: Path,
    *,
    images: Path | None = None,
    strict: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Say what is wrong with an annotation file, one sentence per finding; exit code 2 if there are errors.

    Example: `pointanno validate points.json --images pictures --strict`

    Parameters
    ----------
    file
        COCO-point, PointSup, COCO instances or COCO panoptic JSON.
    images
        Folder of its pictures: each must exist, have the stated size and be readable to the end.
    strict
        Also check what the published PointSup loader needs.
    json
        Print one JSON object.
    """
    from pointanno.cli.main import BAD_INPUT
    from pointanno.formats.validate import has_errors, validate_file

    findings = validate_file(file, images=images, strict=strict)
    errors = sum(finding.severity == "error" for finding in findings)
    result = {
        "file": str(file),
        "valid": not has_errors(findings),
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": [
            {"severity": finding.severity, "where": finding.where, "message": finding.message} for finding in findings
        ],
    }
    lines = []
    for finding in findings[:_SHOWN]:
        place = file if finding.where == "file" else f"{file}, {finding.where}"
        lines.append(f"{finding.severity}: {place}: {finding.message}")
    if len(findings) > _SHOWN:
        lines.append(f"and {len(findings) - _SHOWN} more; --json lists all")
    if not findings:
        lines.append(f"{file}: no findings")
    emit(result, "\n".join(lines), as_json=json)
    if has_errors(findings):
        raise SystemExit(BAD_INPUT)

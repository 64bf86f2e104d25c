"""``pointanno doctor``."""

from __future__ import annotations

from dataclasses import asdict

from pointanno.cli.console import Json, emit

_SIGNS = {"ok": "ok    ", "absent": "absent", "broken": "BROKEN"}


def doctor_command(*, json: Json = False) -> None:
    """Look at Python, Qt, OpenGL, torch, CUDA and ONNX Runtime, and say what to do where something is missing.

    Exits with 2 if something that pointanno needs is broken.

    Example: `pointanno doctor`
    """
    from pointanno.diagnosis import diagnose

    findings = diagnose()
    lines = []
    for finding in findings:
        lines.append(f"{_SIGNS[finding.state]}  {finding.subject}: {finding.detail}")
        if finding.advice:
            lines.append(f"        {finding.advice}")
    healthy = all(finding.state != "broken" for finding in findings)
    emit({"healthy": healthy, "findings": [asdict(finding) for finding in findings]}, "\n".join(lines), as_json=json)
    if not healthy:
        raise SystemExit(2)

"""A journal gives the same report on another machine: other place, time zone, language, order of hashes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}
THERE = {"TZ": "Asia/Kolkata", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "4242"}


def _report(project: Path, folder: Path, more: dict[str, str]) -> dict[str, bytes]:
    """What the command prints and writes; the folder's own name taken out."""
    folder.mkdir()
    command = [sys.executable, "-m", "pointanno", "study", str(project), "--json", "-o", "report.html", "--files", "f"]
    done = subprocess.run(command, cwd=folder, env=os.environ | more, capture_output=True, check=True)
    found = {"--json": done.stdout}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return {name: data.replace(str(project).encode(), b"PROJECT") for name, data in found.items()}


def test_a_copy_elsewhere_gives_the_same_report(worked_on: Path, tmp_path: Path) -> None:
    other = tmp_path / "somewhere else" / worked_on.name
    shutil.copytree(worked_on, other)
    before = _report(worked_on, tmp_path / "here", HERE)
    after = _report(other, tmp_path / "there", THERE)
    assert len(before) > 5 and before.keys() == after.keys()
    for name, data in before.items():
        assert data == after[name], name

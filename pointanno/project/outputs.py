"""Files that a command writes must not take the place of those that a project is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.project.opening import DATABASE

if TYPE_CHECKING:
    from pathlib import Path


def check_output(out: Path) -> None:
    """Refuse a file in the place of a project's journal, its lock or one of its backups.

    Raises
    ------
    InputError
        Naming the file.
    """
    whole = out.resolve()
    is_part = whole.name.startswith((DATABASE, "project.lock")) and (whole.parent / DATABASE).exists()
    is_backup = whole.parent.name == "backups" and (whole.parent.parent / DATABASE).exists()
    if is_part or is_backup:
        raise InputError(f"{out}: this file belongs to a project and would be lost. Name another file to write")

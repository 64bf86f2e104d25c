"""Where the development data lie."""

from __future__ import annotations

import os
from pathlib import Path

from pointanno.errors import InputError


def default_data(name: str | None = None) -> Path:
    """The folder that POINTANNO_DATA names, else ../shared/data.

    Parameters
    ----------
    name
        Of the benchmark whose help says what must lie there, if it has help of its own.

    Raises
    ------
    InputError
        If that is unknown.
    """
    named = os.environ.get("POINTANNO_DATA")
    folder = Path(named) if named else Path("../shared/data")
    if folder.is_dir():
        return folder
    command = " ".join(("benchmark", *(() if name is None else (name,))))
    raise InputError(
        f"--data is missing: name the folder of the data sets (or set POINTANNO_DATA), as `pointanno {command} --help` "
        "describes it"
    )

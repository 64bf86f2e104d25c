"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real pictures with truth; they are not part of the project, so tests that need them may skip."""
    folder = Path(os.environ.get("POINTANNO_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (folder / "nuclei").is_dir():
        pytest.skip(f"real pictures are absent: {folder} (set POINTANNO_DATA)")
    return folder

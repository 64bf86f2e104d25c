"""What every test may ask for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples in every run, so that a change lands or not for its own sake; `HYPOTHESIS_PROFILE=search` draws new
# ones each time
settings.register_profile("fixed", derandomize=True)
settings.register_profile("search", derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

_HAS_DISPLAY = not sys.platform.startswith("linux") or bool(
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
)
if not _HAS_DISPLAY:
    # widgets can be made and asked without a screen; windows with OpenGL cannot
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a display where there is none."""
    if not _HAS_DISPLAY:
        skip = pytest.mark.skip(reason="needs a display: run `bash tests/run`, or pytest under xvfb-run")
        for item in items:
            if item.get_closest_marker("gui"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real pictures with truth; they are not part of the project, so tests that need them may skip."""
    folder = Path(os.environ.get("POINTANNO_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (folder / "nuclei").is_dir():
        pytest.skip(f"real pictures are absent: {folder} (set POINTANNO_DATA)")
    return folder

"""Where machine code cannot be kept, everything is compiled again and works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pointanno

SCRIPT = """
import sys
from pointanno.assignment.compiled import compiled
@compiled
def double(x):
    return 2 * x
{between}
assert double(21) == 42
print("worked")
"""


@pytest.mark.parametrize("trouble", ["nowhere", "gone"])
def test_no_place_for_machine_code(tmp_path: Path, trouble: str) -> None:
    """A cache folder that cannot be made, and one that can no longer be written when there is code to keep."""
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where a folder should be")
    cache = occupied / "cache" if trouble == "nowhere" else tmp_path / "cache"
    between = "" if trouble == "nowhere" else f"import shutil; shutil.rmtree({str(cache)!r}); open({str(cache)!r}, 'w')"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(between=between))
    root = Path(pointanno.__file__).parents[1]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    if trouble == "nowhere":
        # numba would go on to the user's own folder
        environment |= {"HOME": str(occupied), "XDG_CACHE_HOME": str(occupied)}
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "worked\n", done.stderr

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np, psutil
from napari_pointanno.allocation import return_large_blocks
assert return_large_blocks()
rss = lambda: psutil.Process().memory_info().rss / 2**20
np.ones(20 * 2**20, np.uint8)  # freed: glibc would now take such blocks from its heap
before = rss()
blocks = [np.ones(8 * 2**20, np.uint8) for _ in range(20)]
kept = blocks[-1]
del blocks
print(rss() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_pictures_leave_the_process() -> None:
    """The last of 20 blocks lives on; on a heap it would hold the others below it."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert float(done.stdout) < 16

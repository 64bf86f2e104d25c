from __future__ import annotations

import subprocess
import sys

import pytest

from napari_pointanno.singleton_guard import MANY, guard_singletons, is_needed


@pytest.mark.skipif(not is_needed(), reason="this Python never frees None")
def test_the_references_are_many_and_added_once() -> None:
    guard_singletons()
    counts = [sys.getrefcount(one) for one in (None, True, False)]
    assert all(MANY // 2 < count < 2 * MANY for count in counts)
    guard_singletons()
    assert all(sys.getrefcount(one) < 2 * MANY for one in (None, True, False))


_CALLS = """
from napari_pointanno.singleton_guard import guard_singletons
guard_singletons()
from qtpy.QtCore import QObject, Signal

class Source(QObject):
    changed = Signal()

source = Source()
for _ in range(50_000):
    source.setObjectName("a")
    source.changed.emit()
print("alive")
"""


def test_a_long_session_survives() -> None:
    """More calls without a result than there are references to None in a fresh process."""
    done = subprocess.run([sys.executable, "-c", _CALLS], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "alive", done.stderr
    assert done.returncode == 0

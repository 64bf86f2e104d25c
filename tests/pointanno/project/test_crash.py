"""Sessions of every protocol are killed; ``python crash_script.py --kills 200`` does so 200 times."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def script() -> ModuleType:
    """The script beside this file; tests are no package."""
    spec = importlib.util.spec_from_file_location("crash_script", Path(__file__).with_name("crash_script.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.setdefault("crash_script", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


def test_killed_sessions_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    crash = script()
    path = crash.make_project(tmp_path)
    total = 0
    for seed in range(12):
        acknowledged = crash.kill_one(path, seed)
        total += len(acknowledged)
        assert crash.check(path, acknowledged) == ""
    assert total > 0, "the sessions must have had time to work"


def test_a_loss_would_be_seen(tmp_path: Path) -> None:
    crash = script()
    path = crash.make_project(tmp_path)
    assert crash.check(path, {"f" * 32}) == "1 acknowledged events are lost"

"""The doctor looks in processes of its own: what crashes there is a line here."""

from __future__ import annotations

import pytest

from pointanno import diagnosis


@pytest.mark.parametrize(
    ("code", "state", "detail"),
    [
        ("print('noise'); import json; print(json.dumps('all well'))", "ok", "all well"),
        ("import no_such_module", "broken", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "broken", "the check crashed by signal 11"),
        ("raise SystemExit('no device found')", "broken", "no device found"),
    ],
)
def test_a_look(code: str, state: str, detail: str) -> None:
    found = diagnosis._look("thing", code, "broken", "mend it")
    assert (found.state, found.detail) == (state, detail)
    assert found.advice == ("" if state == "ok" else "mend it")


def test_without_a_display_the_advice_is_a_virtual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    found = diagnosis._opengl()
    assert found.state == "absent" and "xvfb-run" in found.advice

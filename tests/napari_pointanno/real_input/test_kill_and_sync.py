"""The window is killed while somebody works in it, and watched by the system calls it makes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.gui
@pytest.mark.slow
def test_a_killed_window_loses_nothing_that_it_acknowledged(scripts: Any, tmp_path: Path) -> None:
    script, scene = scripts("kill_window"), scripts("bench_window_scene")
    project = scene.small_project(tmp_path, 0, 200, pictures=2)
    path = project.path
    project.close()
    known, draw = script.Acknowledged(), random.Random(3)
    with script.Display(tmp_path) as display:
        for _ in range(3):
            assert script.kill(display, tmp_path, path, known, draw) == ""
    assert known.done, "the sessions must have had time to work"


def test_a_loss_would_be_seen(scripts: Any, tmp_path: Path) -> None:
    script, scene = scripts("kill_window"), scripts("bench_window_scene")
    project = scene.small_project(tmp_path, 0, 1)
    path, uid = project.path, project.annotations(project.images()[0].id).boxes[0].uid
    project.close()
    known = script.Acknowledged([("answer", uid, 0, "object"), ("click", "", 0, "")])
    assert script.check(path, known).startswith("2 acknowledged steps are lost")
    known = script.Acknowledged([("answer", uid, 0, "object")], undoing=True)
    assert script.check(path, known) == ""


@pytest.mark.gui
@pytest.mark.slow
def test_an_answer_is_synced_before_the_next_question_is_drawn(scripts: Any, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is missing")
    script = scripts("trace_sync")
    made = script.answers(script.run(tmp_path, 6))
    assert len(made) == 6
    for answer in made:
        times = answer.durable_at()
        assert times is not None, f"no sync in {[call.name for call in answer.calls]}"
        assert times[1] < answer.shown_at


def test_a_sync_that_comes_late_would_be_seen(scripts: Any, tmp_path: Path) -> None:
    script = scripts("trace_sync")
    frame = (
        r'7  {at} write(4<pipe:[1]>, "{{\"what\": \"compose\", \"state\": '
        r'[0, \"box_points\", [\"ab\", {index}], 0]}}\n", 9)'
        " = 9 <0.1>\n"
    )
    written = '7  {} pwrite64(5</p/project.db-wal>, "..."..., 24, 32) = 24 <0.1>\n'
    synced = "7  {} fdatasync(5</p/project.db-wal>) = 0 <0.1>\n"
    trace = tmp_path / "trace.txt"
    first, second = frame.format(at="1.0", index=0), frame.format(at="5.0", index=1)
    trace.write_text(first + written.format("2.0") + synced.format("3.0") + second)
    (answer,) = script.answers(trace)
    assert answer.durable_at() == pytest.approx((2.0, 3.1)) and answer.shown_at == 5.0
    for wrong in (
        first + written.format("2.0") + second + synced.format("6.0"),  # after the frame
        first + synced.format("2.0") + written.format("3.0") + second,  # before the write
        first + second,
    ):
        trace.write_text(wrong)
        (answer,) = script.answers(trace)
        assert answer.durable_at() is None

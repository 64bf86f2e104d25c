"""Daily copies: one a day, seven kept, never in the way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from functools import partial

from pointanno.project import Project
from pointanno.project.backups import KEPT, DailyBackup


def test_one_a_day_and_the_last_seven(project: Project) -> None:
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    for number in range(1, KEPT + 4):
        day = partial(date, 2026, 1, number)
        backup = DailyBackup(project.path / "project.db")
        assert backup.start_if_due(day)
        backup.wait()
        assert backup.problem == ""
        assert not backup.start_if_due(day)
    names = sorted(path.name for path in (project.path / "backups").iterdir())
    assert names == [f"project-202601{number:02d}.db" for number in range(4, 11)]
    with closing(sqlite3.connect(project.path / "backups" / names[0])) as copy:
        assert copy.execute("select count(*) from clicks").fetchone() == (1,)
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)


def test_made_while_open_and_again_after_midnight(project: Project) -> None:
    backup = project._backup
    assert backup is not None
    project.record("pause", {})
    backup.wait()
    assert not (project.path / "backups").exists(), "a project of today has nothing to lose yet"
    backup._day = date(2020, 1, 1)
    project.record("pause", {})
    backup.wait()
    assert len(list((project.path / "backups").glob("*.db"))) == 1


def test_brought_up_to_date_at_the_end_of_a_session(project: Project) -> None:
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.close()
    with Project.open(project.path) as again:
        again.record("click", {"uid": "b" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    [copy] = (project.path / "backups").iterdir()
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("select count(*) from clicks").fetchone() == (2,)


def test_a_failed_copy_does_not_disturb(project: Project) -> None:
    (project.path / "backups").write_text("in the way")
    backup = DailyBackup(project.path / "project.db")
    assert backup.start_if_due()
    backup.wait()
    assert backup.problem
    project.record("pause", {})


def test_stopping_leaves_no_half_copy(project: Project) -> None:
    backup = DailyBackup(project.path / "project.db")
    backup._stop.set()
    assert backup.start_if_due(lambda: date(2026, 5, 5))
    backup.wait()
    # so small a file may be copied in the first step, before anybody asks to stop
    assert [path.suffix for path in (project.path / "backups").glob("project-20260505*")] in ([], [".db"])

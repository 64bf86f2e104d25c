"""The migrations make exactly the tables that the code expects, and bring old projects along."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.merging import merge_projects
from pointanno.project.schema import APPLICATION_ID, HEAD_REVISION, SCHEMA_VERSION, metadata
from pointanno.project.upgrade import migrations

OLD = json.loads((Path(__file__).parent / "project_0001.json").read_text())
"""Every row of a project that the first version made (its own random walk, two imports, undo and redo), and what it
said about it."""


def test_newest_migration_is_the_one_the_code_names() -> None:
    script = ScriptDirectory.from_config(migrations())
    assert script.get_current_head() == HEAD_REVISION
    assert len(list(script.walk_revisions())) == SCHEMA_VERSION


def test_migrated_file_equals_the_tables_of_the_code(project: Project) -> None:
    project.close()
    engine = create_engine(f"sqlite:///{project.path / 'project.db'}")
    with closing(engine.connect()) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        keys = {table.name: [c.name for c in table.primary_key] for table in metadata.sorted_tables}
        for name, expected in keys.items():
            rows = connection.exec_driver_sql(f"select name, pk from pragma_table_info('{name}') where pk").all()
            assert [row[0] for row in sorted(rows, key=lambda row: row[1])] == expected
    engine.dispose()


def old_project(folder: Path) -> Path:
    """A project of the first version: its own migration, and the rows that it had written."""
    folder.mkdir(parents=True)
    file = folder / "project.db"
    engine = create_engine(f"sqlite:///{file}")
    settings = migrations()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
    engine.dispose()
    with closing(sqlite3.connect(file)) as raw:
        for name, table in OLD["tables"].items():
            marks = ", ".join("?" for _ in table["columns"])
            rows = [
                [bytes.fromhex(v[1:]) if isinstance(v, str) and v.startswith("#") else v for v in row]
                for row in table["rows"]
            ]
            raw.executemany(f"insert into {name} ({', '.join(table['columns'])}) values ({marks})", rows)
        raw.execute(f"pragma application_id={APPLICATION_ID}")
        raw.execute("pragma user_version=1")
        raw.commit()
    return folder


def summary(project: Project) -> dict[str, Any]:
    """What the first version said about a project, in the same words."""
    found = {}
    for image in project.images():
        a = project.annotations(image.id)
        found[image.file_name] = {
            "counts": [image.clicks, image.boxes, image.answers, image.complete_things, image.complete_stuff],
            "clicks": [
                [c.uid, c.category_id, c.x, c.y, c.instance, c.time_ms, c.source, c.session, c.annotator, c.status]
                for c in a.clicks
            ],
            "boxes": [
                [
                    *(b.uid, b.category_id, list(b.box.xyxy), b.point_coords.tolist(), list(b.answers)),
                    *(list(b.times_ms), b.resample, b.session),
                ]
                for b in a.boxes
            ],
            "complete": None if a.complete is None else dict(a.complete),
            "absent": list(a.absent_category_ids),
        }
    return found


def expected() -> dict[str, Any]:
    """What the first version said, but for absences of classes that are annotated: these are now taken back."""
    said: dict[str, Any] = json.loads(json.dumps(OLD["expected"]))
    for image in said.values():
        there = {row[1] for row in (*image["clicks"], *image["boxes"])}
        image["absent"] = [one for one in image["absent"] if one not in there]
    return said


def test_a_project_of_the_first_version_is_upgraded_in_place(tmp_path: Path) -> None:
    path = old_project(tmp_path / "old.pointanno")
    with closing(sqlite3.connect(path / "project.db")) as raw:
        before = raw.execute("select seq, uuid, kind, payload, t_wall from events order by seq").fetchall()
    with Project.open(path) as project:
        now = summary(project)
        for name, image in expected().items():
            assert now[name]["absent"] in (image["absent"], OLD["expected"][name]["absent"])
            assert {**now[name], "absent": 0} == {**image, "absent": 0}
        assert not project.repaired
        events = list(project.events())
        assert [(one.seq, one.uuid, one.kind) for one in events[: len(before)]] == [row[:3] for row in before]
        assert project.counts()["unsure"] >= 1, "counters that the first version did not have are filled"

        state = project.projection_hash()
        undone = 0
        while project.undo() is not None:
            undone += 1
        assert undone > 10 and project.annotations(1).boxes == ()
        while project.redo() is not None:
            pass
        assert project.projection_hash() == state
        project.record("flag", {"flagged": True, "reason": "old"}, image_id=1)
        project.rebuild()
        assert project.image(1).flags == 1
    copy = path / "backups" / f"before-format-{SCHEMA_VERSION}.db"
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("pragma user_version").fetchone()[0] == 1
        assert raw.execute("select seq, uuid, kind, payload, t_wall from events order by seq").fetchall() == before
    with Project.open(path) as project:
        assert project.image(1).flags == 1 and project.recovered == ""


def test_reading_an_old_project_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = old_project(tmp_path / "old.pointanno")
    content = (path / "project.db").read_bytes()
    with Project.open(path, writable=False) as project:
        assert summary(project).keys() == OLD["expected"].keys()
        assert len(project.dataset(with_events=True).events) > 20
        with pytest.raises(InputError, match="for reading only"):
            project.record("pause", {})
    assert (path / "project.db").read_bytes() == content
    assert not (path / "backups").exists()


def test_stamps_grow_whatever_the_clock_did_and_copies_agree(tmp_path: Path) -> None:
    one, two = (old_project(tmp_path / f"{name}.pointanno") for name in ("one", "two"))
    for number, path in enumerate((one, two)):
        with Project.open(path) as project:
            payload = {"uid": str(number) * 32, "category_id": 1, "x": 1 + number, "y": 1}
            project.record("click", payload, image_id=2)
        with closing(sqlite3.connect(path / "project.db")) as raw:
            stamps = [row[0] for row in raw.execute("select stamp from events order by seq")]
            assert stamps == sorted(set(stamps))
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute("update events set stamp = 0")
    report = merge_projects(one, [two])
    assert report.events == 1, "what both had before counts once"
    with Project.open(one) as project:
        assert [click.x for click in project.annotations(2).clicks][-2:] == [1, 2]


def test_a_failed_upgrade_changes_nothing(tmp_path: Path) -> None:
    path = old_project(tmp_path / "old.pointanno")
    (path / "backups").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="before-format"):
        Project.open(path)
    with closing(sqlite3.connect(path / "project.db")) as raw:
        assert raw.execute("pragma user_version").fetchone()[0] == 1
        assert raw.execute("select version_num from alembic_version").fetchone()[0] == "0001"
        assert raw.execute("select count(*) from events").fetchone()[0] == len(OLD["tables"]["events"]["rows"])

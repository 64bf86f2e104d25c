"""The migrations make exactly the tables that the code expects."""

from __future__ import annotations

from contextlib import closing

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from pointanno.project import Project
from pointanno.project.schema import HEAD_REVISION, SCHEMA_VERSION, metadata
from pointanno.project.upgrade import migrations


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

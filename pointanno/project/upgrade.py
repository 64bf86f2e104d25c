"""Bring a project file to the present schema; the only module that imports Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from pointanno.project.schema import APPLICATION_ID, SCHEMA_VERSION
from pointanno.project.store import sentence

if TYPE_CHECKING:
    from alembic.config import Config

    from pointanno.project.store import Store


def migrations() -> Config:
    """Alembic's settings for the migrations that ship with this package."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", "pointanno.project:migrations")
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(store: Store) -> None:
    """Run every migration that the file has not seen, all in one transaction."""
    from alembic import command

    settings = migrations()
    engine = create_engine("sqlite://", creator=lambda: store.raw, poolclass=StaticPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin immediate"))
    factory, store.raw.row_factory = store.raw.row_factory, None  # SQLAlchemy brings its own rows
    try:
        with store.lock, store.guarded(), engine.begin() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
            connection.exec_driver_sql(f"pragma application_id={APPLICATION_ID}")
            connection.exec_driver_sql(f"pragma user_version={SCHEMA_VERSION}")
    except DBAPIError as error:
        raise sentence(error.orig or error, store.file) from error
    finally:
        store.raw.row_factory = factory

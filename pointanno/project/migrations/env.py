"""What Alembic executes: run the migrations on the connection that the caller holds."""

from __future__ import annotations

from alembic import context

from pointanno.project.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
with context.begin_transaction():
    context.run_migrations()

"""Alembic migrations of the project file; `pointanno.project.upgrade` runs them."""

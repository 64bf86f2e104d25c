"""The first schema: journal, registry and projection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

_JOURNAL = ("events", "import_parts")


def upgrade() -> None:
    """Create every table; the journal refuses updates and deletes from then on."""
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer()),
        sa.Column("sha256", sa.Text()),
        sa.Column("extra", sa.Text()),
        sa.Column("clicks", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("boxes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("answers", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_instance", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("packed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("complete_things", sa.Integer()),
        sa.Column("complete_stuff", sa.Integer()),
        sa.Column("absent", sa.Text(), nullable=False, server_default="[]"),
    )
    op.create_index("images_file_name", "images", ["file_name"], unique=True)
    op.create_index("images_position", "images", ["position"], unique=True)
    op.create_table(
        "annotators",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Integer()),
        sa.Column("extra", sa.Text()),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Integer()),
        sa.Column("started", sa.Integer()),
        sa.Column("started_mono", sa.Integer()),
        sa.Column("ended", sa.Integer()),
        sa.Column("clean", sa.Integer()),
        sa.Column("tool_version", sa.Text()),
        sa.Column("origin", sa.Integer()),
        sa.Column("extra", sa.Text()),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer()),
        sa.Column("t_mono_ns", sa.Integer(), nullable=False),
        sa.Column("t_wall", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("image_id", sa.Integer()),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("timing", sa.Text()),
        sa.Column("before", sa.Text()),
    )
    op.create_table(
        "import_parts",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("isthing", sa.Integer(), nullable=False),
        sa.Column("supercategory", sa.Text(), nullable=False),
        sa.Column("color", sa.Text()),
        sa.Column("origin", sa.Integer(), nullable=False),
    )
    op.create_table(
        "clicks",
        sa.Column("image_id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.Text(), primary_key=True),
        sa.Column("born", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("time_ms", sa.Integer()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer()),
        sa.Column("annotator", sa.Integer()),
        sa.Column("linked", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "boxes",
        sa.Column("image_id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.Text(), primary_key=True),
        sa.Column("born", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("x0", sa.Float(), nullable=False),
        sa.Column("y0", sa.Float(), nullable=False),
        sa.Column("x1", sa.Float(), nullable=False),
        sa.Column("y1", sa.Float(), nullable=False),
        sa.Column("coords", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.Column("point_sessions", sa.LargeBinary(), nullable=False),
        sa.Column("point_annotators", sa.LargeBinary(), nullable=False),
        sa.Column("point_sources", sa.Text(), nullable=False),
        sa.Column("point_seed", sa.Integer()),
        sa.Column("sampler", sa.Text()),
        sa.Column("resample", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("time_ms", sa.Integer()),
        sa.Column("drag_ms", sa.Integer()),
        sa.Column("session", sa.Integer()),
        sa.Column("annotator", sa.Integer()),
        sa.Column("iscrowd", sa.Integer(), nullable=False),
        sa.Column("area", sa.Float()),
        sa.Column("mask", sa.Text()),
        sa.Column("extra", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "packed",
        sa.Column("image_id", sa.Integer(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("part", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "history",
        sa.Column("undone", sa.Integer(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sqlite_with_rowid=False,
    )
    for table in _JOURNAL:
        for action in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{action} before {action} on {table} "
                f"begin select raise(abort, '{table} is append-only'); end"
            )


def downgrade() -> None:
    """Nothing came before the first schema."""
    raise NotImplementedError("0001 is the first schema; there is nothing to go back to")

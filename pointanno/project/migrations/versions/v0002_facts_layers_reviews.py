"""Facts of images, layers, reviews, merged classes, image sets, and events that can be joined with those of a copy."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_COUNTERS = "state others unsure fast flags reviews later disagreements second image_set".split()
_PROTECTED = "seq, uuid, session, t_mono_ns, t_wall, kind, image_id, payload, source, timing, stamp"
"""Columns of `events` that never change; `before` is not among them, because it follows from the others."""


def upgrade() -> None:
    """Add columns and tables; the counters are filled by the rebuild that follows every migration."""
    for name in _COUNTERS:
        op.add_column("images", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in ("skipped", "pending"):
        op.add_column("images", sa.Column(name, sa.Text()))
    op.create_index("images_state", "images", ["state", "position"])
    op.create_index("images_set", "images", ["image_set", "state", "position"])
    op.add_column("annotators", sa.Column("uuid", sa.Text(), nullable=False, server_default=""))
    op.add_column("categories", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("categories", sa.Column("digit", sa.Integer()))
    for table in ("clicks", "boxes"):
        op.add_column(table, sa.Column("layer", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("clicks", sa.Column("closed", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("clicks", sa.Column("extra", sa.Text()))
    op.add_column("boxes", sa.Column("copy_of", sa.Text()))
    _new_tables()
    _stamp_events()
    _name_annotators()


def _new_tables() -> None:
    op.create_table(
        "flags",
        sa.Column("image_id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.Text(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("born", sa.Integer(), nullable=False),
        sa.Column("session", sa.Integer()),
        sa.Column("annotator", sa.Integer()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reviews",
        sa.Column("image_id", sa.Integer(), primary_key=True),
        sa.Column("uid", sa.Text(), primary_key=True),
        sa.Column("point", sa.Integer(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("original", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("time_ms", sa.Integer()),
        sa.Column("session", sa.Integer()),
        sa.Column("annotator", sa.Integer()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "category_aliases",
        sa.Column("old", sa.Integer(), primary_key=True),
        sa.Column("new", sa.Integer()),
        sa.Column("origin", sa.Integer(), nullable=False),
    )
    op.create_table(
        "image_sets",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("origin", sa.Integer(), nullable=False),
    )
    op.create_index("image_sets_name", "image_sets", ["name"], unique=True)


def _stamp_events() -> None:
    """Give every event a stamp that grows with `seq`, whatever the wall clock did.

    Two copies of one project stamp the events that they share alike.
    """
    op.execute("drop trigger events_no_update")
    op.add_column("events", sa.Column("stamp", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "update events set stamp = earlier.stamp from (select seq, max(t_wall - seq) over (order by seq) + seq as "
        "stamp from events) as earlier where events.seq = earlier.seq"
    )
    op.create_index("events_uuid", "events", ["uuid"], unique=True)
    op.execute(
        f"create trigger events_no_update before update of {_PROTECTED} on events "
        "begin select raise(abort, 'events is append-only'); end"
    )


def _name_annotators() -> None:
    """Give annotators of this project an identity; copies of it agree on that of the people they share."""
    connection = op.get_bind()
    first = connection.exec_driver_sql("select uuid from events order by seq limit 1").scalar() or ""
    for number, name in connection.exec_driver_sql("select id, name from annotators").all():
        text = f"{first}:{number}:{name}".encode()
        digest = hashlib.sha256(text).hexdigest()[:32]
        connection.exec_driver_sql("update annotators set uuid = ? where id = ?", (digest, number))


def downgrade() -> None:
    """A project that an older program could open would have to forget what it cannot know."""
    raise NotImplementedError("0002 cannot be taken back; open the copy in backups/ that was made before the upgrade")

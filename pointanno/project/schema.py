"""The tables of a project file, as SQLAlchemy Core objects.

Three kinds of tables:

journal
    `events` and `import_parts`: only ever appended to (triggers in the migration refuse anything else).
registry
    `settings`, `images` (its first columns), `sessions`, `annotators`: what the journal refers to.
projection
    `categories`, `clicks`, `boxes`, `flags`, `reviews`, ... and the counters in `images`: the current state. Written
    in the transaction of the event, and can be rebuilt from the journal alone. So can `events.before`, the inverse
    of each event.

Annotations lie in layers: `MAIN` is what is exported, `SECOND` the blind second opinion, `GOLD` known answers that
nobody sees while annotating, `REMOVED` what a review took out; see `pointanno.project.layers`.

Points are packed per box: see `pointanno.project.packing`. Columns hold numbers, text and bytes only, so that a row
means the same with or without SQLAlchemy's type layer.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

APPLICATION_ID = 0x706E746F
"""Written into the header of the file ("pnto"), so that any other SQLite file is recognised as not ours."""

SCHEMA_VERSION = 2
"""`PRAGMA user_version`: counts the migrations."""

HEAD_REVISION = "0002"
"""Name of the newest migration; kept here so that opening a project need not import Alembic."""

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

images = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("uid", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("bytes", Integer),
    Column("sha256", Text),
    Column("extra", Text),
    # from here on: projection
    Column("clicks", Integer, nullable=False, server_default="0"),
    Column("boxes", Integer, nullable=False, server_default="0"),
    Column("answers", Integer, nullable=False, server_default="0"),
    Column("next_instance", Integer, nullable=False, server_default="1"),
    Column("packed", Integer, nullable=False, server_default="0"),
    Column("complete_things", Integer),
    Column("complete_stuff", Integer),
    Column("absent", Text, nullable=False, server_default="[]"),
    Column("state", Integer, nullable=False, server_default="0"),
    Column("others", Integer, nullable=False, server_default="0"),
    Column("unsure", Integer, nullable=False, server_default="0"),
    Column("fast", Integer, nullable=False, server_default="0"),
    Column("flags", Integer, nullable=False, server_default="0"),
    Column("reviews", Integer, nullable=False, server_default="0"),
    Column("later", Integer, nullable=False, server_default="0"),
    Column("disagreements", Integer, nullable=False, server_default="0"),
    Column("second", Integer, nullable=False, server_default="0"),
    Column("image_set", Integer, nullable=False, server_default="0"),
    Column("skipped", Text),
    Column("pending", Text),
    Index("images_position", "position", unique=True),
    Index("images_file_name", "file_name", unique=True),
    Index("images_state", "state", "position"),
    Index("images_set", "image_set", "state", "position"),
)

annotators = Table(
    "annotators",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("origin", Integer),
    Column("extra", Text),
    Column("uuid", Text, nullable=False, server_default=""),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uuid", Text, nullable=False),
    Column("annotator", Integer),
    Column("started", Integer),
    Column("started_mono", Integer),
    Column("ended", Integer),
    Column("clean", Integer),
    Column("tool_version", Text),
    Column("origin", Integer),
    Column("extra", Text),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("uuid", Text, nullable=False),
    Column("session", Integer),
    Column("t_mono_ns", Integer, nullable=False),
    Column("t_wall", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("image_id", Integer),
    Column("payload", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("timing", Text),
    Column("before", Text),
    Column("stamp", Integer, nullable=False, server_default="0"),
    Index("events_uuid", "uuid", unique=True),
)

import_parts = Table(
    "import_parts",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

categories = Table(
    "categories",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("isthing", Integer, nullable=False),
    Column("supercategory", Text, nullable=False),
    Column("color", Text),
    Column("origin", Integer, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("digit", Integer),
)

clicks = Table(
    "clicks",
    metadata,
    Column("image_id", Integer, primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("born", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("category_id", Integer, nullable=False),
    Column("x", Integer, nullable=False),
    Column("y", Integer, nullable=False),
    Column("instance", Integer, nullable=False),
    Column("code", Integer, nullable=False),
    Column("time_ms", Integer),
    Column("source", Text, nullable=False),
    Column("session", Integer),
    Column("annotator", Integer),
    Column("linked", Text),
    Column("layer", Integer, nullable=False, server_default="0"),
    Column("closed", Integer, nullable=False, server_default="0"),
    Column("extra", Text),
    sqlite_with_rowid=False,
)

boxes = Table(
    "boxes",
    metadata,
    Column("image_id", Integer, primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("born", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("category_id", Integer, nullable=False),
    Column("x0", Float, nullable=False),
    Column("y0", Float, nullable=False),
    Column("x1", Float, nullable=False),
    Column("y1", Float, nullable=False),
    Column("coords", LargeBinary, nullable=False),
    Column("labels", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
    Column("point_sessions", LargeBinary, nullable=False),
    Column("point_annotators", LargeBinary, nullable=False),
    Column("point_sources", Text, nullable=False),
    Column("point_seed", Integer),
    Column("sampler", Text),
    Column("resample", Integer, nullable=False),
    Column("source", Text),
    Column("time_ms", Integer),
    Column("drag_ms", Integer),
    Column("session", Integer),
    Column("annotator", Integer),
    Column("iscrowd", Integer, nullable=False),
    Column("area", Float),
    Column("mask", Text),
    Column("extra", Text),
    Column("layer", Integer, nullable=False, server_default="0"),
    Column("copy_of", Text),
    sqlite_with_rowid=False,
)

flags = Table(
    "flags",
    metadata,
    Column("image_id", Integer, primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("born", Integer, nullable=False),
    Column("session", Integer),
    Column("annotator", Integer),
    sqlite_with_rowid=False,
)

reviews = Table(
    "reviews",
    metadata,
    Column("image_id", Integer, primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("point", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("value", Text),
    Column("original", Text),
    Column("reason", Text),
    Column("time_ms", Integer),
    Column("session", Integer),
    Column("annotator", Integer),
    sqlite_with_rowid=False,
)

category_aliases = Table(
    "category_aliases",
    metadata,
    Column("old", Integer, primary_key=True),
    Column("new", Integer),
    Column("origin", Integer, nullable=False),
)

image_sets = Table(
    "image_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("origin", Integer, nullable=False),
    Index("image_sets_name", "name", unique=True),
)

packed = Table(
    "packed",
    metadata,
    Column("image_id", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("part", Integer, nullable=False),
    sqlite_with_rowid=False,
)

history = Table(
    "history",
    metadata,
    Column("undone", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

PROJECTION = (categories, clicks, boxes, packed, history, flags, reviews, category_aliases, image_sets)
"""Tables that `rebuild` empties and refills; the counters of `images` are reset beside them."""

IMAGE_STATE = (
    {
        str(column.name): None if column.server_default is None else int(column.server_default.arg)  # type: ignore[attr-defined]
        for column in list(images.columns)[9:]
        if column.name != "absent"
    }
    | {"absent": "[]"}
)
"""Columns of `images` that are projection, with what they hold in an image that nobody has touched."""

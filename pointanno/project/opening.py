"""What happens before a project can be used: find it, make sure it is whole, say what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, insert, select, update

from pointanno.errors import InputError
from pointanno.project.layers import MAIN
from pointanno.project.lock import WriterLock
from pointanno.project.schema import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    boxes,
    clicks,
    events,
    images,
    packed,
    sessions,
    settings,
)
from pointanno.project.store import Store, is_damage, newest_backup, sentence
from pointanno.project.upgrade import upgrade

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".pointanno"
DATABASE = "project.db"
_MAGIC = b"SQLite format 3\0"
_CHECKED_EVENTS = 200
_SEARCHED_EVENTS = 100_000

_SET = insert(settings).prefix_with("or replace")
_LAST_EVENT = select(events.c.t_wall).order_by(events.c.seq.desc()).limit(1)
_NEWEST = select(events.c.seq).order_by(events.c.seq.desc()).limit(1)
_LAST_IMAGE = select(events.c.image_id).where(events.c.image_id.is_not(None)).order_by(events.c.seq.desc()).limit(1)
_LAST_MODE = (
    select(events.c.payload)
    .where(events.c.kind == "mode_set", events.c.seq > bindparam("k_seq"))
    .order_by(events.c.seq.desc())
    .limit(1)
)
_IMAGE_PLACE = select(images.c.position, images.c.file_name).where(images.c.id == bindparam("k_id"))
_COUNT_IMAGES = select(func.count()).select_from(images)
_OPEN_SESSIONS = select(sessions.c.id).where(sessions.c.ended.is_(None), sessions.c.origin.is_(None))
_CLOSE_SESSIONS = (
    update(sessions)
    .where(sessions.c.ended.is_(None), sessions.c.origin.is_(None))
    .values(ended=bindparam("v_ended"), clean=0)
)
_RECENT = select(events.c.image_id).where(events.c.image_id.is_not(None), events.c.seq > bindparam("k_seq")).distinct()
_COUNTERS = select(images.c.clicks, images.c.boxes, images.c.packed).where(images.c.id == bindparam("k_id"))
_COUNTS = {
    table.name: select(func.count()).select_from(table).where(table.c.image_id == bindparam("k_id"), *conditions)
    for table, conditions in (
        (clicks, (clicks.c.layer == MAIN,)),
        (boxes, (boxes.c.layer == MAIN,)),
        (packed, ()),
    )
}


def project_folder(path: Path, *, new: bool = False) -> Path:
    """The folder that a person means: the suffix may be missing, and the file inside may be named."""
    path = Path(path)
    if path.name == DATABASE and not new:
        path = path.parent
    if path.suffix == SUFFIX or (path.is_dir() and not new and (path / DATABASE).exists()):
        return path
    return path.with_name(path.name + SUFFIX)


def check_file(folder: Path) -> Path:
    """The database of an existing project.

    Raises
    ------
    InputError
        If there is none, or the file is no database at all.
    """
    file = folder / DATABASE
    if not folder.exists():
        raise InputError(f"{folder}: there is no such project. Create it with `pointanno new` or check the path")
    if not file.is_file():
        raise InputError(f"{folder}: this is not a project, because {DATABASE} is missing. Choose a {SUFFIX} folder")
    try:
        with file.open("rb") as stream:
            head = stream.read(len(_MAGIC))
    except OSError as error:
        raise sentence(error, file) from error
    if head != _MAGIC:
        what = "is empty" if not head else "is not a database"
        raise InputError(f"{file}: the file {what}, so the project is damaged or not one. {newest_backup(folder)}")
    return file


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be saved."""
    if not os.access(folder, os.W_OK) or not os.access(folder / DATABASE, os.W_OK):
        raise InputError(
            f"{folder}: the project is read-only for you, so nothing can be saved in it. "
            "Change the permissions of its folder or copy the project to a place of your own"
        )


def check_schema(store: Store, folder: Path) -> bool:
    """Whether the file needs migrations.

    Raises
    ------
    InputError
        If the file is of another program, of a newer version of this one, or damaged.
    """
    if store.pragma("application_id") != APPLICATION_ID:
        raise InputError(f"{store.file}: this is a database of another program. Choose a {SUFFIX} folder")
    version = store.pragma("user_version")
    revision = _revision(store)
    is_known = revision is None or revision in {f"{number:04d}" for number in range(1, SCHEMA_VERSION + 1)}
    if version > SCHEMA_VERSION or not is_known:
        found = version if version > SCHEMA_VERSION else revision
        raise InputError(
            f"{folder}: the project was saved by a newer version (format {found}, this program knows "
            f"{SCHEMA_VERSION}). Update pointanno; the project was not touched"
        )
    return bool(version < SCHEMA_VERSION)


def _revision(store: Store) -> str | None:
    """The migration that Alembic noted last, None in a file that has seen none."""
    with store.guarded():
        if store.raw.execute("select 1 from sqlite_master where name = 'alembic_version'").fetchone() is None:
            return None
        row = store.raw.execute("select version_num from alembic_version").fetchone()
    return None if row is None else str(row[0])


def check_integrity(store: Store, folder: Path) -> None:
    """Refuse a file whose pages contradict each other."""
    try:
        found = store.raw.execute("pragma quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        if not is_damage(error):
            raise sentence(error, store.file) from error
        found = str(error)
    if found != "ok":
        what = " ".join(found.split())
        raise InputError(f"{store.file}: the file is damaged ({what}). {newest_backup(folder)}")


def is_consistent(store: Store, last_seq: int) -> bool:
    """Whether the counters of the images edited last agree with their annotations."""
    for (image_id,) in store.rows(_RECENT, k_seq=last_seq - _CHECKED_EVENTS):
        image = store.first(_COUNTERS, k_id=image_id)
        if image is None:
            return False
        counts = {name: (store.first(query, k_id=image_id) or [0])[0] for name, query in _COUNTS.items()}
        if image["packed"] != counts["packed"]:
            return False
        if not image["packed"] and (image["clicks"], image["boxes"]) != (counts["clicks"], counts["boxes"]):
            return False
    return True


def last_image_id(store: Store) -> int | None:
    """The image of the last event that concerns one."""
    row = store.first(_LAST_IMAGE)
    return None if row is None else int(row[0])


def last_mode(store: Store) -> str | None:
    """The way of annotating that was chosen last, None if nobody did in the newest events."""
    newest = store.first(_NEWEST)
    row = store.first(_LAST_MODE, k_seq=int(newest[0]) - _SEARCHED_EVENTS) if newest is not None else None
    return None if row is None else orjson.loads(row[0]).get("mode")


def recover(store: Store) -> str:
    """Close sessions that ended without saying so; the sentence about it, "" if there was none."""
    if not store.rows(_OPEN_SESSIONS):
        return ""
    last = store.first(_LAST_EVENT)
    wall = 0 if last is None else int(last[0])
    with store.transaction():
        store.execute(_CLOSE_SESSIONS, v_ended=wall)
    text = f"recovered: last event {datetime.fromtimestamp(wall / 1e9).astimezone():%H:%M:%S}"
    image_id = last_image_id(store)
    place = None if image_id is None else store.first(_IMAGE_PLACE, k_id=image_id)
    if place is not None:
        total = (store.first(_COUNT_IMAGES) or [0])[0]
        text += f", image {place['position'] + 1} of {total} ({place['file_name']})"
    return text


def make_file(folder: Path, image_rows: list[dict[str, Any]], values: Mapping[str, Any]) -> tuple[Store, WriterLock]:
    """A new project folder with its database, images and settings, locked for writing.

    Raises
    ------
    InputError
        If it cannot be written; then no folder is left behind.
    """
    store: Store | None = None
    lock = WriterLock(folder)
    try:
        folder.mkdir(parents=True)
        lock.acquire()
        store = Store(folder / DATABASE, writable=True, create=True)
        upgrade(store)
        with store.transaction():
            store.execute_many(insert(images), image_rows)
            set_settings(store, values)
        return store, lock
    except BaseException as error:
        if store is not None:
            store.close()
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, (sqlite3.DatabaseError, OSError)):
            raise sentence(error, folder) from error
        raise


def open_file(folder: Path, *, writable: bool) -> tuple[Store, WriterLock | None, bool]:
    """The database of an existing project, checked and brought to the present schema, locked if `writable`.

    The third of what it returns says whether the schema was an older one: what follows from the events must then be
    made again. A copy of the older file lies in ``backups`` before anything is changed. Who only reads works on a
    copy in memory; the file stays as it is.

    Raises
    ------
    InputError
        See `Project.open`; then nothing is held any more.
    """
    file = check_file(folder)
    lock: WriterLock | None = None
    store: Store | None = None
    try:
        if writable:
            check_writable(folder)
            lock = WriterLock(folder)
            lock.acquire()
        store = Store(file, writable=writable)
        outdated = check_schema(store, folder)
        check_integrity(store, folder)
        if outdated and writable:
            keep_before_upgrade(store, folder)
        elif outdated:
            store.move_to_memory()
        if outdated:
            upgrade(store)
        return store, lock, outdated
    except BaseException as error:
        if store is not None:
            store.close()
        if lock is not None:
            lock.release()
        if isinstance(error, (sqlite3.DatabaseError, OSError)):
            raise sentence(error, file) from error
        raise


def keep_before_upgrade(store: Store, folder: Path) -> Path:
    """A copy of the file in its older schema; daily copies never replace it.

    Raises
    ------
    InputError
        If it cannot be made; then nothing must be changed either.
    """
    target = folder / "backups" / f"before-format-{SCHEMA_VERSION}.db"
    if target.exists():
        return target
    partial = target.with_suffix(".partial")
    try:
        target.parent.mkdir(exist_ok=True)
        with contextlib.closing(sqlite3.connect(partial)) as copy:
            store.raw.backup(copy)
            copy.execute("pragma journal_mode=delete")
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise sentence(error, target) from error
    return target


def set_settings(store: Store, values: Mapping[str, Any]) -> None:
    """Write settings; inside of a transaction."""
    for key, value in values.items():
        store.execute(_SET, key=key, value=orjson.dumps(value).decode())

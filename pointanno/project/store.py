"""The SQLite file: how it is opened, written durably, and what its errors mean to a person."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from pointanno.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.sql import ClauseElement

NETWORK_FILE_SYSTEMS = frozenset(
    "nfs nfs3 nfs4 cifs smb smb2 smb3 smbfs afs afpfs ncpfs 9p fuse.sshfs sshfs davfs fuse.davfs fuse.rclone "
    "webdav glusterfs fuse.glusterfs ceph fuse.ceph lustre gpfs beegfs vboxsf prl_fs vmhgfs fuse.vmhgfs-fuse".split()
)
"""File systems on which WAL is not safe, because its index is memory shared between processes of one machine."""

_LEAST_ROOM = 2**16
"""Bytes; the index of the write-ahead log has half of it."""

AnyRow = Mapping[str, Any] | sqlite3.Row
"""A row of a table, wherever it comes from."""

_DIALECT = sqlite.dialect(paramstyle="named")


def is_network_drive(folder: Path) -> bool:
    """Whether a folder lies on a drive of another machine."""
    text = str(folder.resolve())
    if text.startswith("\\\\"):
        return True
    best, kind, options = "", "", ""
    for partition in psutil.disk_partitions(all=True):
        mount = partition.mountpoint
        if len(mount) >= len(best) and (text == mount or text.startswith(mount.rstrip("/\\") + os.sep)):
            best, kind, options = mount, partition.fstype.lower(), partition.opts
    return kind in NETWORK_FILE_SYSTEMS or "remote" in options.split(",")


def _name(error: BaseException) -> str:
    """Name of SQLite's error code, "" for other errors."""
    return str(getattr(error, "sqlite_errorname", None) or "")


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that there is no room left."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or _name(error) == "SQLITE_FULL" or "disk is full" in str(error)


def _has_no_room(folder: Path) -> bool:
    """Whether a disk is so full that SQLite cannot even make its index, which it reports as a broken disk."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def is_damage(error: BaseException) -> bool:
    """Whether an error means that the bytes of the file make no sense."""
    return _name(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "malformed" in str(error)


def newest_backup(folder: Path) -> str:
    """What to do about a damaged file, with the name of the backup to use."""
    backups = sorted((folder / "backups").glob("project-*.db"))
    if not backups:
        return "There is no backup in backups/ yet: keep the file and ask for help with `sqlite3 project.db .recover`"
    return f"Keep it aside and put a copy of backups/{backups[-1].name} in its place"


def sentence(error: BaseException, file: Path) -> InputError:
    """The one sentence for an error of the database or of the disk below it."""
    if is_disk_full(error) or (_name(error).startswith("SQLITE_IOERR") and _has_no_room(file.parent)):
        return InputError(
            f"{file}: the disk is full, so the last step was not saved; everything before it is. "
            "Free some space and repeat the step"
        )
    if is_damage(error):
        return InputError(f"{file}: the file is damaged ({error}). {newest_backup(file.parent)}")
    name = _name(error)
    if name.startswith("SQLITE_READONLY") or getattr(error, "errno", None) in (errno.EROFS, errno.EACCES, errno.EPERM):
        return InputError(
            f"{file}: the project is read-only for you, so nothing can be saved in it. "
            "Change the permissions of its folder or copy the project to a place of your own"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return InputError(f"{file}: another program is writing to this file. Close it there and try again")
    return InputError(f"{file}: reading or writing failed ({error}). Nothing that was saved is lost; try again")


class Store:
    """One connection to a project file; safe to use from several threads, one at a time.

    Statements are SQLAlchemy Core, compiled once each and then run on the driver itself: one answer costs four
    statements, and the layers of an engine would cost more time than the disk does.
    """

    def __init__(self, file: Path, *, writable: bool, create: bool = False) -> None:
        self.file = file
        self.writable = writable
        self.in_memory = False
        self.network = is_network_drive(file.parent)
        self.lock = threading.RLock()
        self._compiled: dict[ClauseElement, tuple[str, dict[str, Any]]] = {}
        mode = "rwc" if create else "rw" if writable else "ro"
        if not writable and not os.access(file.parent, os.W_OK) and not self._has_log():
            mode += "&immutable=1"  # a reader of a WAL file wants to create its index beside it
        self.raw = sqlite3.connect(
            f"file:{quote(str(file))}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5.0,
        )
        self.raw.row_factory = sqlite3.Row
        try:
            self._configure()
            self._identity = self._look()
        except BaseException:
            self.raw.close()
            raise

    def move_to_memory(self) -> None:
        """Go on with a copy in memory, which may be changed while `in_memory` is set; the file stays as it is."""
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        memory.row_factory = sqlite3.Row
        self.raw.backup(memory)
        self.raw.close()
        self.raw = memory
        self.in_memory = True

    def _look(self) -> tuple[int, int] | None:
        """Which file lies under the name now, None if there is none."""
        try:
            status = self.file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _check_present(self) -> None:
        """Refuse to write into a file without a name: its space is gone when the window closes."""
        if self._look() != self._identity:
            raise InputError(
                f"{self.file}: the project file was deleted, moved or replaced while it is open, so the last step "
                "was not saved. Put it back, or close the project and open it where it is now"
            )

    def _has_log(self) -> bool:
        """Whether a write-ahead log waits beside the file."""
        log = self.file.with_name(self.file.name + "-wal")
        return log.exists() and log.stat().st_size > 0

    def _configure(self) -> None:
        """Set what decides whether an acknowledged event survives a loss of power."""
        with self.guarded():
            if self.writable:
                self.raw.execute(f"pragma journal_mode={'delete' if self.network else 'wal'}").fetchone()
            self.raw.execute("pragma synchronous=full")
            self.raw.execute("pragma foreign_keys=off")
            self.raw.execute("pragma temp_store=memory")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn errors of the database and the disk into one sentence."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.InterfaceError):
            raise  # mistakes of ours must stay visible as such
        except (sqlite3.Error, OSError) as error:
            raise sentence(error, self.file) from error

    def pragma(self, name: str) -> Any:
        """First value that a pragma answers."""
        with self.lock, self.guarded():
            row = self.raw.execute(f"pragma {name}").fetchone()
        return None if row is None else row[0]

    def execute(self, statement: ClauseElement, /, **parameters: Any) -> sqlite3.Cursor:
        """Run one statement; inside of `transaction` or for reading."""
        sql, defaults = self._sql(statement)
        return self.raw.execute(sql, {**defaults, **parameters})

    def execute_text(self, sql: str) -> None:
        """Run one statement that has no parameters, such as a savepoint."""
        self.raw.execute(sql)

    def execute_many(self, statement: ClauseElement, rows: list[dict[str, Any]]) -> None:
        """Run one statement for each row."""
        sql, defaults = self._sql(statement)
        self.raw.executemany(sql, [{**defaults, **row} for row in rows] if defaults else rows)

    def rows(self, statement: ClauseElement, /, **parameters: Any) -> list[sqlite3.Row]:
        """Everything that a query answers."""
        with self.lock, self.guarded():
            return self.execute(statement, **parameters).fetchall()

    def first(self, statement: ClauseElement, /, **parameters: Any) -> sqlite3.Row | None:
        """The first row that a query answers, None without one."""
        with self.lock, self.guarded():
            row: sqlite3.Row | None = self.execute(statement, **parameters).fetchone()
        return row

    def _sql(self, statement: ClauseElement) -> tuple[str, Mapping[str, Any]]:
        """Text of a statement and the values that are part of it."""
        found = self._compiled.get(statement)
        if found is None:
            compiled = statement.compile(dialect=_DIALECT)
            assert isinstance(compiled, SQLCompiler)
            defaults = {key: value for key, value in compiled.params.items() if not compiled.binds[key].required}
            found = self._compiled[statement] = (str(compiled), defaults)
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on leaving, what was written has reached the disk.

        Raises
        ------
        InputError
            If it could not be written. Then nothing of it was, and the project can be used on.
        """
        with self.lock:
            if not (self.writable or self.in_memory):
                raise InputError(
                    f"{self.file}: the project was opened for reading only. Open it for writing to change it"
                )
            self._check_present()
            with self.guarded():
                self.raw.execute("begin immediate")
                try:
                    yield
                    self.raw.execute("commit")
                except BaseException:
                    if self.raw.in_transaction:  # SQLite itself ends some failed transactions
                        self.raw.execute("rollback")
                    raise

    def fold(self) -> None:
        """Fold the write-ahead log into the file, so that the file alone is the project."""
        with self.lock, self.guarded():
            self.raw.execute("pragma journal_mode=delete").fetchone()

    def close(self) -> None:
        """Close the connection; the last one folds the write-ahead log into the file."""
        with self.lock:
            self.raw.close()

"""Daily copies of the project file, the last seven of them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEPT = 7
REFRESHED_BYTES = 64 * 2**20
_PAGES = 4000  # 16 MB a step: short enough to stop soon, long enough to finish between two answers


class DailyBackup:
    """Copies the project file once a day, in the background, and again when a session ends.

    The copy is a consistent state as of one transaction (SQLite's online backup), written to a temporary name,
    synced and renamed. A failed copy never disturbs the work: it is tried again at the next occasion.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._folder = file.parent / "backups"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._day: date | None = None
        self.problem = ""
        """Why the last copy failed, "" if it did not."""

    def start_if_due(self, today: Callable[[], date] = date.today) -> bool:
        """Begin today's copy if there is none yet and none is being made."""
        day = today()
        if day == self._day or (self._thread is not None and self._thread.is_alive()):
            return False
        self._day = day
        target = self._folder / f"project-{day:%Y%m%d}.db"
        if target.exists():
            return False
        self._thread = threading.Thread(target=self._copy, args=(target,), name="pointanno-backup", daemon=True)
        self._thread.start()
        return True

    def begin_tomorrow(self, today: Callable[[], date] = date.today) -> None:
        """Make no copy today: a project that was made just now has nothing to lose."""
        self._day = today()

    def refresh(self, today: Callable[[], date] = date.today) -> None:
        """Bring today's copy up to date before closing, unless the file is so large that one would notice."""
        self.stop()
        self._stop.clear()
        if self._file.exists() and self._file.stat().st_size <= REFRESHED_BYTES:
            self._copy(self._folder / f"project-{today():%Y%m%d}.db")

    def wait(self) -> None:
        """Wait for the copy that is being made."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Give up the copy that is being made."""
        self._stop.set()
        self.wait()

    def _copy(self, target: Path) -> None:
        partial = target.with_suffix(".partial")
        try:
            self._folder.mkdir(exist_ok=True)
            source_uri = f"file:{quote(str(self._file))}?mode=ro"
            with (
                contextlib.closing(sqlite3.connect(source_uri, uri=True)) as source,
                contextlib.closing(sqlite3.connect(partial)) as copy,
            ):
                copy.execute("pragma synchronous=off")  # synced once, below
                source.backup(copy, pages=_PAGES, progress=self._check, sleep=0.01)
                copy.execute("pragma journal_mode=delete")
            descriptor = os.open(partial, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            partial.replace(target)
            for old in sorted(self._folder.glob("project-*.db"))[:-KEPT]:
                old.unlink()
            self.problem = ""
        except (_Stopped, OSError, sqlite3.Error) as error:
            self.problem = str(error)
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _check(self, status: int, remaining: int, total: int) -> None:
        if self._stop.is_set():
            raise _Stopped("stopped, because the project was closed")


class _Stopped(Exception):
    """The project is being closed."""

"""One writer at a time.

The lock is held by the operating system and ends with the process, however that ends. Who holds it is written to a
file beside it, only so that the refusal can say so.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from datetime import datetime
from typing import TYPE_CHECKING

import orjson
from filelock import FileLock, Timeout

from pointanno.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


class WriterLock:
    """The right to write to a project folder.

    Parameters
    ----------
    folder : path of the project

    Raises
    ------
    InputError
        On `acquire`, if somebody else holds it: who, where and since when.
    """

    def __init__(self, folder: Path) -> None:
        # a project may be opened in one thread and closed in another
        self._lock = FileLock(folder / "project.lock", timeout=0, thread_local=False)
        self._owner_file = folder / "project.lock.json"
        self._folder = folder

    def acquire(self) -> None:
        """Take the lock or say who has it."""
        try:
            self._lock.acquire()
        except Timeout:
            raise InputError(
                f"{self._folder}: the project is open for writing elsewhere: {self.owner()}. "
                "Close it there, or work on a copy of the project"
            ) from None
        owner = {
            "user": _user(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with contextlib.suppress(OSError):  # a full disk must not keep anybody out: this file only words a refusal
            self._owner_file.write_bytes(orjson.dumps(owner))

    def owner(self) -> str:
        """Who holds the lock, as far as is known."""
        try:
            owner = orjson.loads(self._owner_file.read_bytes())
            return f"user {owner['user']}, process {owner['pid']} on {owner['host']}, since {owner['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "by another process"

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._owner_file.unlink(missing_ok=True)
            self._lock.release()


def _user() -> str:
    """Name of the account; containers may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(getattr(os, "getuid", lambda: "unknown")())

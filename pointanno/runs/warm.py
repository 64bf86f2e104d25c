"""A worker that is started early: it has imported torch and waits to be told its run folder."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pointanno.runs.folder import RunFolder

_CLOSING_S = 2.0


class WarmWorker:
    """Keeps at most one worker waiting; it ends with this process unless it was given a run.

    A worker that waits costs about half a gigabyte of memory and no time; one that was given a run is like any
    other: it has its own session, low priority, its output in ``log.txt``, and survives this process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        """Start one, unless one waits already; returns at once."""
        from pointanno.runs.launch import worker_process

        if self.pid is not None:
            return
        self.close()  # what is left of one that died
        self._ready = threading.Event()
        process = worker_process(["--wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._process = process
        thread = threading.Thread(
            target=_listen, args=(process, self._ready), name="pointanno warm worker", daemon=True
        )
        thread.start()

    @property
    def pid(self) -> int | None:
        """The process that waits, None if there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def is_ready(self) -> bool:
        """Whether everything is imported."""
        return self._ready.is_set() and self.pid is not None

    def give(self, run: RunFolder) -> subprocess.Popen[bytes] | None:
        """Tell the worker its run, also while it is still importing; None if there is no worker to tell."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin is not None
        is_told = False
        with contextlib.suppress(OSError):  # it died just now
            if process.poll() is None:
                process.stdin.write(orjson.dumps({"run": str(run.path)}) + b"\n")
                process.stdin.flush()
                is_told = True
        _close(process)
        return process if is_told else None

    def close(self) -> None:
        """End a worker that waits; one that was given a run goes on."""
        process, self._process = self._process, None
        if process is None:
            return
        _close(process)
        process.terminate()
        try:
            process.wait(_CLOSING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _close(process: subprocess.Popen[bytes]) -> None:
    """Close our end of the input; what could not be written to a dead process does not matter."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _listen(process: subprocess.Popen[bytes], ready: threading.Event) -> None:
    """Wait for the word that everything is imported; the pipe closes when the worker turns to its run."""
    assert process.stdout is not None
    with process.stdout as words:
        for line in words:
            if line.strip() == b"ready":
                ready.set()

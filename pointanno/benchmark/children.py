"""Commands of ``pointanno`` in child processes: they can be stopped, and what they say goes to a log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_LOOK_S = 0.2
_PATIENCE_S = 120.0
"""How long a child may take to end after it was asked to: a step, a checkpoint."""


class Stop:
    """Whether the benchmark is to stop, as every thread can see."""

    def __init__(self) -> None:
        self.is_asked = False
        self.is_urgent = False
        """Children are killed instead of waited for."""


class Stopped(Exception):
    """The whole benchmark is to stop; not an error."""


def run_child(
    words: Sequence[str],
    log: Path,
    stop: Stop,
    *,
    on_stop: Callable[[], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Run a command with ``--json`` and return its answer.

    Parameters
    ----------
    words : list of str
        Words after ``pointanno``.
    log : Path
        File to which the command and what it says on standard error are appended.
    stop : Stop
        When asked, the child is asked to end, and is waited for.
    on_stop : function, optional
        How to ask it; by default it is terminated.
    on_wait : function, optional
        Called a few times a second while it runs.

    Raises
    ------
    InputError
        If the command fails, with its own sentence.
    Stopped
        If `stop` was asked for.
    """
    if stop.is_asked:
        raise Stopped
    with log.open("ab") as said:
        said.write(("\n$ pointanno " + " ".join(words) + "\n").encode())
        said.flush()
        began = said.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "pointanno", *words, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            **_own_group(),
        )
    try:
        answer = _wait(process, stop, on_stop or process.terminate, on_wait)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    if stop.is_asked and process.returncode != 0:
        raise Stopped
    if process.returncode != 0:
        raise InputError(f"{_last_sentence(log, began)} (`pointanno {words[0]}`; its words are in {log})")
    try:
        result = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise InputError(f"{log}: `pointanno {words[0]}` gave no answer; what it said is in that file") from None
    return dict(result)


def _wait(
    process: subprocess.Popen[bytes],
    stop: Stop,
    ask: Callable[[], None],
    on_wait: Callable[[], None] | None,
) -> bytes:
    """What the child printed, once it has ended."""
    asked: float | None = None
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)[0]
        except subprocess.TimeoutExpired:
            pass
        if on_wait is not None and asked is None:
            on_wait()
        if stop.is_asked and asked is None:
            asked = time.monotonic()
            ask()
        if stop.is_urgent or (asked is not None and time.monotonic() - asked > _PATIENCE_S):
            process.kill()


def _own_group() -> dict[str, Any]:
    """Ctrl-C in the terminal reaches this process only, which then asks its children once."""
    if os.name == "nt":
        return {"creationflags": 0x00000200}  # CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


def _last_sentence(log: Path, offset: int) -> str:
    """The last line that a child wrote after `offset`, without the name of the program."""
    with log.open("rb") as file:
        file.seek(offset)
        text = file.read().decode(errors="replace")
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1].removeprefix("pointanno: ").rstrip(".") if lines else "it ended without a word"

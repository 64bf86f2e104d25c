"""``events.jsonl``: what a training tells the world, one JSON object a line, append-only.

Kinds: hello, stage, step, val, sample, checkpoint, warn, error, end, resume. A line of kind ``resume``
names stage and step from which training goes on; earlier lines beyond it are void.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Event = dict[str, Any]

_VOIDABLE = frozenset({"stage", "step", "val", "sample", "checkpoint"})


_NEEDED = {"stage": ("stage",), "step": ("stage", "step"), "val": ("stage", "step")}
"""Fields without which a line of such a kind says nothing."""


class EventWriter:
    """Appends lines and flushes each, so that a reader never waits and a crash loses none.

    A full disk must not end a training: a line that cannot be written is dropped with a word on standard
    error, and the next one starts on a line of its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # a worker that was killed while writing may have left half a line
        self._torn = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
        self._complained = False

    def write(self, kind: str, **fields: Any) -> Event:
        """Append one line and return it."""
        event: Event = {"kind": kind, "time": round(time.time(), 3), **fields}
        line = orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"
        try:
            # unbuffered: one write call a line, and nothing is left to flush at exit
            with self._path.open("ab", buffering=0) as file:
                content = b"\n" + line if self._torn else line
                self._torn = file.write(content) != len(content)
        except OSError as error:
            self._torn = True
            if not self._complained:
                self._complained = True
                print(
                    f"{self._path}: {error.strerror}; training goes on, but its events are not recorded",
                    file=sys.stderr,
                    flush=True,
                )
        return event


class EventReader:
    """Reads what was appended since the last call; half a line is left for the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._line = 0
        self._rest = b""
        self._events: list[Event] = []

    def read(self) -> list[Event]:
        """All events so far, without the void ones; each carries its line number as ``line``."""
        try:
            size = self._path.stat().st_size
        except OSError:
            return list(self._events)
        if size < self._offset:  # replaced by another file: start over
            self._offset, self._line, self._rest, self._events = 0, 0, b"", []
        if size > self._offset:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
            self._offset += len(content)
            *lines, self._rest = (self._rest + content).split(b"\n")
            for line in lines:
                self._line += 1
                self._take(line)
        return list(self._events)

    def _take(self, line: bytes) -> None:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:  # torn by a crash or a full disk
            return
        if not isinstance(event, dict) or not isinstance(event.get("kind"), str) or not _has_numbers(event):
            return
        if any(event.get(name) is None for name in _NEEDED.get(event["kind"], ())):
            return
        if event["kind"] == "val" and "value" not in event:  # null in those that decide nothing
            return
        if event.get("time") is None:
            event["time"] = 0.0
        event["line"] = self._line
        if event["kind"] == "resume":
            self._events = without_void(self._events, event)
        self._events.append(event)


def _has_numbers(event: Event) -> bool:
    """Whether the fields that are counted with are numbers: a folder that was edited must stay readable."""
    for name, kinds in (("time", (int, float)), ("step", int), ("steps", int), ("value", (int, float))):
        if event.get(name) is not None and not isinstance(event[name], kinds):
            return False
    return True


def without_void(events: Sequence[Event], resume: Event) -> list[Event]:
    """Events that are still true after a `resume` line: nothing beyond its stage and step."""
    order: dict[str, int] = {}
    for event in events:
        if event["kind"] == "hello":
            order = {name: index for index, name in enumerate(event.get("stages", ()))}
    here = (order.get(resume.get("stage", ""), 0), int(resume.get("step", 0)))

    def is_void(event: Event) -> bool:
        if event["kind"] not in _VOIDABLE:
            return False
        stage = order.get(event.get("stage", ""), 0)
        # the line that opens a stage belongs before its first step
        return (stage, int(event.get("step", 0))) > here

    return [event for event in events if not is_void(event)]

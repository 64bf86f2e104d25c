"""What is answered is on the disk before the next question is put on the screen: shown by the system calls.

    python tests/benchmarks/trace_sync.py [--answers 20]

Needs strace besides what real input needs. A real window runs under strace and is given real keys. It writes a line
into a pipe before each frame is put together, so these lines and the calls of SQLite stand in one list, in the order
in which the kernel took them. For every answer there must be, between the last frame of the old question and the
first of the new one, a write to the journal of the project and after it a sync of that file that has returned.
Prints a table; ends with status 1 if one is missing.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench_window_scene import small_project  # type: ignore[import-not-found]
from real_window import Display, Fingers, Window, need  # type: ignore[import-not-found]

CALLS = "write,pwrite64,fsync,fdatasync"
_LINE = re.compile(r"^(?P<pid>\d+) +(?P<at>[\d.]+) (?P<rest>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<fd>\d+)<(?P<file>[^>]*)>(?P<rest>.*)$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
_QUESTION = re.compile(
    r'\\"what\\": \\"compose\\", \\"state\\": \[\d+, \\"box_points\\", \[\\"(?P<uid>\w+)\\", (?P<index>\d+)\]'
)


@dataclass(frozen=True)
class Call:
    """A system call that has returned."""

    at: float
    """When it began, seconds."""
    returned: float
    name: str
    file: str
    text: str


@dataclass
class Answer:
    """What happened between two questions, in the order of the trace."""

    question: tuple[str, int]
    calls: list[Call] = field(default_factory=list)
    shown_at: float = 0.0

    def durable_at(self) -> tuple[float, float] | None:
        """When the first write to the journal began and when the sync after it had returned; None without them."""
        writes = [call for call in self.calls if call.name == "pwrite64" and call.file.endswith((".db-wal", ".db"))]
        if not writes:
            return None
        for call in self.calls:
            if call.name in ("fsync", "fdatasync") and call.file == writes[0].file and call.at >= writes[0].returned:
                return writes[0].at, call.returned
        return None


def calls(trace: Path) -> Iterator[Call]:
    """System calls in the order in which they returned."""
    begun: dict[tuple[str, str], tuple[float, str, str]] = {}
    for line in trace.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        pid, at, rest = found["pid"], float(found["at"]), found["rest"]
        resumed, call = _RESUMED.match(rest), _CALL.match(rest)
        if resumed is not None and (pid, resumed["name"]) in begun:
            since, file, text = begun.pop((pid, resumed["name"]))
            yield Call(since, at, resumed["name"], file, text + resumed["rest"])
        elif call is not None and rest.endswith("<unfinished ...>"):
            begun[pid, call["name"]] = (at, call["file"], rest)
        elif call is not None and (took := re.search(r"<([\d.]+)>$", rest)) is not None:
            yield Call(at, at + float(took[1]), call["name"], call["file"], rest)


def answers(trace: Path) -> list[Answer]:
    """The answers of a trace; the first frames, before any question, are left out."""
    made: list[Answer] = []
    asked: tuple[str, int] | None = None
    between: list[Call] = []
    for call in calls(trace):
        found = _QUESTION.search(call.text) if call.name == "write" else None
        if found is None:
            between.append(call)
            continue
        question = (found["uid"], int(found["index"]))
        if question != asked and asked is not None:
            made.append(Answer(asked, between, call.at))
        if question != asked or not made:
            asked, between = question, []
        else:
            between = []  # the same question again: nothing was answered since
    return made


def run(folder: Path, count: int) -> Path:
    """A window under strace, so many answers by real keys; the trace."""
    project = small_project(folder, 0, count + 10)
    path = project.path
    project.close()
    trace = folder / "trace.txt"
    before = ["strace", "-f", "-y", "-ttt", "-T", "-s", "200", "-e", f"trace={CALLS}", "-o", str(trace)]
    with Display(folder) as display:
        window = Window(display, path, folder / "window.log", before)
        fingers = Fingers(display.name)
        try:
            window.wait_until_ready()
            window.ask("announce", "announced")
            if window.state[1] != "box_points":
                fingers.key("w")
                window.until(lambda line: line["what"] == "swap" and line["state"][2] is not None)
                window.rest()
            window.say("redraw")  # the trace begins with a frame of the first question
            window.until(lambda line: line["what"] == "compose" and line["state"][2] is not None)
            window.rest()
            for _ in range(count):
                before_key = window.state
                fingers.key("f")
                window.until(lambda line, old=before_key: line["what"] == "swap" and line["state"] != old)
                window.rest()
        finally:
            fingers.close()
            window.close()
    return trace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="copy the trace here")
    options = parser.parse_args()
    need("strace")
    with tempfile.TemporaryDirectory() as name:
        trace = run(Path(name), options.answers)
        if options.keep is not None:
            options.keep.write_bytes(trace.read_bytes())
        made = answers(trace)
    durable = [(answer, answer.durable_at()) for answer in made]
    early = [(answer, times) for answer, times in durable if times is not None and times[1] < answer.shown_at]
    if early:
        write = statistics.median((times[1] - times[0]) * 1e3 for _, times in early)
        wait = [(answer.shown_at - times[1]) * 1e3 for answer, times in early]
        print("| answers | synced before the next question | write to synced, median | synced to frame, shortest |")
        print("| --- | --- | --- | --- |")
        print(f"| {len(made)} | {len(early)} | {write:.2f} ms | {min(wait):.2f} ms |")
    if len(made) < options.answers or len(early) < len(made):
        print(
            f"{options.answers} keys, {len(made)} answers in the trace, {len(made) - len(early)} without a sync before"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()

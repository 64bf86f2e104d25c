"""What was acknowledged is on the disk, whatever happens to the process."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from pointanno.project import Project

ENDLESS = """
import sys, uuid
from pointanno.project import Project

project = Project.open(sys.argv[1])
box = uuid.uuid4().hex
project.record("box", {"uid": box, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1]]}, image_id=2)
count = int(sys.argv[2])
while count:
    kind = count % 3
    if kind == 0:
        event = project.record("click", {"uid": uuid.uuid4().hex, "category_id": 1, "x": 1, "y": 1}, image_id=2)
    elif kind == 1:
        event = project.record("answer", {"uid": box, "point": 0, "value": "object"}, image_id=2)
    else:
        event = project.record("point_shown", {"uid": box}, image_id=2)
    sys.stdout.write(event.uuid + "\\n")
    sys.stdout.flush()
    count -= 1
"""


def start(project: Path, count: int, *before: str) -> subprocess.Popen[str]:
    command = [*before, sys.executable, "-c", ENDLESS, str(project), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("seed", range(4))
def test_kill_9_loses_nothing_that_was_acknowledged(project: Project, seed: int) -> None:
    project.close()
    child = start(project.path, -1)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().strip()]
    time.sleep(random.Random(seed).uniform(0.0, 0.25))
    child.send_signal(signal.SIGKILL)
    acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL

    with Project.open(project.path) as opened:
        there = {event.uuid for event in opened.events()}
        assert len(acknowledged) >= 1 and set(acknowledged) <= there
        assert re.fullmatch(r"recovered: last event \d\d:\d\d:\d\d, image 2 of 3 \(a2\.png\)", opened.recovered)
        assert opened.last_image_id == 2 and not opened.repaired
        state = opened.projection_hash()
        opened.rebuild()
        assert opened.projection_hash() == state
        opened.record("pause", {})
    with Project.open(project.path) as opened:
        assert opened.recovered == ""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows the order of sync and acknowledgement")
def test_a_sync_comes_before_every_acknowledgement(project: Project, tmp_path: Path) -> None:
    project.close()
    log = tmp_path / "calls.txt"
    child = start(project.path, 6, "strace", "-f", "-e", "trace=write,fdatasync,fsync", "-o", str(log))
    assert child.stdout is not None
    acknowledged = child.stdout.read().split()
    child.stdout.close()
    if child.wait() != 0 and not log.exists():
        pytest.skip("strace may not trace here")
    synced, seen = False, 0
    for line in log.read_text().splitlines():
        if re.search(r"\bf(data)?sync\(", line):
            synced = True
        elif re.search(r'write\(1, "[0-9a-f]{32}', line):
            assert synced, "an event was acknowledged without a sync since the one before"
            synced, seen = False, seen + 1
    assert seen == len(acknowledged) == 6


def test_journal_can_only_grow(project: Project) -> None:
    project.record("pause", {})
    project.close()
    with closing(sqlite3.connect(project.path / "project.db", isolation_level=None)) as raw:
        for statement in ("update events set kind = 'x'", "delete from events", "delete from import_parts"):
            if "parts" in statement:
                raw.execute("insert into import_parts values (99, 0, x'00')")
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_undo_is_an_event_that_names_another(project: Project) -> None:
    done = project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=2)
    assert project.undo(t_mono_ns=99) == done
    assert project.redo() == done
    undo, redo = list(project.events(after_seq=done.seq))
    assert (undo.kind, undo.image_id, undo.t_mono_ns) == ("undo", 2, 99)
    assert undo.payload == redo.payload == {"uuid": done.uuid, "seq": done.seq, "kind": "click"}
    assert redo.kind == "redo"


def test_undo_and_redo_carry_the_stamp_of_their_key(project: Project) -> None:
    image = project.images()[0].id
    project.record("complete", {"things": True, "stuff": False}, image_id=image)
    project.undo(t_mono_ns=5, timing={"qt_ms": 7})
    project.redo(t_mono_ns=8, timing={"qt_ms": 10})
    project.undo()
    turned = [(event.t_mono_ns, event.timing) for event in project.events() if event.kind in ("undo", "redo")]
    assert turned[:2] == [(5, {"qt_ms": 7}), (8, {"qt_ms": 10})] and turned[2][1] is None


def test_500_undo_and_500_redo(project: Project) -> None:
    for number in range(500):
        payload = {"uid": f"{number:032x}", "category_id": 1 + number % 3, "x": number % 60, "y": number % 40}
        project.record("click", payload, image_id=1 + number % 3)
    state = project.projection_hash()
    assert sum(project.undo() is not None for _ in range(500)) == 500
    assert not project.can_undo
    assert sum(project.redo() is not None for _ in range(500)) == 500
    assert project.projection_hash() == state


def test_events_are_read_page_by_page(project: Project) -> None:
    for _ in range(5):
        project.record("pause", {})
    everything = list(project._journal.events(page=2))
    assert [event.seq for event in everything] == list(range(1, project._journal.last_seq + 1))
    assert everything == list(project.events())


def test_several_threads_may_record(project: Project) -> None:
    def work(name: str) -> list[str]:
        payloads = ({"uid": f"{name}{number:031x}", "category_id": 1, "x": 1, "y": 1} for number in range(20))
        return [project.record("click", payload, image_id=1).uuid for payload in payloads]

    with ThreadPoolExecutor(4) as pool:
        uuids = [one for part in pool.map(work, "abcd") for one in part]
    clicks = project.annotations(1).clicks
    assert len(clicks) == project.image(1).clicks == 80
    assert sorted(one.instance for one in clicks) == list(range(1, 81))
    events = list(project.events())
    assert [one.seq for one in events] == list(range(1, len(events) + 1)) and set(uuids) <= {one.uuid for one in events}

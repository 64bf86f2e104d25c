"""A session without a window that does everything, says what is safe, and is killed at any moment.

As a script: ``python crash_script.py PROJECT SEED`` works until it is killed and prints the uuid of every event after
it was acknowledged. ``python crash_script.py --kills 200`` makes a project, kills that many sessions and reports.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image as Picture

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.protocols import BoxPoints, Mask, MultiPoint

HEIGHT, WIDTH = 40, 60


def session(path: Path, seed: int) -> None:
    """Work through the protocols for ever."""
    draw = random.Random(seed)
    with Project.open(path) as project:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            try:
                following = steps(project, draw)
            except InputError:
                continue  # the person tried what does not go just now
            for kind, payload, image_id in following:
                event = project.record(kind, payload, image_id=image_id)
                sys.stdout.write(f"{event.uuid}\n")
                sys.stdout.flush()
            if draw.random() < 0.3:
                project.undo()
            if draw.random() < 0.2:
                project.redo()


def steps(project: Project, draw: random.Random) -> list[tuple[str, dict[str, object], int]]:
    """The next few events on some image."""
    image = draw.choice(project.images())
    found = project.annotations(image.id)
    size = (image.height, image.width)
    category = draw.choice([one for one in project.categories() if one.isthing])
    x, y = draw.randrange(WIDTH), draw.randrange(HEIGHT)
    what = draw.randrange(6)
    if what == 0:
        made = MultiPoint(3).press(found, category, x, y, size, prefer=None)
    elif what == 1:
        made = [BoxPoints(4, draw="extreme").extreme_click(found, category.id, x, y, image.uid, size)]
    elif what == 2 and found.boxes and any(box.next_point is not None for box in found.boxes):
        made = [BoxPoints(4, draw="none").answer(found, draw.choice(["object", "background", "unsure"]))]
    elif what == 3:
        made = [Mask(exclusive=False).brush(found, category.id, [(x, y), (x + 5, y + 3)], 3.0, size)]
    elif what == 4:
        made = [("flag", {"flagged": draw.random() < 0.6, "reason": "odd"})]
    else:
        made = [
            ("complete", {"things": draw.random() < 0.5, "stuff": True}),
            ("point_shown", {"uid": uuid.uuid4().hex}),
        ]
    return [(kind, payload, image.id) for kind, payload in made]


def kill_one(path: Path, seed: int) -> set[str]:
    """Start a session, kill it at a random moment of its work; what it had acknowledged."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return _kill_process(path, seed)
    reading, writing = os.pipe()
    child = os.fork()  # a new interpreter would need seconds to start, two hundred times
    if child == 0:
        os.close(reading)
        os.dup2(writing, 1)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        try:
            session(path, seed)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as stream:
        acknowledged = _wait_and_kill(stream, child, seed)
    os.waitpid(child, 0)
    return acknowledged


def _kill_process(path: Path, seed: int) -> set[str]:
    """The same with an interpreter of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, __file__, str(path), str(seed)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    acknowledged = _wait_and_kill(child.stdout, child.pid, seed)
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL, "the session ended by itself"
    return acknowledged


def _wait_and_kill(stream: IO[str], child: int, seed: int) -> set[str]:
    """Let a session acknowledge some events, kill it in the middle of the next step; all that it acknowledged."""
    draw = random.Random(seed)
    lines = [stream.readline() for _ in range(1 + draw.randrange(12))]
    assert all(lines), "the session ended by itself"
    time.sleep(draw.uniform(0.0, 0.02))
    os.kill(child, signal.SIGKILL)
    lines += list(stream)
    return {line.strip() for line in lines if line.endswith("\n")} - {"ready"}


def check(path: Path, acknowledged: set[str]) -> str:
    """What is wrong after a kill, "" if nothing is."""
    with Project.open(path) as project:
        lost = acknowledged - {event.uuid for event in project.events()}
        if lost:
            return f"{len(lost)} acknowledged events are lost"
        if project.repaired:
            return "the current state contradicted the events"
        state = project.projection_hash()
        project.rebuild()
        return "" if project.projection_hash() == state else "the tables are not what the events say"


def make_project(folder: Path) -> Path:
    """Three pictures, three classes."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for number in range(3):
        Picture.fromarray(np.full((HEIGHT, WIDTH), number, dtype=np.uint8)).save(pictures / f"a{number}.png")
    categories = (Category(1, "cell", True), Category(2, "debris", True), Category(3, "ground", False))
    with Project.create(folder / "killed", images=pictures, categories=categories) as project:
        return project.path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path, nargs="?")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    if options.project is not None:
        session(options.project, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        path, total, problems = make_project(Path(folder)), 0, []
        for seed in range(options.kills):
            acknowledged = kill_one(path, seed)
            total += len(acknowledged)
            problem = check(path, acknowledged)
            if problem:
                problems.append(f"kill {seed}: {problem}")
        print(f"{options.kills} kills, {total} acknowledged events, {len(problems)} problems")
        print("\n".join(problems))
        raise SystemExit(bool(problems))


if __name__ == "__main__":
    main()

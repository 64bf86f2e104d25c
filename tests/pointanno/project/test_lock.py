"""One writer at a time; a crash leaves no lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.project import Project

HOLD = """
import sys, time
from pointanno.project import Project
project = Project.open(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


def test_second_writer_is_told_who_has_it(project: Project) -> None:
    with pytest.raises(InputError) as refused:
        Project.open(project.path)
    text = str(refused.value)
    assert "open for writing elsewhere" in text and f"process {os.getpid()} on " in text and "since 20" in text
    project.record("pause", {})  # the refusal did not disturb the first
    project.close()
    with Project.open(project.path):
        pass


def test_a_project_opened_in_one_thread_is_given_back_in_another(project: Project) -> None:
    """As the window does: it opens beside the person's work and closes where the person closes."""
    project.close()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            opened = pool.submit(Project.open, project.path).result()
            with pytest.raises(InputError, match="open for writing elsewhere"):
                Project.open(project.path)
            opened.close()
    assert not (project.path / "project.lock.json").exists()


def test_killed_writer_leaves_no_lock(project: Project) -> None:
    project.close()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(project.path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None and child.stdout.readline() == "open\n"
    with pytest.raises(InputError, match=f"process {child.pid} on"):
        Project.open(project.path)
    with Project.open(project.path, writable=False) as reader:
        assert reader.image_count() == 3
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Project.open(project.path) as opened:
        assert opened.recovered == "", "it had written nothing"


def test_unreadable_owner_file_still_gives_a_sentence(project: Project) -> None:
    (project.path / "project.lock.json").write_bytes(b"{")
    with pytest.raises(InputError, match="open for writing elsewhere"):
        Project.open(project.path)

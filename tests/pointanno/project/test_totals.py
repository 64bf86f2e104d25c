"""The counts that are kept agree with counting, whatever happens to the images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.layers import STATES


def counted(project: Project) -> dict[str, int]:
    """What `counts` must say, image by image."""
    images = project.images()
    states = Counter(image.state for image in images)
    return {
        "images": len(images),
        **{name: states[name] for name in STATES},
        **{name: sum(getattr(image, name) for image in images) for name in ("clicks", "boxes", "answers")},
        **{name: sum(getattr(image, name) > 0 for image in images) for name in ("unsure", "fast", "later")},
        "flagged": sum(image.flags > 0 for image in images),
        "disagreement": sum(image.disagreements > 0 for image in images),
        "second_pass": sum(image.second_pass is not None for image in images),
    }


def test_counts_follow_every_kind_of_event(project: Project, person: Any, every_kind: list[str]) -> None:
    assert project.counts() == counted(project)
    someone = person(project, 7, every_kind)
    seen = set()
    for _ in range(150):
        seen.add(someone.act())
        assert project.counts() == counted(project)
    assert len(seen) > 20, "most kinds of events took part"
    while project.undo() is not None:
        assert project.counts() == counted(project)
    for _ in range(40):
        project.redo()
    assert project.counts() == counted(project)
    project.rebuild()
    assert project.counts() == counted(project)


def test_what_is_rolled_back_is_not_counted(project: Project) -> None:
    project.counts()
    with pytest.raises(InputError):
        project.record("click", {"uid": "a" * 32, "category_id": 99, "x": 1, "y": 1}, image_id=1)
    with pytest.raises(RuntimeError), project.store.transaction():
        project.store.execute_text("update images set clicks = 5, state = 1")
        assert project.counts()["clicks"] == 15
        raise RuntimeError
    assert project.counts() == counted(project)


def test_a_first_count_within_a_transaction_that_fails(project: Project) -> None:
    with pytest.raises(RuntimeError), project.store.transaction():
        assert project.counts()["images"] == 3
        raise RuntimeError
    project.record("flag", {"flagged": True}, image_id=1)
    assert project.counts()["flagged"] == 1


def test_a_reader_sees_what_somebody_else_writes(project: Project) -> None:
    with Project.open(project.path, writable=False) as reader:
        assert reader.counts()["flagged"] == 0
        project.record("flag", {"flagged": True}, image_id=1)
        assert reader.counts() == counted(project)


def test_nothing_of_it_lies_in_the_file(project: Project, tmp_path: Path) -> None:
    project.counts()
    project.record("flag", {"flagged": True}, image_id=1)
    with Project.open(project.path, writable=False) as reader:
        names = {row[0] for row in reader.store.raw.execute("select name from sqlite_master")}
    assert not any(name.startswith("image_totals") for name in names)

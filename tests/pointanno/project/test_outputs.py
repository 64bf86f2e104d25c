"""No command writes its result over the journal of a project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.cli.main import main
from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.outputs import check_output


@pytest.fixture
def project(tmp_path: Path) -> Path:
    pictures = tmp_path / "images"
    pictures.mkdir()
    Picture.fromarray(np.zeros((8, 8), np.uint8)).save(pictures / "a.png")
    with Project.create(tmp_path / "p", images=pictures, categories=[Category(1, "cell", True)]) as made:
        return made.path


@pytest.mark.parametrize(
    "words",
    [
        ["export"],
        ["export", "--format", "csv"],
        ["study"],
        ["study-plan", "--conditions", "mask", "--participants", "2"],
        ["budget"],
    ],
)
def test_the_journal_stays(project: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    journal = project / "project.db"
    with pytest.raises(SystemExit) as stop:
        main([words[0], str(project), *words[1:], "-o", str(journal)])
    assert stop.value.code == 2 and "belongs to a project" in capsys.readouterr().err
    assert journal.read_bytes().startswith(b"SQLite format 3")
    with Project.open(project, writable=False) as opened:
        assert not [event for event in opened.events() if event.kind == "study_plan"]


@pytest.mark.parametrize(
    "words", [["simulate", "gt.json", "--protocol", "mask"], ["predict", "run", "--images", "pictures"]]
)
def test_commands_without_a_project_look_first(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*words, "-o", str(project / "project.db")])
    assert stop.value.code == 2 and "belongs to a project" in capsys.readouterr().err


def test_other_files_are_free(project: Path, tmp_path: Path) -> None:
    check_output(project / "points.json")
    check_output(tmp_path / "project.db")
    for name in ("project.db-wal", "project.lock", "backups/any.db"):
        with pytest.raises(InputError, match="belongs to a project"):
            check_output(project / name)
    (tmp_path / "link.json").symlink_to(project / "project.db")
    with pytest.raises(InputError, match="belongs to a project"):
        check_output(tmp_path / "link.json")

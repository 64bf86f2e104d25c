"""From a project to a run folder, in this process and in a child."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.runs import RunFolder, TrainArguments
from pointanno.runs import preparation as module
from pointanno.runs.preparation import Request, prepare, prepare_in_child


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Open for writing, as it is in the window: three pictures, a box with one answer on each."""
    images = tmp_path / "images"
    images.mkdir()
    for name in "abc":
        Picture.fromarray(np.zeros((20, 30), dtype=np.uint8)).save(images / f"{name}.png")
    with Project.create(tmp_path / "set", images=images, categories=[Category(1, "cell", True)]) as made:
        for index, image in enumerate(made.images()):
            uid = f"{index:032x}"
            box = {"uid": uid, "category_id": 1, "box": [2, 2, 12, 12], "point_coords": [[3, 3]]}
            made.record("box", box, image_id=image.id)
            made.record("answer", {"uid": uid, "point": 0, "value": "object"}, image_id=image.id)
        yield made


@pytest.fixture
def request_(project: Project) -> Request:
    arguments = TrainArguments(data=Path(), images=project.images_folder, seed=4)
    return Request(arguments, project.runs_folder, project.path)


def test_a_run_of_the_annotations_of_now(project: Project, request_: Request) -> None:
    prepared = prepare_in_child(request_)
    assert not prepared.has_errors and prepared.run is not None
    run = RunFolder(prepared.run)
    assert run.path.parent == project.runs_folder
    assert run.arguments().seed == 4
    data = json.loads(run.data_file.read_text())
    assert len(data["annotations"]) == 3
    environment = run.environment()["data"]
    counted = project.images()
    assert environment["boxes"] == sum(image.boxes for image in counted) == 3
    assert environment["clicks"] == sum(image.clicks for image in counted) == 0
    assert [path.name for path in project.runs_folder.iterdir()] == [run.name], "no snapshot is left"


def test_a_warning_waits_for_a_word(project: Project, request_: Request) -> None:
    project.add_category("fibre", isthing=True)
    prepared = prepare(request_)
    assert [one.level for one in prepared.findings if one.subject == "classes"] == ["warning"]
    assert prepared.run is None and not list(project.runs_folder.iterdir())
    assert prepare(replace(request_, create="always")).run is not None
    assert prepare(replace(request_, create="never")).run is None


def test_an_error_makes_no_run(project: Project, request_: Request) -> None:
    for path in project.images_folder.iterdir():
        path.unlink()
    prepared = prepare(replace(request_, create="always"))
    assert prepared.has_errors and prepared.run is None
    assert "3 pictures are missing" in prepared.findings[0].sentence


def test_a_process_that_dies_is_a_sentence(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_to_json", lambda request: {"arguments": 1})
    with pytest.raises(InputError, match="ended unexpectedly: .*Error"):
        prepare_in_child(request_)


def test_torch_stays_away() -> None:
    code = "import sys, pointanno.runs.preparation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from napari_pointanno._controllers import projects
from pointanno.errors import InputError


def test_a_project_lies_beside_its_images(tmp_path: Path) -> None:
    assert projects.default_project(tmp_path / "cells") == tmp_path / "cells.pointanno"
    (tmp_path / "set").mkdir()
    assert projects.default_project(tmp_path / "set" / "images") == tmp_path / "set" / "set.pointanno"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_sends_it_home(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert projects.default_project(tmp_path / "cells") == Path.home() / "pointanno" / "cells.pointanno"


def test_from_a_folder(images_folder: Path, tmp_path: Path) -> None:
    with projects.create_project(str(images_folder), str(tmp_path / "p")) as project:
        assert project.image_count() == 3
        assert project.path == tmp_path / "p.pointanno"


def test_from_a_coco_file(images_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    file.write_text(
        json.dumps(
            {
                "images": [{"id": 4, "file_name": "a.png", "height": 60, "width": 80}],
                "categories": [{"id": 7, "name": "cell"}],
                "annotations": [
                    {"id": 1, "image_id": 4, "category_id": 7, "bbox": [5, 5, 20, 20], "area": 400, "iscrowd": 0,
                     "segmentation": [[5, 5, 25, 5, 25, 25, 5, 25]]},
                ],
            }
        )
    )  # fmt: skip
    with projects.create_project(str(file), "") as project:
        assert [category.name for category in project.categories()] == ["cell"]
        assert project.images()[0].boxes == 1


@pytest.mark.parametrize("name", ["nothing", "a.txt"])
def test_neither_folder_nor_json(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=name):
        projects.create_project(str(tmp_path / name), "")


def test_a_place_that_cannot_be_made(images_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="choose a place of your own"):
        projects.create_project(str(images_folder), str(tmp_path / "file" / "deeper" / "p"))


def test_open_needs_a_path() -> None:
    with pytest.raises(InputError, match="no path"):
        projects.open_project("")


def test_the_demo_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "DEMO_SCENES", 2)
    monkeypatch.setattr(projects, "DEMO_SIZE", 64)
    with projects.demo_project(tmp_path) as project:
        assert project.image_count() == 2
        assert {category.isthing for category in project.categories()} == {True, False}
        project.record("complete", {"things": True, "stuff": True}, image_id=project.images()[0].id)
    with projects.demo_project(tmp_path) as project:
        assert project.images()[0].complete_things

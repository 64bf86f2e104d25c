"""The main job in one go: its parts, and the whole of it as a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image as PillowImage
from pycocotools.coco import COCO

from pointanno import demo as job
from pointanno.dataset import Instance
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.formats.rle import rle_to_mask
from pointanno.formats.validate import has_errors, validate_file
from pointanno.project import Project
from pointanno.scenes import write_scenes


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 6, 64, seed=2)


def test_simulated_annotator_answers_the_truth_through_the_journal(scenes: Path, tmp_path: Path) -> None:
    demo = job.prepare(scenes, tmp_path / "out")
    assert len(demo.train_names) == 5 and len(demo.test_names) == 1
    with job.make_project(demo) as project:
        count = job.annotate(demo, project, lambda _done, _all: None)
        kinds = [event.kind for event in project.events()]
        files = job.export(demo, project)
    assert kinds.count("answer") + kinds.count("click") == count > 50
    points = read_dataset(files[0])
    truth: dict[str, list[Instance]] = {}
    names = {image.id: image.file_name for image in read_dataset(scenes / "panoptic.json").images}
    for instance in read_dataset(scenes / "panoptic.json").instances:
        truth.setdefault(names[instance.image_id], []).append(instance)
    by_id = {image.id: image.file_name for image in points.images}
    for instance in points.instances:
        [match] = [
            other
            for other in truth[by_id[instance.image_id]]
            if other.box.xyxy == instance.box.xyxy and other.category_id == instance.category_id
        ]
        assert match.mask is not None
        mask = rle_to_mask(match.mask.rle)
        x, y = instance.points.coords.T
        assert (mask[y, x] == (instance.points.labels == 1)).all()
    assert points.targets  # one click for each region of stuff
    assert not any(by_id[instance.image_id] in demo.test_names for instance in points.instances)
    for file in files:
        assert not has_errors(validate_file(file, images=scenes / "images", strict=file != files[0]))
        assert len(COCO(str(file)).anns) == len(points.instances)


def test_pictures_without_truth_make_an_empty_project(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    PillowImage.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "mine" / "a.png")
    demo = job.prepare(tmp_path / "mine", tmp_path / "out")
    assert demo.truth is None
    with job.make_project(demo) as project:
        assert project.image_count() == 1
        assert job.export(demo, project) == [demo.exports / "points.json"]


def test_folders_in_use_and_folders_without_pictures_are_refused(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists and is not empty; name another folder by --out"):
        job.prepare(None, scenes)
    with pytest.raises(InputError, match="there is no such folder; --data takes a folder with pictures"):
        job.prepare(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder holds no picture"):
        job.prepare(tmp_path / "empty", tmp_path / "out2")


@pytest.mark.slow
def test_the_whole_demo_without_a_window(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    options = ["--no-window", "--out", str(tmp_path / "d"), "--steps", "12", "--json"]
    command = [sys.executable, "-m", "pointanno", "demo", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = orjson.loads(done.stdout)
    assert 0 <= result["ap"] <= 1
    assert all(Path(picture).is_file() for picture in result["pictures"])
    with Project.open(result["project"], writable=False) as project:
        assert project.dataset().instances
    assert "training" in done.stderr

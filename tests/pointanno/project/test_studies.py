"""The plan of a study in a project, and how far everybody is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointanno.dataset import Box, Category, Instance, PointDataset, Points
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.studies import Place, Progress, complete_plan, image_ids, progress_of, store_plan, stored_plan
from pointanno.protocols.study_plan import StudyPlan, parse_condition, parse_plan


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(8):
        Image.fromarray(np.full((20, 30), number, np.uint8)).save(folder / f"{number}.png")
    return Project.create(tmp_path / "p", images=folder, categories=[Category(1, "cell", True)])


def values(*conditions: str, **more: object) -> dict[str, object]:
    names = conditions or ("single_point", "box_points:10")
    return {"conditions": [parse_condition(one) for one in names], "participants": 2, **more}


def small_plan() -> StudyPlan:
    return parse_plan(values(images=["0.png", "1.png", "2.png", "3.png"], practice=["4.png", "5.png"]))


def click(number: int) -> dict[str, object]:
    return {"uid": f"{number:032x}", "category_id": 1, "x": number, "y": 3}


def test_the_last_plan_counts_and_stays_in_copies(project: Project, tmp_path: Path) -> None:
    assert stored_plan(project) is None
    stored = store_plan(project, small_plan())
    assert store_plan(project, small_plan()) == stored, "the same plan is not written twice"
    other = parse_plan(small_plan().as_payload() | {"seed": 9})
    newer = store_plan(project, other)
    assert stored_plan(project) == newer and newer.plan.seed == 9
    project.close()
    shutil.copytree(project.path, tmp_path / "copy.pointanno")
    with Project.open(tmp_path / "copy.pointanno", writable=False) as copy:
        assert stored_plan(copy) == newer
        assert not copy.can_undo, "a plan is not undone by a slip of the hand"


def test_a_plan_that_has_begun_is_kept(project: Project) -> None:
    stored = store_plan(project, small_plan())
    project.record("study_start", {"plan": stored.uuid, "participant": 1, "annotator": "anon-1"})
    other = parse_plan(small_plan().as_payload() | {"seed": 9})
    with pytest.raises(InputError, match="1 people have begun|--replace"):
        store_plan(project, other)
    assert store_plan(project, other, replace_begun=True).plan.seed == 9


def test_images_must_be_there(project: Project) -> None:
    plan = parse_plan(small_plan().as_payload() | {"images": ["0.png", "x.png", "y.png"]})
    with pytest.raises(InputError, match=r"no image 'x\.png' and 1 more"):
        store_plan(project, plan)
    assert set(image_ids(project, small_plan())) == {f"{number}.png" for number in range(6)}


def test_images_are_chosen_by_the_seed(project: Project) -> None:
    first = complete_plan(project, values(seed=3), per_block=2, practice_per_block=1)
    assert (len(first.images), len(first.practice)) == (4, 2) and not set(first.images) & set(first.practice)
    assert complete_plan(project, values(seed=3), per_block=2, practice_per_block=1) == first
    assert complete_plan(project, values(seed=4), per_block=2, practice_per_block=1) != first
    assert len(complete_plan(project, values()).images) == 8
    with pytest.raises(InputError, match="blocks of 5 images need 10"):
        complete_plan(project, values(), per_block=5)
    with pytest.raises(InputError, match="expected 10 to practise on"):
        complete_plan(project, values(), practice_per_block=5)
    with pytest.raises(InputError, match="they are named"):
        complete_plan(project, values(images=["0.png", "1.png"]), per_block=1)


def test_known_answers_are_spread(project: Project) -> None:
    images = project.dataset().images[:3]
    points = Points.answered(np.array([[3, 3]]), np.array([1]), source="imported")
    instances = tuple(Instance(n, image.id, 1, Box(1, 1, 6, 6), points) for n, image in enumerate(images, 1))
    project.import_dataset(PointDataset(images, tuple(project.categories()), instances), layer="gold")
    known = {image.file_name for image in images}
    plan = complete_plan(project, values(), per_block=2, gold_share=0.5)
    assert len(plan.images) == 4 and set(plan.gold) == set(plan.images) & known and len(plan.gold) == 2
    assert [len(set(block.images) & known) for block in plan.schedule(1).blocks] == [1, 1]
    assert set(complete_plan(project, values(), practice_per_block=1).practice) <= known, "they tell what is right"
    with pytest.raises(InputError, match="4 images with known answers are wanted, the project has 3"):
        complete_plan(project, values(), per_block=4, gold_share=0.5)
    with pytest.raises(InputError, match="8 images without known answers"):
        complete_plan(project, values(), per_block=4, gold_share=0.0)


def test_progress_follows_the_journal(project: Project) -> None:
    plan = small_plan()
    stored = store_plan(project, plan)
    schedule, ids = plan.schedule(1), image_ids(project, plan)
    block = schedule.blocks[0]
    start = {"plan": stored.uuid, "participant": 1, "annotator": project.annotator}

    def progress() -> Progress:
        found, few = Progress(stored.uuid), progress_of(project, stored.uuid)
        found.take(project.events())
        assert (few.parts, few.people) == (found.parts, found.people), "all that bears upon it was read"
        return few

    def begin(practice: bool) -> None:
        project.record("block_start", {"block": 0, "practice": practice, "condition": "x", "mode": "single_point"})

    project.record("click", click(1), image_id=ids[block.images[0]])
    project.record("study_start", start)
    step = progress().next_step(schedule, ids)
    assert step is not None and (step.block, step.practice, step.image_id) == (0, True, ids[block.practice[0]])
    begin(True)
    project.record("complete", {"things": True, "stuff": True}, image_id=ids[block.practice[0]])
    begin(False)
    here = Place(1, 0)
    made = project.record("click", click(2), image_id=ids[block.images[0]])
    assert progress().next_step(schedule, ids) == progress().next_step(schedule, ids)
    seen = progress().only_own(project.annotations(ids[block.images[0]]), here)
    assert [one.uid for one in seen.clicks] == [f"{2:032x}"], "the click from before the study is not to be seen"
    assert progress().owns(made, here)
    assert not any(progress().owns(event, here) for event in project.events() if event.seq < made.seq)
    project.record("complete", {"things": True, "stuff": True}, image_id=ids[block.images[0]])
    step = progress().next_step(schedule, ids)
    assert step is not None and (step.image_id, step.number, step.total) == (ids[block.images[1]], 1, 2)
    project.undo()
    step = progress().next_step(schedule, ids)
    assert step is not None and step.number == 0, "it is not done any more"
    project.redo()
    project.record("study_end", {"reason": "left"})
    project.record("complete", {"things": True, "stuff": True}, image_id=ids[block.images[1]])
    step = progress().next_step(schedule, ids)
    assert step is not None and step.number == 1, "what is done outside of the study is not done in it"
    assert progress().people == {1: project.annotator} and progress().finished_images(schedule) == 1
    assert progress().next_step(plan.schedule(2), ids) is not None
    other = Progress("another plan")
    other.take(project.events())
    assert other.people == {} and other.parts == {}


def test_an_unreadable_image_is_passed_by(project: Project) -> None:
    plan = parse_plan(values("mask", images=["0.png"]))
    stored = store_plan(project, plan)
    project.record("study_start", {"plan": stored.uuid, "participant": 1, "annotator": "a"})
    project.record("block_start", {"block": 0, "practice": False})
    project.record("skip", {"reason": "unreadable"}, image_id=1)
    progress = Progress(stored.uuid)
    progress.take(project.events())
    assert progress.next_step(plan.schedule(1), image_ids(project, plan)) is None

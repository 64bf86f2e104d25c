"""The entrance to a project, from making it to moving its pictures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project import Project


def test_create_gives_images_and_classes(project: Project, pictures: Path) -> None:
    assert project.path.name == "street.pointanno"
    assert [(one.id, one.file_name, one.image_size) for one in project.images()] == [
        (1, "a1.png", (40, 60)),
        (2, "a2.png", (40, 60)),
        (3, "a3.png", (40, 60)),
    ]
    assert project.image(2).path == pictures / "a2.png" and project.image(2).path.is_file()
    assert len(project.image(2).sha256 or "") == 64
    assert [(one.id, one.name, one.isthing) for one in project.categories()] == [
        (1, "cell", True),
        (2, "debris", True),
        (3, "ground", False),
    ]
    assert all(one.color is not None for one in project.categories())
    assert project.settings["points_per_box"] == 4 and project.settings["seed"] == 0
    assert not project.can_undo and project.undo() is None, "the classes of the beginning are not a step"
    assert (project.recovered, project.skipped, project.last_image_id) == ("", [], None)


def test_pages(project: Project) -> None:
    assert [one.id for one in project.images(start=1)] == [2, 3]
    assert [one.id for one in project.images(start=1, count=1)] == [2]
    assert project.images(start=3) == [] and project.images(count=0) == []
    assert project.image_count() == 3


def test_unreadable_pictures_are_listed_and_the_rest_goes_on(tmp_path: Path, pictures: Path) -> None:
    whole = (pictures / "a2.png").read_bytes()
    (pictures / "a2.png").write_bytes(whole[:20])
    (pictures / "b.png").write_bytes(b"")
    with Project.create(tmp_path / "p", images=pictures) as project:
        assert [one.file_name for one in project.images()] == ["a1.png", "a3.png"]
        assert len(project.skipped) == 2
        assert "a2.png" in project.skipped[0] and "b.png" in project.skipped[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"images": "nowhere"}, "nowhere: the folder of the images is missing"),
        ({"points_per_box": 0}, "points_per_box: expected at least 1"),
        ({"coco": "empty.json"}, "empty.json"),
        ({"categories": (Category(1, "a", True), Category(1, "b", True))}, "already has a category 1"),
    ],
)
def test_a_failed_creation_leaves_nothing(
    tmp_path: Path, pictures: Path, arguments: dict[str, Any], words: str
) -> None:
    (tmp_path / "empty.json").write_bytes(b"")
    for name in ("images", "coco"):
        if name in arguments:
            arguments = {**arguments, name: tmp_path / arguments[name]}
    with pytest.raises(InputError) as refused:
        Project.create(tmp_path / "p", **{"images": pictures, **arguments})
    assert words in str(refused.value)
    assert not (tmp_path / "p.pointanno").exists()


def test_only_unreadable_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="none of the 1 pictures can be used"):
        Project.create(tmp_path / "p", images=folder)


def test_an_existing_folder_is_never_written_over(project: Project, pictures: Path) -> None:
    with pytest.raises(InputError, match="this already exists"):
        Project.create(project.path, images=pictures)


def test_state_survives_closing(project: Project, person: Any) -> None:
    someone = person(project, 3)
    for _ in range(20):
        someone.act()
    project.undo()
    state, last = project.projection_hash(), project.last_image_id
    project.close()
    project.close()
    with Project.open(project.path) as again:
        assert again.projection_hash() == state
        assert again.recovered == "", "an orderly end needs no recovery"
        assert again.last_image_id == last
        assert again.can_redo and again.redo() is not None
        assert again.undo() is not None
        assert again.projection_hash() == state


def test_undo_goes_back_through_earlier_sessions(project: Project) -> None:
    empty = project.projection_hash()
    for number, image_id in enumerate((1, 2, 3), 1):
        with_session = project if number == 1 else Project.open(project.path)
        payload = {"uid": str(number) * 32, "category_id": 1, "x": 1, "y": 1}
        with_session.record("click", payload, image_id=image_id)
        with_session.close()
    with Project.open(project.path) as again:
        undone = [again.undo() for _ in range(3)]
        assert [one.image_id for one in undone if one is not None] == [3, 2, 1]
        assert len({one.session for one in undone if one is not None}) == 3
        assert again.projection_hash() == empty


def test_a_new_step_ends_redoing(project: Project) -> None:
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.undo()
    assert project.can_redo
    project.record("focus_lost", {})
    assert project.can_redo, "raw timing events are no steps"
    project.record("click", {"uid": "b" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    assert not project.can_redo and project.redo() is None
    project.undo()
    assert project.annotations(1).clicks == ()


def test_events_carry_what_was_given(project: Project) -> None:
    event = project.record(
        "point_shown", {"uid": "a" * 32, "zoom": 2.5}, image_id=2, t_mono_ns=12345, timing={"qt_ms": 7}
    )
    stored = list(project.events(after_seq=event.seq - 1))
    assert stored == [event]
    assert (event.t_mono_ns, event.image_id, event.source, event.timing) == (12345, 2, "manual", {"qt_ms": 7})
    assert len(event.uuid) == 32 and event.payload["zoom"] == 2.5


def test_classes_can_be_added_changed_and_taken_back(project: Project) -> None:
    added = project.add_category("road", isthing=False, color=(1, 2, 3))
    assert (added.id, added.isthing, added.color) == (4, False, (1, 2, 3))
    changed = project.change_category(4, name="street", isthing=True)
    assert (changed.name, changed.isthing, changed.color) == ("street", True, (1, 2, 3))
    project.undo()
    assert project.categories()[-1] == added
    project.undo()
    assert len(project.categories()) == 3
    with pytest.raises(InputError, match="already has a class 'cell'"):
        project.add_category("cell", isthing=True)


def test_moved_images(project: Project, pictures: Path, tmp_path: Path) -> None:
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.close()
    moved = tmp_path / "elsewhere"
    pictures.rename(moved)
    (moved / "a3.png").unlink()
    Picture.new("L", (60, 40), 255).save(moved / "a2.png", compress_level=0)

    with Project.open(project.path) as opened:
        assert "the folder of the images is missing; the annotations are all there" in opened.skipped[0]
        assert len(opened.annotations(1).clicks) == 1
        with pytest.raises(InputError, match="no such folder"):
            opened.relocate(tmp_path / "nowhere")
        with pytest.raises(InputError, match=r"none of the 3 images .* expected for example a1\.png"):
            opened.relocate(tmp_path / "street.pointanno")
        problems = opened.relocate(moved)
        assert "a2.png: the picture has another size" in problems[0]
        assert "a3.png: the picture is missing; its annotations are kept" in problems[1]
        assert opened.image(1).path == moved / "a1.png"
    with Project.open(project.path) as opened:
        assert opened.image(1).path == moved / "a1.png"
        assert opened.skipped == problems and opened.image_count() == 3


def test_project_moved_together_with_its_images(project: Project, tmp_path: Path) -> None:
    project.close()
    target = tmp_path / "new place"
    target.mkdir()
    for name in ("street.pointanno", "pictures"):
        shutil.move(tmp_path / name, target / name)
    with Project.open(target / "street") as opened:
        assert opened.skipped == []
        assert opened.image(1).path == target / "pictures" / "a1.png"


def test_reading_while_another_writes(project: Project) -> None:
    project.record("pause", {})
    with Project.open(project.path, writable=False) as reader:
        project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
        assert len(reader.annotations(1).clicks) == 1
        assert reader.recovered == "", "the session that goes on elsewhere did not break"
        with pytest.raises(InputError, match="opened for reading only"):
            reader.record("pause", {})

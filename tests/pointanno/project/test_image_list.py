"""Facts of images, filters, pages, counts, and which protocol an image is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset
from pointanno.project import Project
from pointanno.project.image_list import ImageFilter
from pointanno.protocols import BoxPoints, MultiPoint


def names(project: Project, where: ImageFilter) -> list[str]:
    found = [image.file_name for image in project.image_page(where)]
    assert project.count_images(where) == len(found)
    return found


def test_states_follow_what_was_done(project: Project) -> None:
    assert names(project, ImageFilter(state="unlabelled")) == ["a1.png", "a2.png", "a3.png"]
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.record("complete", {"things": True, "stuff": False}, image_id=2)
    project.record("skip_image", {"skipped": True, "reason": "out of focus"}, image_id=3)
    assert names(project, ImageFilter(state="in_progress")) == ["a1.png", "a2.png"], "stuff was denied to be complete"
    assert names(project, ImageFilter(state="skipped")) == ["a3.png"]
    assert project.image(3).skipped == "out of focus"
    project.record("complete", {"things": True, "stuff": True}, image_id=2)
    assert names(project, ImageFilter(state="complete")) == ["a2.png"]
    counts = project.counts()
    assert {name: counts[name] for name in ("images", "unlabelled", "in_progress", "complete", "skipped")} == {
        "images": 3, "unlabelled": 0, "in_progress": 1, "complete": 1, "skipped": 1,
    }  # fmt: skip
    project.undo()
    project.record("skip_image", {"skipped": False}, image_id=3)
    project.record("delete", {"uid": "a" * 32}, image_id=1)
    assert names(project, ImageFilter(state="unlabelled")) == ["a1.png", "a3.png"]


def test_next_and_pages_go_round(project: Project) -> None:
    first = project.next_unlabelled()
    assert first is not None and first.file_name == "a1.png"
    project.record("complete", {"things": True, "stuff": True}, image_id=2)
    following = project.next_unlabelled(after=first.position)
    assert following is not None and following.file_name == "a3.png"
    again = project.next_unlabelled(after=following.position)
    assert again is not None and again.file_name == "a1.png", "round the end"
    assert [one.file_name for one in project.image_page(after=0, count=1)] == ["a2.png"]
    for image_id in (1, 3):
        project.record("complete", {"things": True, "stuff": True}, image_id=image_id)
    assert project.next_unlabelled(after=1) is None


def test_search_by_name(project: Project) -> None:
    assert names(project, ImageFilter(text="A2")) == ["a2.png"]
    assert names(project, ImageFilter(text="png", state="unlabelled")) == ["a1.png", "a2.png", "a3.png"]
    assert names(project, ImageFilter(text="%")) == []
    with pytest.raises(InputError, match="filter, state: expected one of unlabelled"):
        ImageFilter(state="done")


def test_flags_of_images_and_objects(project: Project) -> None:
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=2)
    project.record("flag", {"flagged": True, "reason": "class unclear", "uid": "a" * 32}, image_id=2)
    project.record("flag", {"flagged": True, "reason": "two labels?"}, image_id=2)
    project.record("flag", {"flagged": True, "reason": "ask Anna"}, image_id=2)
    assert {flag.uid: flag.reason for flag in project.annotations(2).flags} == {
        "a" * 32: "class unclear",
        "": "ask Anna",
    }
    assert project.image(2).flags == 2 and names(project, ImageFilter(attention="flagged")) == ["a2.png"]
    project.record("delete", {"uid": "a" * 32}, image_id=2)
    assert project.image(2).flags == 1, "the flag of an object goes with it"
    project.record("flag", {"flagged": False}, image_id=2)
    assert names(project, ImageFilter(attention="flagged")) == []
    with pytest.raises(InputError, match="neither a click nor a box"):
        project.record("flag", {"flagged": True, "uid": "f" * 32}, image_id=2)


def test_absence_and_presence_exclude_each_other(project: Project) -> None:
    project.record("absent", {"category_id": 1, "absent": True}, image_id=1)
    assert project.annotations(1).absent_category_ids == (1,)
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    assert project.annotations(1).absent_category_ids == (), "one is there, so the class is not absent"
    with pytest.raises(InputError, match="'cell' is annotated on a1.png, so it cannot be absent"):
        project.record("absent", {"category_id": 1, "absent": True}, image_id=1)
    project.undo()
    assert project.annotations(1).absent_category_ids == (1,)


def test_facts_reach_the_file_and_come_back(project: Project, pictures: Path, tmp_path: Path) -> None:
    project.record("complete", {"things": True, "stuff": False}, image_id=1)
    project.record("absent", {"category_id": 2, "absent": True}, image_id=1)
    project.record("flag", {"flagged": True, "reason": "odd"}, image_id=2)
    project.record("skip_image", {"skipped": True, "reason": "dark"}, image_id=3)
    FORMATS["coco-point"].write(project.dataset(), tmp_path / "facts.json")
    found = {image.file_name: image for image in read_dataset(tmp_path / "facts.json").images}
    assert found["a1.png"].complete == {"things": True, "stuff": False}
    assert found["a1.png"].absent_category_ids == (2,)
    assert (found["a2.png"].flag, found["a3.png"].skipped) == ("odd", "dark")
    with Project.create(tmp_path / "copy", images=pictures, coco=tmp_path / "facts.json", points_per_box=4) as copy:
        assert copy.image(2).flags == 1 and copy.image(3).skipped == "dark"
        assert copy.counts()["skipped"] == 1
        state = copy.projection_hash()
        copy.rebuild()
        assert copy.projection_hash() == state
        FORMATS["coco-point"].write(copy.dataset(), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "facts.json").read_bytes()


def test_protocols_by_image_set(project: Project) -> None:
    assert project.protocol_of(1) is None
    project.set_protocol("street", "multi_point", [1, 2], points_per_target=3)
    project.set_protocol("cells", "box_points", [2, 3], draw="extreme")
    several, boxes = project.protocol_of(1), project.protocol_of(2)
    assert isinstance(several, MultiPoint) and several.points_per_target == 3
    assert isinstance(boxes, BoxPoints) and (boxes.points_per_box, boxes.draw) == (4, "extreme")
    assert [(one.name, one.images) for one in project.image_sets()] == [("street", 1), ("cells", 2)]
    assert names(project, ImageFilter(image_set="cells")) == ["a2.png", "a3.png"]
    assert names(project, ImageFilter(image_set=None)) == []
    project.set_protocol("street", "single_point")
    assert project.image_sets()[0].protocol == "single_point" and project.image_sets()[0].images == 1
    project.undo()
    project.undo()
    assert isinstance(project.protocol_of(2), MultiPoint), "which set an image was in is undone, too"
    with pytest.raises(InputError, match="'cubes' is not among the image sets of the project"):
        project.image_page(ImageFilter(image_set="cubes"))
    with pytest.raises(InputError, match="no image 9"):
        project.set_protocol("street", "mask", [9])
    with pytest.raises(InputError, match="protocol: expected one of"):
        project.set_protocol("street", "scribble", [1])


def test_places_of_what_passes_a_filter(project: Project) -> None:
    project.record("flag", {"flagged": True}, image_id=3)
    project.record("flag", {"flagged": True}, image_id=1)
    flagged = ImageFilter(attention="flagged")
    assert project.image_places().tolist() == [0, 1, 2]
    assert project.image_places(flagged).tolist() == [0, 2]
    assert project.image_places(ImageFilter(state="complete")).tolist() == []
    assert [image.file_name for image in project.images_at([2, 0, 99])] == ["a1.png", "a3.png"]
    assert [project.passes(image, flagged) for image in project.images()] == [True, False, True]
    assert project.passes(project.image(2), ImageFilter())
    project.record("flag", {"flagged": False}, image_id=3)
    assert not project.passes(project.image(3), flagged)


def test_names_beyond_ascii_are_found_as_they_are_written(tmp_path: Path, pictures: Path) -> None:
    (pictures / "a1.png").rename(pictures / "Überlauf Ä.png")
    with Project.create(tmp_path / "umlauts", images=pictures) as made:
        assert names(made, ImageFilter(text="ÜBERLAUF Ä")) == ["Überlauf Ä.png"]

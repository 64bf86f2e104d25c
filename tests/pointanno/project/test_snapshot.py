"""The frozen data set: what is exported and trained."""

from __future__ import annotations

import numpy as np

from pointanno.dataset import Box
from pointanno.project import Project

BOX = "b" * 32


def annotate(project: Project) -> None:
    for name, category_id, x in (("1", 1, 5), ("2", 3, 6), ("3", 3, 7), ("4", 1, 8)):
        payload = {"uid": name * 32, "category_id": category_id, "x": x, "y": 2, "time_ms": 900 + x}
        project.record("click", payload, image_id=1, t_mono_ns=1_000_000_000 + 1_000_000 * x)
    payload = {"uid": BOX, "category_id": 2, "box": [1, 2, 9, 8.5], "point_coords": [[1, 2], [3, 4], [5, 6]]}
    project.record("box", {**payload, "point_seed": 5, "time_ms": 7000, "drag_ms": 800}, image_id=2)
    project.record("answer", {"uid": BOX, "point": 0, "value": "background", "time_ms": 640}, image_id=2)
    project.record("answer", {"uid": BOX, "point": 1, "value": "unsure", "time_ms": 2310}, image_id=2)
    project.record("complete", {"things": True, "stuff": False}, image_id=2)
    project.record("absent", {"category_id": 3, "absent": True}, image_id=2)


def test_boxes_and_clicks(project: Project) -> None:
    annotate(project)
    found = project.dataset()
    [instance] = found.instances
    assert (instance.id, instance.image_id, instance.category_id, instance.box) == (1, 2, 2, Box(1, 2, 9, 8.5))
    assert instance.points.coords.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert instance.points.labels.tolist() == [0, -1, -1] and instance.points.labels.dtype == np.int8
    assert instance.points.status == ("ok", "unsure", "pad")
    assert instance.points.times_ms == (640, 2310, None)
    assert (instance.box_time_ms, instance.box_drag_ms, instance.point_seed) == (7000, 800, 5)
    things = [one for one in found.targets if one.isthing]
    [stuff] = [one for one in found.targets if not one.isthing]
    assert [(one.instance, len(one.points)) for one in things] == [(1, 1), (4, 1)]
    assert (stuff.instance, stuff.points.coords.tolist(), stuff.points.times_ms) == (0, [[6, 2], [7, 2]], (906, 907))
    assert found.images[1].complete == {"things": True, "stuff": False}
    assert found.images[1].absent_category_ids == (3,)
    assert found.images[0].complete is None and found.exhaustive_things is False
    assert found.points_per_instance == 4
    assert found.annotators == ({"index": 0, "name": "anon-1"},) and len(found.sessions) == 1
    assert found.sessions[0]["id"] == project.session_id


def test_some_images_only(project: Project) -> None:
    annotate(project)
    found = project.dataset(image_ids=[2], with_events=True)
    assert [one.id for one in found.images] == [2] and found.targets == () and len(found.instances) == 1
    assert {event["image_id"] for event in found.events} == {None, 2}


def test_events_in_the_words_of_the_format(project: Project) -> None:
    annotate(project)
    project.undo()
    found = project.dataset(with_events=True)
    assert [event["n"] for event in found.events] == list(range(len(found.events)))
    label = next(event for event in found.events if event["kind"] == "label")
    assert (label["annotation_id"], label["point"], label["value"], label["dt_ms"]) == (1, 0, 0, 640)
    click = next(event for event in found.events if event["kind"] == "click")
    assert click["point_annotation_id"] == 1 and (click["session"], click["annotator"]) == (0, 0)
    undo = found.events[-1]
    assert undo["kind"] == "undo" and undo["image_id"] == 2
    assert project.dataset().events == ()


def test_nothing_annotated(project: Project) -> None:
    found = project.dataset()
    assert len(found.images) == 3 and found.instances == () and found.targets == ()
    assert found.exhaustive_things is None and found.sessions == ()


def test_exhaustive_when_every_image_was_declared(project: Project) -> None:
    for image in project.images():
        project.record("complete", {"things": True, "stuff": False}, image_id=image.id)
    assert project.dataset().exhaustive_things is True

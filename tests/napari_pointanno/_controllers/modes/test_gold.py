"""Known answers look like any other box, are asked among them, and tell nothing before they are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Box, Instance, PointDataset, Points
from pointanno.formats.instance_records import no_points

POINTS = ((42, 12), (48, 18))
LABELS = (1, 0)


def import_boxes(project: Any, layer: str, corners: tuple[int, ...], labels: tuple[int, ...] | None) -> None:
    """Boxes of 10 by 10 pixels at these x on the first image; without labels their points wait for answers."""
    coords = np.array(POINTS) - (40, 0)
    instances = []
    for number, x in enumerate(corners, 1):
        known = Points.answered(coords + np.array([x, 0]), np.array(labels or LABELS), source="imported")
        points = known if labels else no_points()
        instances.append(Instance(number, project.images()[0].id, 1, Box(x, 10, x + 10, 20), points))
    dataset = PointDataset(
        images=project.dataset().images[:1], categories=tuple(project.categories()), instances=tuple(instances)
    )
    project.import_dataset(dataset, layer=layer)


@pytest.fixture
def hidden(project: Any, make_desktop: Callable[[Any], Any]) -> Any:
    """Two boxes of a file with three open points each, and a known box between them."""
    import_boxes(project, "main", (5, 60), None)
    import_boxes(project, "gold", (40,), LABELS)
    desktop = make_desktop(project)
    desktop.person.key("W")
    return desktop


def answer_all(desktop: Any, key: str) -> list[tuple[str, str]]:
    """Uid of each box that is asked and the question, in order."""
    asked = []
    while desktop.session.asked is not None:
        asked.append((desktop.session.asked.box_uid, desktop.canvas.drawing.question.text.split("   ")[0]))
        desktop.person.key(key)
    return asked


def test_a_known_box_is_asked_among_the_others(hidden: Any) -> None:
    project = hidden.project
    first = project.images()[0].id
    assert len(hidden.session.annotations.boxes) == 3
    assert len({box.source for box in hidden.session.annotations.boxes}) == 1
    before = project.projection_hash()
    asked = answer_all(hidden, "F")
    assert len(asked) == 8 and {text for _, text in asked} == {"CAR?"}
    [copy] = project.annotations(first, layer="second").boxes
    assert copy.uid in {uid for uid, _ in asked} and copy.answers == ("object", "object")
    assert [box.answers for box in project.annotations(first).boxes] == [("object",) * 3] * 2
    assert all(box.uid != copy.uid for box in project.annotations(first).boxes)
    assert len(project.dataset().instances) == 2, "it is not exported"
    found = project.agreement("gold")
    assert (found.answers, found.same) == (2, 1)
    image = project.image(first)
    assert (image.boxes, image.answers, image.disagreements) == (2, 6, 0)
    assert "right" not in hidden.canvas.drawing.hint and "known" not in " ".join(hidden.notified())
    for _ in range(9):
        hidden.person.key("Ctrl+Z")
    assert project.projection_hash() == before


def test_practice_tells_at_once(hidden: Any) -> None:
    hidden.controller.people.practise(True)
    told = []
    while hidden.session.asked is not None:
        hidden.person.key("F")
        told.append(hidden.canvas.drawing.hint)
    assert sorted(told)[-2:] == ["right", "the known answer is: no"]
    assert told.count("") == 6


def test_a_known_box_cannot_be_changed_by_mistake(hidden: Any) -> None:
    project, person = hidden.project, hidden.person
    known = {box.uid for box in hidden.session.annotations.boxes if box.copy_of is not None}
    while hidden.session.asked.box_uid not in known:
        person.key("F")
    before = project.projection_hash()
    for key in ("R", "Delete", "2"):
        person.key(key)
    assert project.projection_hash() == before and hidden.session.asked.box_uid in known
    person.key("K")
    person.key("Enter")
    assert hidden.session.asked is None or hidden.session.asked.box_uid not in known, "it can be left out like others"


def test_import_while_the_image_is_shown(desktop: Any, tmp_path: Any) -> None:
    from pointanno.formats import FORMATS

    project = desktop.project
    points = Points.answered(np.array(POINTS), np.array(LABELS), source="imported")
    dataset = PointDataset(
        images=project.dataset().images[:1],
        categories=tuple(project.categories()),
        instances=(Instance(1, project.images()[0].id, 1, Box(40, 10, 50, 20), points),),
        points_per_instance=2,
    )
    FORMATS["coco-point"].write(dataset, tmp_path / "gold.json")
    desktop.person.key("W")
    assert desktop.session.asked is None
    desktop.controller.people.take_gold(str(tmp_path / "gold.json"))
    assert desktop.session.asked is not None

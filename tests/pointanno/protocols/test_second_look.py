"""The same points asked again, without the first answers."""

from __future__ import annotations

import numpy as np
import pytest

from pointanno.dataset import Box
from pointanno.errors import InputError
from pointanno.project.records import BoxAnnotation, ImageAnnotations
from pointanno.protocols import AskPoint, SecondLook


def box(uid: str, *answers: str | None, copy_of: str | None = None) -> BoxAnnotation:
    coords = np.array([[number, 5] for number in range(len(answers))], dtype=np.int32).reshape(-1, 2)
    return BoxAnnotation(
        uid, 1, Box(0, 0, 20, 20), coords, answers, (None,) * len(answers), 9, "drag", None, None, copy_of=copy_of
    )


def test_boxes_are_copied_one_by_one_without_their_answers() -> None:
    look = SecondLook(seed=5)
    first = ImageAnnotations(1, boxes=(box("a", "object", "background"), box("b", "object"), box("c", "object", None)))
    second = ImageAnnotations(1)
    seen = []
    while (step := look.begin_box(first, second)) is not None:
        kind, payload = step
        assert kind == "box" and payload["layer"] == "second" and "answers" not in payload
        seen.append(payload["copy_of"])
        count = len(payload["point_coords"])
        copy = box(f"copy {payload['copy_of']}", *[None] * count, copy_of=payload["copy_of"])
        second = ImageAnnotations(1, boxes=(*second.boxes, copy))
        question = look.ask(first, second)
        assert isinstance(question, AskPoint) and question.box_uid == copy.uid
        assert look.answer(first, second, "unsure")[1] == {"uid": copy.uid, "point": 0, "value": "unsure"}
        done = box(copy.uid, *["object"] * count, copy_of=copy.copy_of)
        second = ImageAnnotations(1, boxes=(*second.boxes[:-1], done))
    assert sorted(seen) == ["a", "b"], "a box whose points the first person has not finished is not asked again"
    assert look.is_done(first, second)
    with pytest.raises(InputError, match="no open point"):
        look.answer(first, second, "object")


def test_the_order_is_seeded() -> None:
    first = ImageAnnotations(1, boxes=tuple(box(name, "object") for name in "abcdefgh"))

    def order(seed: int) -> list[str | None]:
        look, second, found = SecondLook(seed), ImageAnnotations(1), []
        while (following := look.next_box(first, second)) is not None:
            found.append(following.uid)
            second = ImageAnnotations(1, boxes=(*second.boxes, box("x", "object", copy_of=following.uid)))
        return list(found)

    assert order(1) == order(1) != order(2)
    assert sorted(map(str, order(2))) == list("abcdefgh")
